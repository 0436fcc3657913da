"""Tests that look at the values of one field: from a test of the rulebook to a function, which cannot raise.

Tests are JSON lists there (rulebook/compile.py makes them):

    ["eq"|"prefix"|"suffix"|"contains", text, cased]   ["in", [text, …]]       ["glob", [text|0|1, …], cased]
    ["any"]  ["null"]  ["exists", bool]                ["number", n]           ["compare", operator, n]
    ["cidr", network]   ["timepart", part, operator, n]                        ["re", pattern, flags]

In a glob 0 stands for any run of characters and 1 for exactly one; both match line breaks. Text that is
not cased is already lower-cased in the rulebook. Sigma specification 2.1, "Modifiers" and "Wildcards".
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from trailbell.engine.fields import json_text, leaves, members, text_of


ValueTest = Callable[[list[Any]], bool]
"""Decides on a field's values, and sees nothing else."""

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_TIME_PARTS: dict[str, Callable[[datetime], int]] = {
    "minute": lambda time: time.minute,
    "hour": lambda time: time.hour,
    "day": lambda time: time.day,
    "week": lambda time: time.isocalendar().week,
    "month": lambda time: time.month,
    "year": lambda time: time.year,
}


def _any_text(decide: Callable[[str], bool]) -> ValueTest:
    def test(values: list[Any]) -> bool:
        for value in values:
            if isinstance(value, str):  # the usual value, decided on without more ado
                if decide(value):
                    return True
            elif any(text is not None and decide(text) for text in map(text_of, members([value]))):
                return True
        return False

    return test


def _folded(text: str, cased: bool, decide: Callable[[str, str], bool]) -> Callable[[str], bool]:
    if cased:
        return lambda value: decide(value, text)
    return lambda value: decide(value.lower(), text)


def _eq(text: str, cased: bool = False) -> ValueTest:
    otherwise = _any_text(_folded(text, cased, operator.eq))

    def test(values: list[Any]) -> bool:
        if len(values) == 1:  # the usual test of the usual value, decided without a call
            value = values[0]
            if isinstance(value, str):
                return (value if cased else value.lower()) == text
            if isinstance(value, bool):  # most of what is derived
                return ("true" if value else "false") == text
        return otherwise(values)

    return test


def _prefix(text: str, cased: bool = False) -> ValueTest:
    return _any_text(_folded(text, cased, str.startswith))


def _suffix(text: str, cased: bool = False) -> ValueTest:
    return _any_text(_folded(text, cased, str.endswith))


def _contains(text: str, cased: bool = False) -> ValueTest:
    return _any_text_or_object(_folded(text, cased, operator.contains))


def _any_text_or_object(decide: Callable[[str], bool]) -> ValueTest:
    """Searching tests look into objects as well: at each leaf, and at the object's compact JSON."""

    def test(values: list[Any]) -> bool:
        for value in members(values):
            text = value if isinstance(value, str) else text_of(value)
            if text is not None:
                if decide(text):
                    return True
            elif isinstance(value, dict) and (
                any(decide(text_of(leaf) or "") for leaf in leaves(value)) or decide(json_text(value))
            ):
                return True
        return False

    return test


def _in(texts: Sequence[str]) -> ValueTest:
    allowed = frozenset(texts)
    return _any_text(lambda value: value.lower() in allowed)


def _glob(parts: Sequence[str | int], cased: bool = False) -> ValueTest:
    tokens: list[str | int] = []
    for part in parts:
        tokens.extend(part if isinstance(part, str) else [part])

    def decide(value: str) -> bool:
        return _glob_matches(tokens, value if cased else value.lower())

    searching = bool(parts) and parts[0] == 0 and parts[-1] == 0
    return _any_text_or_object(decide) if searching else _any_text(decide)


def _glob_matches(tokens: Sequence[str | int], text: str) -> bool:
    """Greedy matching with one step back to the last `*`: at worst len(tokens) * len(text), never more."""
    token = position = 0
    star = resume = -1
    while position < len(text):
        if token < len(tokens) and tokens[token] == 0:
            star, resume, token = token, position, token + 1
        elif token < len(tokens) and tokens[token] in (1, text[position]):
            token, position = token + 1, position + 1
        elif star >= 0:
            resume += 1
            token, position = star + 1, resume
        else:
            return False
    return all(rest == 0 for rest in tokens[token:])


def _any() -> ValueTest:
    return lambda values: any(value is not None for value in members(values))


def _null() -> ValueTest:
    return lambda values: not values or any(value is None for value in values)


def _exists(expected: bool) -> ValueTest:
    return lambda values: bool(values) is expected


def _number(number: float) -> ValueTest:
    text = str(number)

    def test(values: list[Any]) -> bool:
        return any(
            value == (text if isinstance(value, str) else number)
            for value in members(values)
            if isinstance(value, str | int | float) and not isinstance(value, bool)
        )

    return test


def _compare(name: str, number: float) -> ValueTest:
    compare = _OPERATORS[name]

    def test(values: list[Any]) -> bool:
        numbers = map(_as_number, members(values))
        return any(value is not None and compare(value, number) for value in numbers)

    return test


def _as_number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= 64 and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return None


def _cidr(cidr: str) -> ValueTest:
    network = ipaddress.ip_network(cidr)

    def decide(value: str) -> bool:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:  # sourceIPAddress is also "AWS Internal" or a service's name
            return False
        return address.version == network.version and address in network

    return _any_text(decide)


def _timepart(part: str, name: str, number: int) -> ValueTest:
    take, compare = _TIME_PARTS[part], _OPERATORS[name]

    def decide(value: str) -> bool:
        try:
            return compare(take(datetime.fromisoformat(value)), number)
        except ValueError:
            return False

    return _any_text(decide)


def _re(pattern: str, flags: str) -> ValueTest:
    """Unanchored search in RE2, whose time is linear in the text: Python's re can be stalled by a user agent.

    https://github.com/google/re2/wiki/WhyRE2
    """

    @cache  # when a value is first looked at: of the rules for a record few get that far, and RE2 takes its time
    def search() -> Callable[[str], object]:
        import re2

        return re2.compile(f"(?{flags}){pattern}" if flags else pattern).search

    def decide(value: str) -> bool:
        return search()(value.encode("utf-8", "replace").decode("utf-8")) is not None  # RE2 takes no lone surrogates

    return _any_text_or_object(decide)


VALUE_TESTS: dict[str, Callable[..., ValueTest]] = {
    "eq": _eq,
    "prefix": _prefix,
    "suffix": _suffix,
    "contains": _contains,
    "in": _in,
    "glob": _glob,
    "any": _any,
    "null": _null,
    "exists": _exists,
    "number": _number,
    "compare": _compare,
    "cidr": _cidr,
    "timepart": _timepart,
    "re": _re,
}
"""Every kind of such a test, by its name in the rulebook. Partial evaluation and the prefilter decide them early."""
