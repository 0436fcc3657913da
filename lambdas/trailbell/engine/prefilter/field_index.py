"""A column is one field with all the tests that rules put on it: from a header to the tests that hold.

Equality is looked up, a searched text by four of its characters, and only what is left is tried one by one;
what a value leads to is remembered. So the cost hardly grows with the number of tests.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from trailbell.engine.condition import Node, compile_node
from trailbell.engine.fields import members, text_of


_MAX_REMEMBERED = 4096
_MAX_TEXT = 512
_GRAM = 4
_SEARCHES = ("contains", "prefix", "suffix")

Check = Callable[[list[Any]], bool]


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that follows from some texts of a record ("" where there is none).

    paths:    where the texts stand.
    possible: from these texts to the values the field may have; none at all means that it cannot be said.
    whole:    of each path the record's member is what counts: `possible` gets it if it is a list or a text, else None.
    """

    paths: tuple[str, ...]
    possible: Callable[..., tuple[Any, ...]]
    whole: bool = False


class Column:
    """One field's tests, by number.

    alternatives: from a header to what the field's values may be, a list for each possibility; none at all
    means that it cannot be said, and every test holds. get: an operator.attrgetter whose results decide those.
    """

    __slots__ = ("_alternatives", "_numbers", "_remembered", "_tests", "get", "known")

    def __init__(
        self, alternatives: Callable[[Any], Sequence[list[Any]]], get: Callable[[Any], Any] | None = None
    ) -> None:
        self._alternatives, self.get = alternatives, get
        self._numbers: dict[str, int] = {}
        self._tests = _Tests()
        self._remembered: dict[Any, tuple[int, ...]] = {}
        self.known = self._remembered.get

    def add(self, name: str, node: Node) -> int:
        """The number of a test: a tree that looks at this field alone, and a name that no other tree has."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._numbers)
            self._tests.add(number, node)
            self._remembered.clear()
        return number

    def __call__(self, header: Any) -> tuple[int, ...]:
        """The tests that hold, or may hold, for a header: those `known` has for what `get` gives, if it has any."""
        found = self.look(header)
        if self.get:
            try:
                given = self.get(header)
                hash(given)
            except (AttributeError, TypeError):  # not the objects they mostly are; lists, which cannot be remembered
                return found
            if _is_short(given):
                if len(self._remembered) >= _MAX_REMEMBERED:
                    self._remembered.clear()
                self._remembered[given] = found
        return found

    def look(self, header: Any) -> tuple[int, ...]:
        """The same, without remembering it."""
        possible = self._alternatives(header)
        if not possible:
            return tuple(self._numbers.values())
        found = set().union(*map(self._tests.holding, possible))
        return tuple(found)


class _Tests:
    """Tests of one field's values, by number."""

    def __init__(self) -> None:
        self._equal: dict[str, list[int]] = {}
        self._searched: dict[str, list[tuple[int, Check]]] = {}
        self._tried: list[tuple[int, Check]] = []

    def add(self, number: int, node: Node) -> None:
        match node:
            case ["field", _, ["eq", text]]:
                self._equal.setdefault(text, []).append(number)
            case ["field", _, ["in", texts]]:
                for text in set(texts):
                    self._equal.setdefault(text, []).append(number)
            case ["field", _, [kind, text]] if kind in _SEARCHES and len(text) >= _GRAM:
                gram = min(_grams(text), key=lambda gram: (len(self._searched.get(gram, ())), gram))
                self._searched.setdefault(gram, []).append((number, _check(node)))
            case _:
                self._tried.append((number, _check(node)))

    def holding(self, values: list[Any]) -> set[int]:
        """The tests that hold for a field with these values."""
        found = {number for number, holds in self._tried if holds(values)}
        for value in members(values) if self._equal or self._searched else ():
            text = text_of(value)
            if text is not None:
                text = text.lower()
                found.update(self._equal.get(text, ()))
            elif value is not None:  # an object: searches look into it as well
                found.update(number for tests in self._searched.values() for number, holds in tests if holds(values))
            if text and self._searched:
                for gram in self._searched.keys() & _grams(text):
                    found.update(number for number, holds in self._searched[gram] if holds(values))
        return found


def _grams(text: str) -> set[str]:
    return {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}


def _check(node: Node) -> Check:
    """A tree that looks at one field alone, as a function of that field's values."""
    return compile_node(node, lambda path: _itself)


def _itself(values: list[Any]) -> list[Any]:
    return values


def _is_short(given: Any) -> bool:
    """Whether values are worth remembering: short texts and what is missing, never numbers (1 equals True)."""
    values: Iterable[Any] = given if isinstance(given, tuple) else (given,)
    return all(
        len(value) <= _MAX_TEXT if isinstance(value, str | bytes) else not isinstance(value, int | float)
        for value in values
    )
