"""The operations that rules report at level high or above when they succeed: denied attempts at them are notified.

They are worked out from the compiled rules and fill placeholders, so that no list of them is typed anywhere and a
rule that is added is covered. Each is one text, kms.amazonaws.com:disablekey (facts.operation), so pairs stay pairs.
Most denied calls have no request. Of one that has, it can be said exactly whether its success would have been high:
that is what the rules themselves say when the outcome is left out of them (WOULD_BE_HIGH).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.engine.condition import ValueTests, conjuncts, simplify
from trailbell.engine.rulebook import Level, Rule
from trailbell.rulebook.compile import Node, gate_of


HIGH, HIGH_ON_RESOURCE, RESOURCES = "high_operations", "high_operations_on_resource", "high_resources"
"""The placeholders: operations whose name says enough, those that are high on some resources only, and the names of
such resources, as far as rules spell them out."""

BEGINNINGS = "high_operation_beginnings"
"""A further placeholder: beginnings of operations that are high on some resources only. Lambda writes a version behind
the name (DeleteFunction20150331), so rules name only how it begins."""

WOULD_BE_HIGH = "facts.would_be_high"
"""No fact: a rule says `facts.would_be_high: true`, and the conditions of all high rules take its place."""

_NAMING = frozenset(f"requestParameters.{member}" for member in ("name", "settingId"))
"""Members of a request whose value an access-denied message repeats in the resource's ARN."""

_FOREIGN_KEY = ("facts.external_keys", "facts.key_external")

_SUCCESS: Mapping[str, list[Any]] = {"facts.outcome": ["success"], "errorCode": []}
_SOURCE, _NAME = GATE_FIELDS
_Values = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Calls:
    """Event sources and names that go together, None for any; or how a name begins."""

    sources: _Values = None
    names: _Values = None
    beginning: str = ""


def asks_for_high_operations(content: Mapping[str, Any]) -> bool:
    """Whether a rule document can only be compiled when the others are."""
    detection = str(content.get("detection"))
    return any(name in detection for name in (f"%{HIGH}", f"%{BEGINNINGS}", WOULD_BE_HIGH))


def would_be_high(rule: Rule, rules: Iterable[Rule]) -> Rule:
    """The rule with what the other rules ask of a success in place of WOULD_BE_HIGH, operation by operation."""
    asked: dict[str, tuple[Sequence[Any] | bool, set[str]]] = {}
    for operation, left in _all_left(rules):
        asked.setdefault(repr(left), (left, set()))[1].add(operation)
    conditions: Node = ["or", [_condition(left, operations) for left, operations in asked.values()]]
    detection = _replaced(rule.detection, conditions)
    return replace(rule, detection=detection, gate=gate_of(detection))


def _condition(left: Sequence[Any] | bool, operations: Iterable[str]) -> Node:
    one_of: Node = ["field", "facts.operation", ["in", sorted(operations)]]
    return one_of if isinstance(left, bool) else ["and", [one_of, list(left)]]


def _replaced(node: Node, conditions: Node) -> Node:
    match node:
        case ["field", path, _] if path == WOULD_BE_HIGH:
            return conditions
        case ["and" | "or" as kind, parts]:
            return [kind, [_replaced(part, conditions) for part in parts]]
        case ["not", part]:
            return ["not", _replaced(part, conditions)]
    return node


def high_operations(rules: Iterable[Rule], watched: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """The placeholders' values. A rule that cannot match a success, or names no operation, adds nothing.

    watched: event sources whose operations are all classed (coverage.csv). There an operation counts also where the
    rule looks at the request, which a denied call does not have. It is high on a resource only if the rule spells
    the resource's name out (the document of session preferences), or if it is another service's: a bucket policy is
    high on the bucket of the trail.
    """
    rules = tuple(rules)
    found: dict[str, set[str]] = {name: set() for name in (HIGH, HIGH_ON_RESOURCE, RESOURCES, BEGINNINGS)}
    for operation, left in _all_left(rules):
        resources = set() if left is True else set(_resources(left))
        watches = operation.partition(":")[0] in watched
        by_name = left is True or (watches and not resources and not _is_everyday(left))
        found[HIGH if by_name else HIGH_ON_RESOURCE].add(operation)
        found[RESOURCES] |= resources
    found[HIGH_ON_RESOURCE] -= found[HIGH]
    found[BEGINNINGS] |= {
        f"{source}:{calls.beginning}"
        for rule in _counted(rules)
        for calls in _calls(rule.detection)
        for source in (calls.sources or () if calls.beginning else ())
    }
    return {name: tuple(sorted(values)) for name, values in found.items()}


def _counted(rules: Iterable[Rule]) -> Iterator[Rule]:
    """The rules of level high and critical that can match a success."""
    tests = ValueTests()
    return (
        rule for rule in rules if rule.level >= Level.HIGH and simplify(rule.detection, _SUCCESS, tests) is not False
    )


def _all_left(rules: Iterable[Rule]) -> Iterator[tuple[str, Sequence[Any] | Literal[True]]]:
    """Every operation that a rule names, with what the rule still asks of a success; True if nothing."""
    tests = ValueTests()
    for rule in _counted(rules):
        for source, name in sorted(set(_pairs(rule.detection))):  # one order, or no two synths give one rulebook
            left = _left(rule, source, name, tests)
            if left is not False:
                yield f"{source}:{name}", True if left is True else left


def _left(rule: Rule, source: str, name: str, tests: ValueTests) -> Sequence[Any] | bool:
    """What a rule still asks of a success of one operation."""
    known: dict[str, list[Any]] = {
        **_SUCCESS,
        "facts.direct": [True],
        _SOURCE: [source],
        _NAME: [name],
        "facts.operation": [f"{source}:{name}"],
    }
    return simplify(rule.detection, known, tests)


def _is_everyday(node: Sequence[Any]) -> bool:
    """Whether the operation is everyday work, but for a key of another account that its request names."""
    return any(part[0] == "field" and part[1] in _FOREIGN_KEY for part in conjuncts(node))


def _resources(node: Sequence[Any]) -> Iterator[str]:
    """The names of resources without which a tree cannot match."""
    for part in conjuncts(node):
        match part:
            case ["field", path, ["eq" | "prefix" | "suffix" | "contains", text, *_]] if path in _NAMING:
                yield text
            case ["field", path, ["in", values]] if path in _NAMING:
                yield from values
            case ["and", _]:
                yield from _resources(part)


def _pairs(node: Node) -> Iterator[tuple[str, str]]:
    for calls in _calls(node):
        for source in calls.sources or ():
            for name in calls.names or ():
                yield source, name


def _calls(node: Node) -> set[_Calls]:
    """Alternatives of which one must hold for a tree to match."""
    match node:
        case ["field", path, ["eq", text]] if path in GATE_FIELDS or path == "facts.operation":
            return _named(path, [text])
        case ["field", path, ["in", values]] if path in GATE_FIELDS or path == "facts.operation":
            return _named(path, values)
        case ["field", path, ["prefix", text]] if path == _NAME:
            return {_Calls(beginning=text)}
        case ["or", parts]:
            return {calls for part in parts for calls in _calls(part)}
        case ["and", parts]:
            joined = {_Calls()}
            for part in parts:
                other = _calls(part)
                joined = {_both(one, two) for one in joined for two in other}
            return joined
    return {_Calls()}


def _named(path: str, values: Iterable[str]) -> set[_Calls]:
    if path == _SOURCE:
        return {_Calls(sources=frozenset(values))}
    if path == _NAME:
        return {_Calls(names=frozenset(values))}
    split = (value.partition(":") for value in values)
    return {_Calls(frozenset({source}), frozenset({name})) for source, _, name in split}


def _both(one: _Calls, two: _Calls) -> _Calls:
    sources, names = _common(one.sources, two.sources), _common(one.names, two.names)
    return _Calls(sources, names, one.beginning or two.beginning)


def _common(one: _Values, two: _Values) -> _Values:
    if one is None or two is None:
        return two if one is None else one
    return one & two
