"""Why a record makes a hit or does not: every rule that is about it, decided as the detector decides, and explained.

Matches, mutes, level and hit come from what the detector runs (engine/matcher.py, hits/detect.py); the reasons come
from engine/explanation.py. Pure, and for one record: it is asked by a person, not by a log file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trailbell.cloudtrail.object_key import classify_key
from trailbell.cloudtrail.origin import Place
from trailbell.cloudtrail.record import GATE_FIELDS, Record, make_record
from trailbell.engine.condition import asks_for
from trailbell.engine.correlation import silenced
from trailbell.engine.explanation import Part, explain
from trailbell.engine.matcher import Matcher, matching
from trailbell.engine.predicates import Roots
from trailbell.engine.rulebook import Level, Rule, Rulebook, RuleException
from trailbell.facts.facts import Facts, facts_of
from trailbell.hits.canary import CANARY_RULE_ID
from trailbell.hits.detect import REPEATS, HitDetector
from trailbell.hits.hit import Hit, primary
from trailbell.hits.level import level_of


NEAREST = 5
"""Rules that do not match, of which at most so many are explained where none is named."""


class Standing(StrEnum):
    """What a rule does with a record."""

    PRIMARY = "primary"
    """It reports the record."""
    ALSO = "also matched"
    """It matches; another rule is primary."""
    MUTED = "muted"
    """It matches, and an exception mutes it."""
    SILENT = "silent"
    """It matches, and makes no hits: correlations count it, or it looks for what undoes an act."""
    CANARY = "canary"
    """The record is a canary's (hits/canary.py), which is no hit."""
    REPEATED = "repeated"
    """It would match, and the record only repeats what another one says."""
    NO_MATCH = "no match"


@dataclass(frozen=True, slots=True)
class GateFault:
    """A member of the record for which the rule is not even looked at: what it has, and what the rule is for."""

    field: str
    value: Any
    wanted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExceptionExplained:
    """An exception of a rule that matches: its condition says what still alerts; it mutes where that does not hold.

    in_force: not past its last day.
    """

    exception: RuleException
    in_force: bool
    condition: Part

    @property
    def mutes(self) -> bool:
        """Whether it takes the hit."""
        return self.in_force and not self.condition.holds


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """One rule on the record.

    gate:       why its condition was not even looked at, empty where it was.
    condition:  its tree, decided.
    exceptions: those of a rule that matches.
    outranked_by: the primary rule where it is another one; "".
    counted_by: the correlations that count the record by this rule.
    level:      at which it would report the record.
    """

    rule: Rule
    standing: Standing
    gate: tuple[GateFault, ...]
    condition: Part
    exceptions: tuple[ExceptionExplained, ...] = ()
    outranked_by: str = ""
    counted_by: tuple[str, ...] = ()
    level: Level = Level.INFORMATIONAL

    @property
    def matches(self) -> bool:
        """The matcher's verdict."""
        return self.condition.holds


@dataclass(frozen=True, slots=True)
class Explained:
    """A record, explained.

    watched: whether any rule is about its event source and name at all.
    rules:   those asked for; else those that match, strongest first, and of a record without a hit the nearest others.
    hit:     what the detector makes of it; None for none.
    """

    record: Record
    facts: Facts
    watched: bool
    rules: tuple[RuleExplained, ...]
    hit: Hit | None

    @property
    def is_canary(self) -> bool:
        """Whether it is trailbell's own harmless act, which comes back and alerts nobody."""
        return self.hit is not None and self.hit.rule_id == CANARY_RULE_ID

    @property
    def counted_by(self) -> list[str]:
        """The correlations that count it."""
        return sorted({name for one in self.rules for name in one.counted_by})


class Explainer:
    """A rulebook, ready to explain records at a time (UTC, ISO 8601 with Z), which decides what exceptions do."""

    def __init__(self, rulebook: Rulebook, now: str) -> None:
        matcher = Matcher(rulebook.rules, GATE_FIELDS, dotted_root=False)
        self._basis = _Basis(rulebook, matcher, silenced(rulebook.rules, rulebook.correlations), now)
        self._detector = HitDetector(rulebook)

    def explain(
        self, fields: Mapping[str, Any], names: Iterable[str] = (), place: Place | None = None, nearest: int = NEAREST
    ) -> Explained:
        """Explain a record by the rules of these ids; without any by those that match, and where it makes no hit by the
        nearest of the others.

        Raises RecursionError for a record that is nested more deeply than any of AWS, as the detector refuses it.
        """
        basis = self._basis
        index, account = (place.index, classify_key(place.key).account) if place else (0, "")
        record = make_record(fields, index, account)
        facts = facts_of(record, basis.rulebook.trusted_accounts)
        judged = _Judged(basis, record, facts)
        hit = self._detector.detect_record(fields, basis.now, place)
        asked = frozenset(names)
        if asked:
            chosen = [judged.rule(rule) for rule in basis.rulebook.rules if rule.rule_id in asked]
        else:
            chosen = judged.matched_and_nearest(0 if hit else nearest)
        return Explained(record, facts, bool(basis.matcher.candidates(fields)), tuple(chosen), hit)


@dataclass(frozen=True, slots=True)
class _Basis:
    """What records are explained by."""

    rulebook: Rulebook
    matcher: Matcher
    silenced: frozenset[str]
    now: str


class _Judged:
    """One record under the rules, decided."""

    def __init__(self, basis: _Basis, record: Record, facts: Facts) -> None:
        self._basis, self._rulebook, self._record, self._facts = basis, basis.rulebook, record, facts
        self._roots: Roots = (record.fields, {"facts": facts.as_fields()})
        candidates = basis.matcher.candidates(record.fields)
        self._candidates = {one.rule.rule_id for one in candidates}
        found = matching(candidates, record.fields, facts.as_fields(), basis.now[:10])
        self._matches = {match.rule.rule_id: match for match in found}
        self._repeated = {
            match.rule.rule_id for match in found if record.repeats and not asks_for(match.rule.detection, REPEATS)
        }
        heard = [match for match in found if not self._is_unheard(match.rule)]
        self._primary = primary(heard) if heard else None

    def matched_and_nearest(self, nearest: int) -> list[RuleExplained]:
        """Rules that match, strongest first, but those that only look for undos; then the nearest of the others."""
        matched = [self.rule(match.rule) for match in self._matches.values() if not match.rule.undoes]
        if not nearest:
            return matched
        others = [rule for rule in self._rulebook.rules if rule.rule_id not in self._matches and not rule.undoes]
        return [*matched, *self._nearest(others, nearest)]

    def _nearest(self, rules: Sequence[Rule], most: int) -> list[RuleExplained]:
        """Those about the same call first, then the same service, by the fewest tests that stand against them."""
        source, name = (str(self._record.fields.get(member, "")).lower() for member in GATE_FIELDS)
        related = []
        for rule in rules:
            sources, names = (rule.gate.get(member, ()) for member in GATE_FIELDS)
            same_name, same_source = name in names, source in sources
            if rule.rule_id in self._candidates or same_name or same_source:
                explained = self.rule(rule)
                rank = 0 if rule.rule_id in self._candidates else 1 if same_name else 2
                related.append(((rank, explained.condition.short_by, rule.strength), explained))
        related.sort(key=lambda one: one[0])
        return [explained for _, explained in related[:most]]

    def rule(self, rule: Rule) -> RuleExplained:
        """One rule, explained."""
        match = self._matches.get(rule.rule_id)
        exceptions = []
        if match:
            for one in rule.exceptions:
                condition = explain(one.detection, self._roots)
                exceptions.append(ExceptionExplained(one, one.expires >= self._basis.now[:10], condition))
        standing = self._standing(rule)
        counted = [one.rule.name for one in self._rulebook.correlations if match and rule.rule_id in one.rules]
        outranked = standing is Standing.ALSO and self._primary
        return RuleExplained(
            rule=rule,
            standing=standing,
            gate=() if rule.rule_id in self._candidates else tuple(self._gate_faults(rule)),
            condition=explain(rule.detection, self._roots),
            exceptions=tuple(exceptions),
            outranked_by=outranked.rule.name if outranked else "",
            counted_by=tuple(counted),
            level=level_of(rule, self._facts, self._rulebook.automation_roles, self._record.event_name),
        )

    def _standing(self, rule: Rule) -> Standing:
        match = self._matches.get(rule.rule_id)
        if not match:
            return Standing.NO_MATCH
        if rule.rule_id in self._repeated:
            return Standing.REPEATED
        if rule.rule_id == CANARY_RULE_ID:
            return Standing.CANARY
        if self._is_unheard(rule):
            return Standing.SILENT
        if match.muted_by:
            return Standing.MUTED
        return Standing.PRIMARY if match is self._primary else Standing.ALSO

    def _is_unheard(self, rule: Rule) -> bool:
        return rule.is_silent or rule.rule_id in self._basis.silenced or rule.rule_id in self._repeated

    def _gate_faults(self, rule: Rule) -> Iterable[GateFault]:
        for member in GATE_FIELDS:
            wanted, value = rule.gate.get(member), self._record.fields.get(member)
            if wanted is not None and not (isinstance(value, str) and value.lower() in wanted):
                yield GateFault(member, value, wanted)
