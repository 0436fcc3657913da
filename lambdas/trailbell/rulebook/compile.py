"""pySigma's syntax tree becomes the rulebook's detection tree; what cannot be run exactly is refused here.

pySigma has already applied the modifiers: what arrives are fields, values and and/or/not.
Sigma specification 2.1: https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-rules-specification.md
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, product
from math import prod
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
    SigmaCondition,
)
from sigma.exceptions import SigmaError
from sigma.modifiers import SigmaWideModifier, modifier_mapping
from sigma.rule import SigmaRule
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.rulebook.placeholders import Placeholders


Node = list[Any]
Parts = list[str | int]

_WILDCARDS = {SpecialChars.WILDCARD_MULTI: 0, SpecialChars.WILDCARD_SINGLE: 1}
_MAX_COMBINATIONS = 100_000
NEVER: Node = ["or", []]
"""A tree that matches nothing: what is left of a placeholder whose setting is an empty list."""

# The specification's name for what pySigma knows as `wide` only.
modifier_mapping.setdefault("utf16le", SigmaWideModifier)


class UnsupportedError(Exception):
    """A construct that would not be evaluated exactly; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles detections; `placeholders` fills `|expand`."""

    placeholders: Placeholders

    def detection(self, rule: SigmaRule) -> Node:
        """The detection tree of a parsed rule; several conditions are alternatives.

        Raises UnsupportedError, also for a condition that does not parse.
        """
        conditions = [self._node(_parsed(condition)) for condition in rule.detection.parsed_condition]
        return conditions[0] if len(conditions) == 1 else ["or", conditions]

    def _node(self, item: Any) -> Node:
        match item:
            case ConditionAND():
                return _joined("and", [self._node(part) for part in item.args])
            case ConditionOR():
                return _joined("or", _fused([self._node(part) for part in item.args]))
            case ConditionNOT():
                return ["not", self._node(item.args[0])]
            case ConditionFieldEqualsValueExpression():
                return self._field(item.field, item.value)
            case ConditionValueExpression():
                return self._keyword(item.value)
        raise UnsupportedError(f"condition element {type(item).__name__} is not supported")

    def _field(self, path: str, value: Any) -> Node:
        if "[" in path:
            raise UnsupportedError(f"field {path!r}: brackets are reserved by Sigma 3; name the field without an index")
        tests = [["field", path, test] for test in self._tests(value)]
        return _joined("or", _fused(tests)) if tests else NEVER

    def _keyword(self, value: Any) -> Node:
        """A keyword is found anywhere inside a scalar, so wildcards stand around it."""
        if isinstance(value, SigmaExpansion):
            return _joined("or", [self._keyword(one) for one in value.values])
        if isinstance(value, SigmaString):
            cased = isinstance(value, SigmaCasedString)
            tests = [_text_test([0, *parts, 0], cased) for parts in self._expanded(value)]
        elif isinstance(value, SigmaNumber):
            tests = [["contains", str(value.number)]]
        else:
            tests = self._tests(value)
        return _joined("or", [["keyword", test] for test in tests]) if tests else NEVER

    def _tests(self, value: Any) -> list[Node]:
        """The alternatives a value stands for."""
        if isinstance(value, SigmaExpansion):
            return [test for one in value.values for test in self._tests(one)]
        if isinstance(value, SigmaString):
            cased = isinstance(value, SigmaCasedString)
            return [_text_test(parts, cased) for parts in self._expanded(value)]
        for kind, build in _TESTS:
            if isinstance(value, kind):
                return [build(value)]
        raise UnsupportedError(f"value of type {type(value).__name__} is not supported")

    def _expanded(self, value: SigmaString) -> Iterable[Parts]:
        """A string's parts, once for each combination of its placeholders' values."""
        choices: list[list[Parts]] = []
        for part in value.s:
            if isinstance(part, Placeholder):
                if part.name not in self.placeholders:
                    known = ", ".join(sorted(self.placeholders)) or "none"
                    raise UnsupportedError(f"placeholder %{part.name}% is unknown; known: {known}")
                choices.append([_pattern(one) for one in self.placeholders[part.name]])
            else:
                choices.append([[part if isinstance(part, str) else _WILDCARDS[part]]])
        count = prod(map(len, choices))
        if count > _MAX_COMBINATIONS:
            raise UnsupportedError(f"a value whose placeholders stand for {count} texts; at most {_MAX_COMBINATIONS}")
        return [_merged(chain.from_iterable(parts)) for parts in product(*choices)]


def gate_of(node: Node) -> dict[str, tuple[str, ...]]:
    """Values a record must have for the tree to match, per gate field (the matcher's index)."""
    found = {name: _gate(node, name) for name in GATE_FIELDS}
    return {name: tuple(sorted(values)) for name, values in found.items() if values is not None}


def _gate(node: Node, name: str) -> set[str] | None:
    """The values one field must have; None if the tree can match without."""
    match node:
        case ["field", "facts.operation", ["eq", text]]:
            return {part_of_operation(text, name)}
        case ["field", "facts.operation", ["in", values]]:
            return {part_of_operation(text, name) for text in values}
        case ["field", "facts.operation", ["prefix", text]] if name == GATE_FIELDS[0] and ":" in text:
            return {part_of_operation(text, name)}
        case ["field", path, ["eq", text]] if path == name:
            return {text}
        case ["field", path, ["in", values]] if path == name:
            return set(values)
        case ["and", parts]:
            sets = [values for part in parts if (values := _gate(part, name)) is not None]
            return set.intersection(*sets) if sets else None
        case ["or", parts]:
            alternatives = [_gate(part, name) for part in parts]
            return None if None in alternatives else set().union(*(values or () for values in alternatives))
    return None


def part_of_operation(operation: str, name: str) -> str:
    """What a gate field is in an operation as facts.operation writes it (kms.amazonaws.com:DisableKey)."""
    return dict(zip(GATE_FIELDS, operation.split(":", 1), strict=False)).get(name, "")


def _parsed(condition: SigmaCondition) -> Any:
    try:
        return condition.parsed
    except SigmaError as error:
        raise UnsupportedError(f"condition {condition.condition!r}: {error}") from None


def _joined(kind: str, parts: list[Node]) -> Node:
    flat = [inner for part in parts for inner in (part[1] if part[0] == kind else [part])]
    return flat[0] if len(flat) == 1 else [kind, flat]


def _fused(parts: list[Node]) -> list[Node]:
    """`a: [x, y, z]` arrives as three alternatives; as one set it costs one look-up."""
    texts: dict[str, list[str]] = {}
    for part in parts:
        match part:
            case ["field", path, ["eq", text]]:
                texts.setdefault(path, []).append(text)
    fused: list[Node] = []
    for part in parts:
        match part:
            case ["field", path, ["eq", _]] if len(texts[path]) > 1:
                whole = ["field", path, ["in", sorted(set(texts[path]))]]
                if whole not in fused:
                    fused.append(whole)
            case _:
                fused.append(part)
    return fused


def _pattern(setting: str) -> Parts:
    """A setting's value; `*` in it stands for any characters."""
    first, *others = setting.split("*")
    return [first, *(part for other in others for part in (0, other))]


def _merged(parts: Iterable[str | int]) -> Parts:
    """Neighbouring texts joined, as a placeholder leaves them."""
    merged: Parts = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def _text_test(parts: Parts, cased: bool) -> Node:
    """The plainest test for a string with wildcards."""
    if not cased:
        parts = [part.lower() if isinstance(part, str) else part for part in parts]
    parts = [part for at, part in enumerate(parts) if part != "" and not (part == 0 and at and parts[at - 1] == 0)]
    flag = [True] if cased else []
    match parts:
        case []:
            return ["eq", "", *flag]
        case [0]:
            return ["any"]
        case [str(text)]:
            return ["eq", text, *flag]
        case [str(text), 0]:
            return ["prefix", text, *flag]
        case [0, str(text)]:
            return ["suffix", text, *flag]
        case [0, str(text), 0]:
            return ["contains", text, *flag]
    return ["glob", parts, *flag]


def _compare(value: SigmaCompareExpression) -> Node:
    operator = value.op.name.lower()
    if isinstance(value.number, SigmaTimestampPart):
        return ["timepart", value.number.timestamp_part.name.lower(), operator, value.number.number]
    return ["compare", operator, value.number.number]


def _timepart(value: SigmaTimestampPart) -> Node:
    return ["timepart", value.timestamp_part.name.lower(), "eq", value.number]


def _fieldref(value: SigmaFieldReference) -> Node:
    how = {(False, False): "eq", (True, False): "prefix", (False, True): "suffix", (True, True): "contains"}
    return ["fieldref", value.field, how[value.starts_with, value.ends_with]]


def _number(value: SigmaNumber) -> Node:
    if isinstance(value.number, float) and abs(value.number) >= 2**53:
        raise UnsupportedError(f"number {value.number:.0f} is too large to be exact: write it in quotes")
    return ["number", value.number]


def _regex(value: SigmaRegularExpression) -> Node:
    """RE2's language (rulebook/lint.py refuses the rest): linear in the text, whatever the pattern."""
    return ["re", str(value.regexp), "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))]


# Subclasses stand before their base class.
_TESTS: Iterable[tuple[type, Callable[[Any], Node]]] = (
    (SigmaTimestampPart, _timepart),
    (SigmaNumber, _number),
    (SigmaBool, lambda value: ["eq", str(value.boolean).lower()]),
    (SigmaNull, lambda value: ["null"]),
    (SigmaExists, lambda value: ["exists", value.exists]),
    (SigmaCIDRExpression, lambda value: ["cidr", str(value.network)]),
    (SigmaCompareExpression, _compare),
    (SigmaFieldReference, _fieldref),
    (SigmaRegularExpression, _regex),
)
