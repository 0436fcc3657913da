"""The rulebook is the compiled rules as they travel to Lambda: plain JSON, loaded without pySigma or PyYAML."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from trailalert.errors import RuleError


FORMAT = 1


class Level(IntEnum):
    """Sigma's levels, weakest first."""

    INFORMATIONAL = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The level as Sigma writes it: low, high …"""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Undo:
    """How to undo what a rule reports.

    steps:  command templates and sentences; `{name}` is filled from the record (core/undo.py).
    until:  path of the record's field that holds the deadline, "" if AWS states none there.
    within: days from the event within which undoing works, 0 if there is no such limit.
    note:   what the reader must know about undoing, or why it is impossible.
    """

    steps: tuple[str, ...] = ()
    until: str = ""
    within: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule.

    rule_id:    Sigma's id (a UUID); a rule without one goes by its name.
    name:       the slug everybody says, such as kms-key-disabled.
    stem:       its file's name without .yml.
    precedence: among the rules a record matches the highest speaks, before the level is looked at.
    gate:       lower-cased values a record must have, by field; a field that is absent gates nothing.
    detection:  the condition as a tree of ["and"|"or", [node, …]], ["not", node], ["field", path, test]
                and ["keyword", test] (tests: core/predicates.py).
    """

    rule_id: str
    name: str
    stem: str
    title: str
    level: Level
    description: str
    detection: list[Any]
    gate: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    precedence: int = 0
    author: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    undo: Undo = Undo()

    @property
    def strength(self) -> tuple[int, int, str]:
        """Sorts rules strongest first."""
        return -self.precedence, -self.level, self.rule_id


def dump_rulebook(rules: Iterable[Rule]) -> str:
    """Serialise rules, the same text for the same rules."""
    ordered = sorted(rules, key=lambda rule: rule.rule_id)
    document = {"format": FORMAT, "rules": [asdict(rule) for rule in ordered]}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def load_rulebook(text: str) -> tuple[Rule, ...]:
    """Read a serialised rulebook. Raises RuleError when it was written in another format."""
    document = json.loads(text)
    if document.get("format") != FORMAT:
        raise RuleError(
            f"rulebook has format {document.get('format')!r}, this version reads {FORMAT}: synthesise again"
        )
    return tuple(_rule(entry) for entry in document["rules"])


_TUPLES = ("tags", "references", "falsepositives", "check")


def _rule(entry: dict[str, Any]) -> Rule:
    undo = entry["undo"]
    return Rule(
        **{
            **entry,
            **{name: tuple(entry[name]) for name in _TUPLES},
            "level": Level(entry["level"]),
            "gate": {path: tuple(values) for path, values in entry["gate"].items()},
            "undo": Undo(**{**undo, "steps": tuple(undo["steps"])}),
        }
    )
