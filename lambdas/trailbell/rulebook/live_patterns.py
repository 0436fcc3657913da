"""EventBridge patterns for a rulebook: which records the default bus of an account sends on, seconds after the act.

Each pattern names its sources exactly. Nobody can put an event whose source begins with `aws.`, so what it lets through
was sent by AWS; a prefix would let `aws.partner/...` through, whose events others write.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html

A pattern says no detail-type: a native event has no eventName, and calls, sign-ins and what services do are all wanted.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trailbell.engine.rulebook import Rulebook
from trailbell.errors import RuleError
from trailbell.rulebook.known_calls import spelling
from trailbell.rulebook.live_calls import OWN_ACCOUNT, Asked, Conditions, but_own_account, live_of


MOST_CHARACTERS = 2048
"""Of a pattern. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"""

MOST_RULES = 60
"""A bus has 300 rules, in some Regions 100, and the default bus is not ours alone."""

_READS = ("describe", "get", "list")
"""How the names of calls begin that a rule sees only in the state that is for all management events.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
"""

Pattern = Mapping[str, Any]
Spelling = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class LivePattern:
    """The pattern of one EventBridge rule. `reads`: whether its rule must be in the state for all management events."""

    name: str
    pattern: Pattern
    reads: bool = False

    @property
    def state(self) -> str:
        """The state of its rule."""
        return "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if self.reads else "ENABLED"


def live_patterns(rulebook: Rulebook, spell: Spelling = spelling) -> tuple[LivePattern, ...]:
    """The patterns for the default bus of an account, the same for the same rulebook; OWN_ACCOUNT may stand in them.

    spell: the names of calls as records have them, by event source and name in small letters; "" where not known.
    Raises RuleError for a rulebook that asks for more than a bus can hold.
    """
    return _patterns(rulebook, spell, at_member=True)


def central_patterns(rulebook: Rulebook, spell: Spelling = spelling) -> tuple[LivePattern, ...]:
    """The patterns for the bus that members forward to: what depends on the member's own account was asked there."""
    return _patterns(rulebook, spell, at_member=False)


@dataclass(frozen=True, slots=True)
class LivePatterns:
    """The patterns of a rulebook: `own` for an account's default bus, `forwarded` for the central one."""

    own: tuple[LivePattern, ...] = ()
    forwarded: tuple[LivePattern, ...] = ()


def patterns_of(rulebook: Rulebook) -> LivePatterns:
    """All patterns of a rulebook. Raises RuleError as live_patterns does."""
    return LivePatterns(live_patterns(rulebook), central_patterns(rulebook))


def fingerprint(patterns: Iterable[LivePattern]) -> str:
    """What tells whether two stacks ask for the same: eight characters made of all patterns."""
    text = json.dumps([[one.name, one.pattern, one.reads] for one in patterns], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def resolved(pattern: Pattern, account: str) -> Pattern:
    """The pattern as it is in an account."""
    return dict(json.loads(json.dumps(pattern).replace(OWN_ACCOUNT, account)))


@dataclass(frozen=True, slots=True)
class _Clause:
    """One of the alternatives of a pattern, with what it looks at in `detail`."""

    sources: tuple[str, ...]
    names: tuple[str, ...]
    beginnings: tuple[str, ...]
    conditions: Conditions

    def detail(self, spell: Spelling) -> dict[str, Any]:
        found: dict[str, Any] = {"eventSource": list(self.sources)}
        names = [_name(source, name, spell) for source in self.sources[:1] for name in self.names]
        begun = [{"prefix": {"equals-ignore-case": beginning}} for beginning in self.beginnings]
        if names or begun:
            plain = sorted(name for name in names if isinstance(name, str))
            found["eventName"] = [*plain, *(name for name in names if not isinstance(name, str)), *begun]
        for path, allowed in sorted(self.conditions):
            _put(found, path.split("."), json.loads(allowed))
        return found


def _name(source: str, name: str, spell: Spelling) -> str | dict[str, str]:
    return spell(source, name) or {"equals-ignore-case": name}


def _put(into: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *above, last = path
    for name in above:
        into = into.setdefault(name, {})
    into[last] = value


def _patterns(rulebook: Rulebook, spell: Spelling, *, at_member: bool) -> tuple[LivePattern, ...]:
    asked = [one for rule in rulebook.rules for one in live_of(rule, rulebook.trusted_accounts).asked]
    if not at_member:
        asked = [replace(one, conditions=_of_any_account(one.conditions)) for one in asked]
    changes = [part for one in asked if (part := _part(one, reads=False))]
    reads = [part for one in asked if (part := _part(one, reads=True))]
    found = [
        LivePattern(f"{name}{number}", pattern, is_read)
        for name, parts, is_read in (("Events", changes, False), ("Reads", reads, True))
        for number, pattern in enumerate(_packed(_clauses(parts), spell), start=1)
    ]
    if len(found) > MOST_RULES:
        raise RuleError(
            f"the rules name so many calls that `live` takes {len(found)} EventBridge rules of {MOST_RULES}"
        )
    return tuple(found)


def _of_any_account(conditions: Conditions) -> Conditions:
    return frozenset(pair for pair in conditions if OWN_ACCOUNT not in pair[1])


def _part(one: Asked, *, reads: bool) -> Asked | None:
    """Of what is asked the calls that are reads by their name, or those that are not; None if there are none."""
    if not one.names and not one.beginnings:
        return None if reads else one
    names = frozenset(name for name in one.names if name.startswith(_READS) is reads)
    wanted = _may_read if reads else _may_change
    begun = frozenset(filter(wanted, one.beginnings))
    return replace(one, names=names, beginnings=begun) if names or begun else None


def _may_change(beginning: str) -> bool:
    return not beginning.startswith(_READS)


def _may_read(beginning: str) -> bool:
    return beginning.startswith(_READS) or any(verb.startswith(beginning) for verb in _READS)


def _clauses(asked: Iterable[Asked]) -> list[_Clause]:
    """What is asked, joined: a clause for each source and its conditions, and one for all sources of a condition."""
    names = defaultdict[tuple[str, Conditions], set[str]](set)
    beginnings = defaultdict[tuple[str, Conditions], set[str]](set)
    unnamed = defaultdict[Conditions, set[str]](set)
    for one in asked:
        if not one.names and not one.beginnings:
            unnamed[one.conditions] |= one.sources
        for source in one.sources if one.names or one.beginnings else ():
            names[source, one.conditions] |= one.names
            beginnings[source, one.conditions] |= one.beginnings
    found = [
        _Clause((source,), tuple(sorted(names[source, conditions])), _shortest(begun), conditions)
        for (source, conditions), begun in beginnings.items()
    ]
    found += [_Clause(tuple(sorted(sources)), (), (), conditions) for conditions, sources in unnamed.items()]
    return sorted(found, key=lambda one: (one.sources, sorted(one.conditions)))


def _shortest(beginnings: Iterable[str]) -> tuple[str, ...]:
    """Beginnings without those that begin with another one."""
    kept = list[str]()
    for beginning in sorted(beginnings):
        if not kept or not beginning.startswith(kept[-1]):
            kept.append(beginning)
    return tuple(kept)


def _packed(clauses: Iterable[_Clause], spell: Spelling) -> Iterator[Pattern]:
    """As few patterns as fit, each clause put behind the one before where there is room; a long clause is cut."""
    pattern, taken = dict[str, Any](), list[_Clause]()
    for clause in (part for one in clauses for part in _cut(one, spell)):
        joined = _pattern([*taken, clause], spell)
        if taken and not _fits(joined):
            yield pattern
            taken, joined = [], _pattern([clause], spell)
        pattern, taken = joined, [*taken, clause]
    if taken:
        yield pattern


def _cut(clause: _Clause, spell: Spelling) -> Iterator[_Clause]:
    """Clauses that have room each and let through what a long one does; more, where its trusted accounts alone are too
    many: then all but the own account come, and the rules decide as ever. Raises RuleError where that is too long, too.
    """
    if _fits(_pattern([clause], spell)):
        yield clause
        return
    parts = [*_halves(clause)] or [replace(clause, conditions=_but_own_alone(clause.conditions))]
    if parts == [clause]:
        raise RuleError(f"no EventBridge pattern has room for what rules ask of {', '.join(clause.sources)}")
    for part in parts:
        yield from _cut(part, spell)


def _halves(clause: _Clause) -> Iterator[_Clause]:
    """Two clauses that together let through the same; none where it has one of everything."""
    if clause.names and clause.beginnings:
        yield from (replace(clause, beginnings=()), replace(clause, names=()))
        return
    if half := len(clause.names) // 2:
        yield from (replace(clause, names=clause.names[:half]), replace(clause, names=clause.names[half:]))
    elif half := len(clause.beginnings) // 2:
        first, second = clause.beginnings[:half], clause.beginnings[half:]
        yield from (replace(clause, beginnings=first), replace(clause, beginnings=second))
    elif half := len(clause.sources) // 2:
        yield from (replace(clause, sources=clause.sources[:half]), replace(clause, sources=clause.sources[half:]))


def _but_own_alone(conditions: Conditions) -> Conditions:
    """The same without trusted accounts."""
    broad = json.dumps(but_own_account())
    return frozenset((path, broad if OWN_ACCOUNT in allowed else allowed) for path, allowed in conditions)


def _pattern(clauses: Sequence[_Clause], spell: Spelling) -> dict[str, Any]:
    details = [clause.detail(spell) for clause in clauses]
    sources = sorted({f"aws.{source.partition('.')[0]}" for clause in clauses for source in clause.sources})
    return {"source": sources, "detail": details[0] if len(details) == 1 else {"$or": details}}


def _fits(pattern: Pattern) -> bool:
    """Whether a pattern has room, written with blanks as some write JSON."""
    return len(json.dumps(pattern)) <= MOST_CHARACTERS
