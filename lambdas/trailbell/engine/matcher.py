"""The matcher finds the rules that an event matches; rules that cannot match it are not even looked at.

Rules are found by their gate: the values of two top-level fields without which a rule cannot match.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import Any

from trailbell.engine.condition import compile_node
from trailbell.engine.predicates import Predicate, Roots, compile_finder
from trailbell.engine.rulebook import Rule, RuleException
from trailbell.lazy_dataclass import dataclass


_MAX_GATES = 4096  # distinct pairs of values remembered; an account shows a few hundred
_MAX_GATE_TEXT = 256


class CompiledRule:
    """A rule and the functions that decide on it and on its exceptions, made when they are first needed.

    detection: what there is to decide, the rule's or what is left of it.
    """

    __slots__ = ("_decide", "_dotted_root", "_exceptions", "detection", "number", "rule")

    def __init__(self, rule: Rule, number: int, *, dotted_root: bool) -> None:
        self.rule, self.number, self._dotted_root = rule, number, dotted_root
        self.detection: Sequence[Any] = rule.detection
        self._decide: Predicate | None = None
        self._exceptions: tuple[tuple[RuleException, Predicate], ...] | None = None

    def decide(self, roots: Roots) -> bool:
        """Whether an event, with what is derived from it, matches the rule."""
        if self._decide is None:
            self._decide = self._compiled(self.detection)
        return self._decide(roots)

    def with_left(self, left: Sequence[Any]) -> "CompiledRule":
        """The same rule for an event of which all parts of the rule's condition are known to hold but some."""
        rule = CompiledRule(self.rule, self.number, dotted_root=self._dotted_root)
        rule.detection = ["and", left]
        return rule

    def muting(self, roots: Roots, today: str) -> RuleException | None:
        """The first exception in force (yyyy-mm-dd) whose condition, which says what still alerts, does not hold."""
        if self._exceptions is None:
            self._exceptions = tuple((one, self._compiled(one.detection)) for one in self.rule.exceptions)
        for exception, still_alerts in self._exceptions:
            if exception.expires >= today and not still_alerts(roots):
                return exception
        return None

    def _compiled(self, detection: Sequence[Any]) -> Predicate:
        return compile_node(detection, partial(compile_finder, dotted_root=self._dotted_root))


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that an event matches, and the exception that mutes it, if one does."""

    rule: Rule
    muted_by: RuleException | None = None


@dataclass(slots=True)
class _Index:
    """Rules by what their gate names: a value of the first field, one of the second alone, or nothing.

    sources: with the values of the second field, None for any. A rule of many values in both would be thousands of
    pairs, and a cold start would wait for them.
    """

    sources: dict[str, list[tuple[CompiledRule, frozenset[str] | None]]] = field(default_factory=dict)
    names: dict[str, list[CompiledRule]] = field(default_factory=dict)
    open: list[CompiledRule] = field(default_factory=list)

    def add(self, rule: CompiledRule, gate_fields: tuple[str, str]) -> None:
        sources, names = map(rule.rule.gate.get, gate_fields)
        if sources is not None:
            entry = (rule, None if names is None else frozenset(names))
            for source in sources:
                self.sources.setdefault(source, []).append(entry)
        elif names is not None:
            for name in names:
                self.names.setdefault(name, []).append(rule)
        else:
            self.open.append(rule)

    def passing(self, source: str, name: str) -> tuple[CompiledRule, ...]:
        of_source = [rule for rule, names in self.sources.get(source, ()) if names is None or name in names]
        return tuple(sorted((*of_source, *self.names.get(name, ()), *self.open), key=lambda rule: rule.number))


class Matcher:
    """Compiled rules, indexed; building one never fails on a loaded rulebook.

    gate_fields: the two top-level fields whose values the rules' gates are about.
    dotted_root: whether members of the event itself may hold dots (engine/fields.py); a log file's never do.
    """

    def __init__(self, rules: Sequence[Rule], gate_fields: tuple[str, str], *, dotted_root: bool = True) -> None:
        self.gate_fields = gate_fields
        ordered = sorted(rules, key=lambda rule: rule.strength)
        self.compiled = tuple(CompiledRule(rule, at, dotted_root=dotted_root) for at, rule in enumerate(ordered))
        """All rules, strongest first."""
        self._index = _Index()
        for rule in self.compiled:
            self._index.add(rule, gate_fields)
        self._gates: dict[tuple[object, object], tuple[CompiledRule, ...]] = {}

    def candidates(self, event: Mapping[str, Any]) -> tuple[CompiledRule, ...]:
        """The rules whose gate this event passes, strongest first; none means the event is not watched."""
        return self.passing(*map(event.get, self.gate_fields))

    def passing(self, source: object, name: object) -> tuple[CompiledRule, ...]:
        """The rules whose gate an event with these passes; values that are missing or odd open every gate."""
        if not (isinstance(source, str) and isinstance(name, str) and len(source) + len(name) <= _MAX_GATE_TEXT):
            return self.compiled  # let every rule decide for itself
        rules = self._gates.get((source, name))
        if rules is None:
            if len(self._gates) >= _MAX_GATES:
                self._gates.clear()
            rules = self._gates[source, name] = self._index.passing(source.lower(), name.lower())
        return rules


def matching(
    candidates: Sequence[CompiledRule], event: Mapping[str, Any], facts: Mapping[str, Any], today: str
) -> list[Match]:
    """The candidates that the event matches, strongest first.

    facts: what rules address under `facts.`; today: yyyy-mm-dd, decides which exceptions still work.
    """
    roots: Roots = (event, {"facts": facts})
    return [Match(one.rule, one.muting(roots, today)) for one in candidates if one.decide(roots)]
