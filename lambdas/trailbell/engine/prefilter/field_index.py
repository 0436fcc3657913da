"""A field index holds all tests that rules put on one field, and finds those that hold without trying each.

Equality is looked up, a searched text is found by four of its characters, and only what is left is tried test by
test; the result for a value is remembered. So the cost hardly grows with the number of tests.
"""

from collections.abc import Callable, Sequence
from typing import Any

from trailbell.engine.condition import Node, compile_node
from trailbell.engine.fields import members, text_of
from trailbell.engine.value_tests import ValueTest
from trailbell.lazy_dataclass import dataclass


_MAX_REMEMBERED = 2560 * 1024  # bytes, about, of all memos of a prefilter
_MAX_TEXT = 512
_ENTRY, _TEXT = 100, 50  # bytes beside a text's own: of a memo's entry and of each text in its key
_GRAM = 4
_SEARCHES = ("contains", "prefix", "suffix")


Possible = Sequence[list[Any]] | None
"""What a field's values may be, a list of values for each possibility; None if anything is possible."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A field that follows from some texts of an event ("" where there is none).

    paths:    where the texts are.
    possible: from these texts to the values the field may have; None if they do not narrow it down.
    whole:    what counts is the member that each path begins with: `possible` gets it if it is a list or a text, and
              None for anything else.
    by_json:  what counts is the text of these members, or of what the first two names lead to: `possible` gets each as
              JSON, b"" for what is missing or null; a string as it is; None where its text is not at hand. A value
              that it gives may be ABSENT.
    closer:   the same field by more of the event, which takes longer: asked of records for which a rule was found.
    usual:    the value of nearly all records, so that a rule is best found by another one; None if there is none.
    """

    paths: tuple[str, ...]
    possible: Callable[..., tuple[Any, ...] | None]
    whole: bool = False
    by_json: bool = False
    closer: "Derived | None" = None
    usual: Any = None


class Memo(dict[Any, Any]):
    """Answers by what decides them, as far as they are remembered. size: bytes, about."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        super().__init__()
        self.size = 0


class Memos:
    """All memos of a prefilter. Records hold any number of values: together they take no more than some bytes, and then
    all of them are forgotten.
    """

    def __init__(self) -> None:
        self._filled: dict[int, Memo] = {}
        self._size = 0

    def keep(self, memo: Memo, key: Any, answer: Any) -> None:
        """Remember an answer, unless its key is none to keep."""
        size = size_of(key)
        if not size:
            return
        if self._size + size > _MAX_REMEMBERED:
            for one in tuple(self._filled.values()):
                self.forget(one)
        self._filled[id(memo)] = memo
        memo[key] = answer
        memo.size += size
        self._size += size

    def forget(self, memo: Memo) -> None:
        """Forget what a memo holds."""
        self._filled.pop(id(memo), None)
        self._size -= memo.size
        memo.size = 0
        memo.clear()


def size_of(key: Any) -> int:
    """What it takes to keep a memo's key, 0 for what is not kept: long texts, and numbers (1 equals True)."""
    size = _ENTRY
    for value in key if isinstance(key, tuple) else (key,):
        if isinstance(value, str | bytes):
            if len(value) > _MAX_TEXT:
                return 0
            size += _TEXT + len(value)
        elif isinstance(value, int | float):
            return 0
    return size


class FieldIndex:
    """One field's tests, by number.

    values:   from a partial record to the field's possible values.
    memo_key: from a partial record to something hashable that decides those values, so that the answer can be
              remembered under it; None if there is no such thing. It raises AttributeError for odd records.
    """

    __slots__ = ("_memo", "_memo_key", "_memos", "_numbers", "_tests", "_values")

    def __init__(
        self, values: Callable[[Any], Possible], memos: Memos, memo_key: Callable[[Any], Any] | None = None
    ) -> None:
        self._values, self._memos, self._memo_key = values, memos, memo_key
        self._numbers: dict[str, int] = {}
        self._tests = _Tests()
        self._memo = Memo()

    def add(self, name: str, node: Node) -> int:
        """The number of a test: a condition on this field alone, under a name that no other condition has."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._numbers)
            self._tests.add(number, node)
            self._memos.forget(self._memo)
        return number

    def find(self, partial: Any) -> tuple[int, ...]:
        """The tests that hold, or may hold, for a partial record.

        This runs for most records, and mostly the answer is remembered. Its first lines written out in the rule
        index's loop, without the call, were no faster (benchmarks/reading.py: the difference is below the noise).
        """
        if not self._memo_key:
            return self.find_anew(partial)
        try:
            key = self._memo_key(partial)
            numbers: tuple[int, ...] | None = self._memo.get(key)
        except (AttributeError, TypeError):  # a member of an unusual type; a list, which cannot be hashed
            return self.find_anew(partial)
        if numbers is None:
            numbers = self.find_anew(partial)
            self._memos.keep(self._memo, key, numbers)
        return numbers

    def find_anew(self, partial: Any) -> tuple[int, ...]:
        """The same without the memo, for a test that is seldom asked for."""
        possible = self._values(partial)
        if possible is None:
            return tuple(self._numbers.values())
        if len(possible) == 1:
            return tuple(self._tests.holding(possible[0]))
        return tuple(set().union(*map(self._tests.holding, possible)))


class _Tests:
    """Tests of one field's values, by number."""

    def __init__(self) -> None:
        self._equal: dict[str, list[int]] = {}
        self._searches: list[_Numbered] = []
        self._searched = _Grams(step=_GRAM)
        self._short = _Grams(step=1)
        self._tried: list[_Numbered] = []

    def add(self, number: int, node: Node) -> None:
        match node:
            case ["field", _, ["eq", text]]:
                self._equal.setdefault(text, []).append(number)
            case ["field", _, ["in", texts]]:
                for text in set(texts):
                    self._equal.setdefault(text, []).append(number)
            case ["field", _, [kind, text]] if kind in _SEARCHES and len(text) >= _GRAM:
                self._add_search(kind, text, (number, _check(node)))
            case _:
                self._tried.append((number, _check(node)))

    def _add_search(self, kind: str, text: str, test: "_Numbered") -> None:
        """A search is found by a few grams, one of which is among every fourth of any text in which it holds."""
        self._searches.append(test)
        if kind == "prefix":
            self._searched.add(text, 0, test)
        elif len(text) >= 2 * _GRAM - 1:
            for shift in range(_GRAM):  # what is searched may begin anywhere
                self._searched.add(text, shift, test)
        else:
            self._short.add(text, 0, test)

    def holding(self, values: list[Any]) -> set[int]:
        """The tests that hold for a field with these values."""
        numbers = {number for number, holds in self._tried if holds(values)}
        if not values or not (self._equal or self._searches):
            return numbers
        for value in members(values):
            text = text_of(value)
            if text is not None:
                text = text.lower()
                numbers.update(self._equal.get(text, ()))
                for test in (*self._searched.in_text(text), *self._short.in_text(text)):
                    if test[1](values):
                        numbers.add(test[0])
            elif value is not None:  # an object: searches look into it as well
                numbers.update(number for number, holds in self._searches if holds(values))
        return numbers


_Numbered = tuple[int, ValueTest]


class _Grams:
    """Searched texts, by four of their characters each.

    step: of a text that is searched only the four characters at each multiple of it are looked up.
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._tests: dict[str, list[_Numbered]] = {}

    def add(self, searched: str, shift: int, test: _Numbered) -> None:
        """A test, by the least common of the grams that are `step` apart in what it searches, the first at `shift`."""
        gram = min(_grams(searched, shift, self._step), key=lambda gram: (len(self._tests.get(gram, ())), gram))
        self._tests.setdefault(gram, []).append(test)

    def in_text(self, text: str) -> Sequence[_Numbered]:
        """The tests that may hold for a text."""
        if not self._tests:
            return ()
        grams = _grams(text, 0, self._step)
        if self._tests.keys().isdisjoint(grams):
            return ()
        return [test for gram in self._tests.keys() & set(grams) for test in self._tests[gram]]


def _grams(text: str, first: int, step: int) -> list[str]:
    return [text[at : at + _GRAM] for at in range(first, len(text) - _GRAM + 1, step)]


def _check(node: Node) -> ValueTest:
    """A condition on one field alone, as a function of that field's values."""
    return compile_node(node, lambda path: _itself)


def _itself(values: list[Any]) -> list[Any]:
    return values
