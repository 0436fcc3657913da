"""A column is one field with all the tests that rules put on it: from a header to the rules whose tests hold.

Equality is looked up, everything else is tried once for each value and then remembered.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from trailalert.core.detection import Node, compile_node
from trailalert.core.values import members, text_of


_MAX_REMEMBERED = 8192
_MAX_TEXT = 256

Column = Callable[[Any], tuple[int, ...]]
"""From a header to the numbers of rules."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that follows from some texts of a record ("" where there is none).

    paths:    where the texts stand.
    possible: from these texts to the values the field may have; none at all means that it cannot be said.
    """

    paths: tuple[str, ...]
    possible: Callable[..., tuple[Any, ...]]


class Tests:
    """What rules (by number) ask of one field: for each a part of its condition that looks at nothing else."""

    def __init__(self, nodes: Iterable[tuple[int, Node]]) -> None:
        self._equal: dict[str, list[int]] = {}
        self._tried: list[tuple[int, Callable[[list[Any]], bool]]] = []
        numbers = []
        for number, node in nodes:
            numbers.append(number)
            match node:
                case ["field", _, ["eq", text]]:
                    self._equal.setdefault(text, []).append(number)
                case ["field", _, ["in", texts]]:
                    for text in set(texts):
                        self._equal.setdefault(text, []).append(number)
                case _:
                    self._tried.append((number, compile_node(node, lambda path: _itself)))
        self.all = tuple(numbers)

    def holding(self, values: list[Any]) -> tuple[int, ...]:
        """The rules whose part holds for a field with these values."""
        found = {number for number, holds in self._tried if holds(values)}
        if self._equal:
            for text in map(text_of, members(values)):
                if text is not None:
                    found.update(self._equal.get(text.lower(), ()))
        return tuple(found)


def plain_column(find: Callable[[Any], list[Any]], tests: Tests) -> Column:
    """The column of a field that stands in the record itself; find: from a header to its values."""
    remembered: dict[str, tuple[int, ...]] = {}
    absent = tests.holding([])

    def look(header: Any) -> tuple[int, ...]:
        values = find(header)
        if not values:
            return absent
        value = values[0]
        if len(values) > 1 or value.__class__ is not str or len(value) > _MAX_TEXT:
            return tests.holding(values)
        known = remembered.get(value)
        if known is None:
            if len(remembered) >= _MAX_REMEMBERED:
                remembered.clear()
            known = remembered[value] = tests.holding(values)
        return known

    return look


def derived_column(derived: Derived, texts: Callable[[Any], tuple[str, ...]], tests: Tests) -> Column:
    """The column of a derived field; texts: from a header to what the field follows from."""
    remembered: dict[tuple[str, ...], tuple[int, ...]] = {}

    def look(header: Any) -> tuple[int, ...]:
        given = texts(header)
        known = remembered.get(given)
        if known is None:
            if len(remembered) >= _MAX_REMEMBERED:
                remembered.clear()
            values = derived.possible(*given)
            known = tuple({number for value in values for number in tests.holding([value])}) if values else tests.all
            if sum(map(len, given)) <= _MAX_TEXT:
                remembered[given] = known
        return known

    return look


def _itself(values: list[Any]) -> list[Any]:
    return values
