"""Facts are what we derive from a record for rules and readers; rules address them under `facts.`"""

from dataclasses import dataclass
from typing import Any

from trailalert.core.actor import Actor, actor_of, is_direct
from trailalert.core.outcome import Outcome, outcome_of
from trailalert.core.record import Record
from trailalert.core.resources import resources_of


@dataclass(frozen=True, slots=True)
class Facts:
    """Derived from one record; see the modules actor, outcome and resources for what each means."""

    outcome: Outcome
    direct: bool
    actor: Actor
    resources: tuple[str, ...]

    def as_fields(self) -> dict[str, Any]:
        """What a rule sees under `facts.` (documented in rules/README.md)."""
        return {
            "outcome": str(self.outcome),
            "direct": self.direct,
            "resources": list(self.resources),
            "actor": {
                "kind": self.actor.kind,
                "key": self.actor.key,
                "arn": self.actor.arn,
                "account": self.actor.account,
                "console": self.actor.console,
            },
        }


def facts_of(record: Record) -> Facts:
    """Derive all facts of a record. Total: odd records give empty facts, never an error."""
    return Facts(
        outcome=outcome_of(record.fields),
        direct=is_direct(record.fields),
        actor=actor_of(record.fields),
        resources=resources_of(record),
    )
