"""A column is one field with all the tests that rules put on it: from a header to the rules whose tests hold.

Equality is looked up, everything else is tried once for each value and then remembered.
"""

from collections.abc import Callable, Iterable, Sequence
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
    absent = tests.holding([])

    def look(header: Any) -> tuple[int, ...]:
        values = find(header)
        return tests.holding(values) if values else absent

    return look


def derived_column(derived: Derived, finders: Sequence[Callable[[Any], str]], tests: Tests) -> Column:
    """The column of a derived field; finders: from a header to each of the texts the field follows from."""

    def look(header: Any) -> tuple[int, ...]:
        values = derived.possible(*[find(header) for find in finders])
        return tuple({number for value in values for number in tests.holding([value])}) if values else tests.all

    return look


def remembering(column: Column, get: Callable[[Any], Any]) -> Column:
    """The same column, asked once for all headers of which `get` (operator.attrgetter) gives the same."""
    remembered: dict[Any, tuple[int, ...]] = {}
    known = remembered.get

    def look(header: Any) -> tuple[int, ...]:
        try:
            given = get(header)
            found = known(given)
        except (AttributeError, TypeError):  # not the objects they mostly are; lists, which cannot be remembered
            return column(header)
        if found is None:
            found = column(header)
            if len(remembered) >= _MAX_REMEMBERED:
                remembered.clear()
            if _is_short(given):
                remembered[given] = found
        return found

    return look


def _is_short(given: Any) -> bool:
    """Whether values are worth remembering: short texts and what is missing, never numbers (1 equals True)."""
    values = given if isinstance(given, tuple) else (given,)
    return all(
        len(value) <= _MAX_TEXT if isinstance(value, str) else not isinstance(value, int | float) for value in values
    )


def _itself(values: list[Any]) -> list[Any]:
    return values
