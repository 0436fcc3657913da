"""The rulebook: the compiled rules as Lambda gets them, plain JSON that loads without pySigma or PyYAML."""

import json
from collections.abc import Mapping, Set
from dataclasses import asdict, field
from enum import IntEnum
from typing import Any

from trailbell.engine.condition import looks_at
from trailbell.engine.correlation import Correlation, CorrelationType
from trailbell.errors import RuleError
from trailbell.lazy_dataclass import dataclass


FORMAT = 1

SHORT_TITLE = 22
"""Characters of a short title: beside them a mail's subject holds level, resource, actor, account and id."""

UNMUTABLE = "trail-"
"""How the names of rules about the trail and trailbell itself begin: muting one would hide an attack on them."""


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
        return _WORDS[self]


_WORDS = tuple(level.name.lower() for level in Level)


@dataclass(frozen=True, slots=True)
class Undo:
    """How to undo what a rule reports.

    steps:  command templates and sentences; `{name}` is filled from the record (hits/undo.py).
    until:  path of the record's field that holds the deadline, "" if AWS states none there.
    within: days from the event within which undoing works, 0 if there is no such limit.
    note:   what the reader must know about undoing, or why it is impossible.
    events: for each step the names of the events it is for, none for all; empty if every step is for all.
    notes:  what holds for some events only: their names, and the text.
    """

    steps: tuple[str, ...] = ()
    until: str = ""
    within: int = 0
    note: str = ""
    events: tuple[tuple[str, ...], ...] = ()
    notes: tuple[tuple[tuple[str, ...], str], ...] = ()

    def steps_for(self, event: str) -> tuple[str, ...]:
        """The steps for an event, by its name."""
        if not self.events:
            return self.steps
        own = zip(self.steps, self.events, strict=True)
        return tuple(step for step, events in own if not events or event in events)


@dataclass(frozen=True, slots=True)
class UndoneBy:
    """One way in which what a rule reports is undone by a later call, and how the two records name the same thing.

    detection: the tree that the later record matches.
    of:        the rule's events that it is about, in lower case; all if none is named.
    when:      the tree that the act's record matches; empty if any does.
    act, undo: paths of values that must be equal, in the act's record and in the later one; of several the first that
               has a value counts, and in each `+` joins what is one name only together.
    word:      undone; replaced, where something else took its place; stopped, where what was done stays done;
               answered, where the undo was begun and no record says how it ended.
    anywhere:  whether the later call may be made in another Region.
    resource_type: what the first part of the paths names, such as ssm:parameter, where a record may name it without
               its ARN; "" where both always write it alike.
    note:      what is left to know once that call was made, such as in which state it leaves the thing; "" if nothing.
    key:       what is the same in all entries that ask for the same later call: links are made of it, so they neither
               mix entries nor change with the deployer's settings.
    """

    detection: list[Any]
    act: tuple[str, ...]
    undo: tuple[str, ...]
    of: tuple[str, ...] = ()
    when: list[Any] = field(default_factory=list)
    word: str = "undone"
    anywhere: bool = False
    key: str = ""
    resource_type: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Undoes:
    """What a silent rule's record undoes: acts of rules with an entry of that key (see UndoneBy)."""

    key: str
    undo: tuple[str, ...]
    word: str
    anywhere: bool
    resource_type: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """What makes an act new, or habitual (hits/first_seen.py).

    key:        paths of the values that are seen together.
    days:       what has not been seen in so many days is new.
    habit_days: what was seen on so many of the 30 days before is habitual; 0 if nothing is.
    """

    key: tuple[str, ...]
    days: int = 90
    habit_days: int = 20


@dataclass(frozen=True, slots=True)
class RuleException:
    """A deployer's exception from a rule: a Sigma filter, with its owner, its reason and its last day.

    expires:   the last day it works, yyyy-mm-dd, UTC.
    detection: the filter's condition; where it does not hold, the rule's hit is muted.
    """

    name: str
    owner: str
    reason: str
    expires: str
    detection: list[Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule.

    rule_id:    Sigma's id (a UUID); a rule without one goes by its name.
    name:       the slug that people use, such as kms-key-disabled.
    stem:       its file's name without .yml.
    short:      the title for subjects, "" where the title does.
    exceptions: those that name this rule and had not expired at synth.
    once_per_day: a dedup window of a day: all records of one operation, account and day make one hit.
    once_per_actor: with once_per_day: all of one actor's.
    precedence: of the rules that a record matches the highest is primary; between equals the level decides.
    shows:      labels and the paths of what is shown of a record (hits/shown.py).
    gate:       lower-cased values a record must have, by field; a field that is absent gates nothing.
    undone_by:  the later calls that undo what it reports.
    undoes:     of a silent rule: what its records undo. It makes no hits (rulebook/undone_by.py).
    first_seen: what of its acts is new and habitual, if it asks for that.
    counts_only: whether it makes no hits, and is there for correlations to count (`generate: false`).
    detection:  the condition as a tree of ["and"|"or", [node, …]], ["not", node], ["field", path, test]
                and ["keyword", test] (tests: engine/predicates.py).
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
    shows: tuple[tuple[str, tuple[str, ...]], ...] = ()
    undo: Undo = Undo()
    exceptions: tuple[RuleException, ...] = ()
    once_per_day: bool = False
    once_per_actor: bool = False
    short: str = ""
    undone_by: tuple[UndoneBy, ...] = ()
    undoes: tuple[Undoes, ...] = ()
    counts_only: bool = False
    first_seen: FirstSeen | None = None

    @property
    def is_silent(self) -> bool:
        """Whether it makes no hits."""
        return bool(self.undoes) or self.counts_only

    def looks_at(self, members: Set[str]) -> bool:
        """Whether its condition, or that of one of its exceptions, looks at one of some members of the event."""
        return any(looks_at(one, members) for one in (self.detection, *(one.detection for one in self.exceptions)))

    @property
    def strength(self) -> tuple[int, int, str]:
        """Sorts rules strongest first."""
        return -self.precedence, -self.level, self.rule_id


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Rules, and the settings of the deployer that facts and levels depend on.

    trusted_accounts: accounts that are not external (facts.external_accounts).
    automation_roles: ARNs of roles, `*` for any characters, whose acts are reported one level lower.
    correlations: those over the rules.
    account_names: account id → the name that is shown beside it.
    """

    rules: tuple[Rule, ...]
    trusted_accounts: frozenset[str] = frozenset()
    automation_roles: tuple[str, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    account_names: Mapping[str, str] = field(default_factory=dict)


def dump_rulebook(rulebook: Rulebook) -> str:
    """Serialise a rulebook, the same text for the same rules and settings."""
    document = {
        "format": FORMAT,
        "rules": [asdict(rule) for rule in sorted(rulebook.rules, key=lambda rule: rule.rule_id)],
        "trusted_accounts": sorted(rulebook.trusted_accounts),
        "automation_roles": sorted(rulebook.automation_roles),
        "account_names": dict(rulebook.account_names),
        "correlations": [asdict(one) for one in sorted(rulebook.correlations, key=lambda one: one.correlation_id)],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def load_rulebook(text: str) -> Rulebook:
    """Read a serialised rulebook. Raises RuleError when it was written in another format."""
    document = json.loads(text)
    if document.get("format") != FORMAT:
        raise RuleError(
            f"rulebook has format {document.get('format')!r}, this version reads {FORMAT}: synthesise again"
        )
    return Rulebook(
        tuple(_rule(entry) for entry in document["rules"]),
        frozenset(document["trusted_accounts"]),
        tuple(document["automation_roles"]),
        tuple(_correlation(entry) for entry in document.get("correlations", ())),
        document.get("account_names", {}),
    )


_TUPLES = ("tags", "references", "falsepositives", "check")


def _rule(entry: dict[str, Any]) -> Rule:
    undo = entry["undo"]
    return Rule(
        **{
            **entry,
            **{name: tuple(entry[name]) for name in _TUPLES},
            "shows": tuple((label, tuple(paths)) for label, paths in entry.get("shows", ())),
            "level": Level(entry["level"]),
            "gate": {path: tuple(values) for path, values in entry["gate"].items()},
            "undo": Undo(
                **{
                    **undo,
                    "steps": tuple(undo["steps"]),
                    "events": tuple(tuple(events) for events in undo.get("events", ())),
                    "notes": tuple((tuple(events), note) for events, note in undo.get("notes", ())),
                }
            ),
            "exceptions": tuple(RuleException(**exception) for exception in entry["exceptions"]),
            "undone_by": tuple(UndoneBy(**_with_tuples(one, "act", "undo", "of")) for one in entry["undone_by"]),
            "undoes": tuple(Undoes(**_with_tuples(one, "undo")) for one in entry["undoes"]),
            "first_seen": FirstSeen(**_with_tuples(entry["first_seen"], "key")) if entry.get("first_seen") else None,
        }
    )


def _correlation(entry: dict[str, Any]) -> Correlation:
    paths = {name: tuple(tuple(one) for one in entry[name]) for name in ("group_paths", "value_paths")}
    return Correlation(
        **{
            **_with_tuples(entry, "rules", "group_by"),
            **paths,
            "rule": _rule(entry["rule"]),
            "kind": CorrelationType(entry["kind"]),
        }
    )


def _with_tuples(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**entry, **{name: tuple(entry[name]) for name in names}}
