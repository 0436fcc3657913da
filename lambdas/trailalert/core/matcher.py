"""The matcher tells which rules an event matches; rules that cannot match it are not even looked at.

Rules are found by their gate: the values of a few fields (for CloudTrail eventSource and eventName) without
which the rule cannot match. The engine knows neither CloudTrail nor what is derived from an event.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailalert.core.predicates import Roots, compile_finder, compile_keyword, compile_test
from trailalert.core.rulebook import Rule, RuleException


GATE_FIELDS = ("eventSource", "eventName")
"""Top-level fields whose values the index is built on."""

_MAX_PLANS = 4096  # distinct (eventSource, eventName) pairs kept; an account shows a few hundred
_MAX_GATE_TEXT = 256

Predicate = Callable[[Roots], bool]


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule and the functions that decide on it and on its exceptions."""

    rule: Rule
    decide: Predicate
    exceptions: tuple[tuple[RuleException, Predicate], ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that an event matches, and the exception that mutes it, if one does."""

    rule: Rule
    muted_by: RuleException | None = None


class Matcher:
    """Compiled rules, indexed. Immutable in effect; building one never fails on a loaded rulebook."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        ordered = sorted(rules, key=lambda rule: rule.strength)
        self._rules = tuple(map(_compiled, ordered))
        self._plans: dict[tuple[str, ...], tuple[CompiledRule, ...]] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, strongest first."""
        return tuple(compiled.rule for compiled in self._rules)

    def candidates(self, event: Mapping[str, Any]) -> tuple[CompiledRule, ...]:
        """The rules whose gate this event passes, strongest first; none means the event is not watched."""
        values = tuple(event.get(name) for name in GATE_FIELDS)
        if not all(isinstance(value, str) and len(value) <= _MAX_GATE_TEXT for value in values):
            return self._rules  # missing or odd: let every rule decide for itself
        key = tuple(str(value).lower() for value in values)
        plan = self._plans.get(key)
        if plan is None:
            plan = tuple(compiled for compiled in self._rules if _passes(compiled.rule, key))
            if len(self._plans) < _MAX_PLANS:
                self._plans[key] = plan
        return plan


def matching(
    candidates: Sequence[CompiledRule], event: Mapping[str, Any], facts: Mapping[str, Any], today: str
) -> list[Match]:
    """The candidates that the event matches, strongest first.

    facts: what rules address under `facts.`; today: yyyy-mm-dd, decides which exceptions still work.
    """
    roots: Roots = (event, {"facts": facts})
    return [Match(one.rule, _muting(one, roots, today)) for one in candidates if one.decide(roots)]


def _muting(compiled: CompiledRule, roots: Roots, today: str) -> RuleException | None:
    """The first exception in force whose condition, which says what still alerts, does not hold."""
    for exception, still_alerts in compiled.exceptions:
        if exception.expires >= today and not still_alerts(roots):
            return exception
    return None


def _compiled(rule: Rule) -> CompiledRule:
    exceptions = tuple((exception, compile_node(exception.detection)) for exception in rule.exceptions)
    return CompiledRule(rule, compile_node(rule.detection), exceptions)


def _passes(rule: Rule, key: tuple[str, ...]) -> bool:
    return all(value in rule.gate[name] for name, value in zip(GATE_FIELDS, key, strict=True) if name in rule.gate)


def compile_node(node: Sequence[Any]) -> Predicate:
    """The function for a node of a rule's detection tree."""
    kind, *arguments = node
    match kind:
        case "and":
            parts = [compile_node(part) for part in arguments[0]]
            return lambda roots: all(part(roots) for part in parts)
        case "or":
            parts = [compile_node(part) for part in arguments[0]]
            return lambda roots: any(part(roots) for part in parts)
        case "not":
            inner = compile_node(arguments[0])
            return lambda roots: not inner(roots)
        case "field":
            find, test = compile_finder(arguments[0]), compile_test(arguments[1])
            return lambda roots: test(find(roots), roots)
        case "keyword":
            return compile_keyword(arguments[0])
    raise ValueError(f"rulebook node of unknown kind {kind!r}: synthesise again with this version")
