"""A canary: a harmless call of our own that must come all the way back, so that silence means quiet and not deafness.

Every hour the clock deletes an SSM parameter that does not exist. CloudTrail records the refused call like any other;
the detector finds it by a rule of its own (rulebook/canary.py), the notifier publishes it, and a queue on the alert
topic gives it back to the clock. It is never a hit: it has rows of its own (store/canaries.py).
"""

import re
from collections.abc import Mapping
from typing import Any

from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern


CANARY_RULE_ID = "4b1d9a52-6f2e-4c59-9d0f-0c8f6f6a7e11"

CANARY_PATH = "/trailbell/canary/"
"""Where the parameters are that never exist."""

SEEN_LIVE, SEEN_IN_FILE = "seen live", "seen in a log file"
"""Steps: when each of the two sources has brought the canary's record, and how many seconds after the act."""

_PARAMETER = lazy_pattern(
    re.escape(CANARY_PATH) + r"(?P<name>\d{4}-\d\d-\d\dT\d\d(?:-\d\d-\d\d)?)/(?P<nonce>[0-9a-f]{32})"
)


@dataclass(frozen=True, slots=True)
class Canary:
    """One canary.

    name:  the hour it was sent in (2026-11-29T01), or the second for one sent by hand (2026-11-29T01-15-22).
    nonce: 32 hexadecimal digits nobody can guess, so that nobody can make a canary come back that was lost.
    """

    name: str
    nonce: str

    @property
    def parameter(self) -> str:
        """The name of the parameter that is asked to be deleted."""
        return f"{CANARY_PATH}{self.name}/{self.nonce}"


@dataclass(frozen=True, slots=True)
class Returned:
    """A canary's message in the queue on the alert topic: which, when SNS took it, and what deletes it there."""

    canary: Canary
    event_time: str
    published_at: str
    receipt: str


def is_canary(hit: Hit) -> bool:
    """Whether a hit is a canary's, and so no hit."""
    return hit.rule_id == CANARY_RULE_ID


def canary_of(hit: Hit) -> Canary | None:
    """The canary of a canary's hit; None where the name is none that the clock gives."""
    found = next(filter(None, map(_PARAMETER.search, hit.resources)), None)
    return Canary(found["name"], found["nonce"]) if found else None


def seen(steps: Mapping[str, Mapping[str, Any]], step: str) -> Mapping[str, Any]:
    """The row of a source that brought the canary which was sent, empty if none did.

    Whoever knows the hour can call by its name; such a row has another nonce, and what came after it is beside it, with
    the nonce in its name. A version before wrote no nonce.
    """
    sent = steps.get("sent", {}).get("nonce")
    for row in (steps.get(step, {}), steps.get(f"{step} {sent}", {})):
        if row and row.get("nonce", sent) == sent:
            return row
    return {}


def seen_after(steps: Mapping[str, Mapping[str, Any]]) -> str:
    """How long after its act each source brought a canary, as measured: "live 3 s, in a log file 290 s"; "" if that is
    not known.
    """
    named = ((SEEN_LIVE, "live"), (SEEN_IN_FILE, "in a log file"))
    return ", ".join(f"{word} {row['seconds']} s" for step, word in named if "seconds" in (row := seen(steps, step)))
