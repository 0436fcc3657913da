"""A test of the rulebook becomes a predicate, a function that decides on an event; it cannot raise on any event.

Most tests look at the values of their own field (engine/value_tests.py). One compares two fields:

    ["fieldref", path, "eq"|"prefix"|"suffix"|"contains"]
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any

from trailbell.engine.fields import (
    Finder,
    Way,
    compile_path,
    compile_path_in,
    leaves,
    members,
    text_of,
    way_of,
)
from trailbell.engine.value_tests import VALUE_TESTS, ValueTest


Roots = tuple[object, object]
"""The event, and what is derived from it."""

Comparison = Callable[[list[Any], Any], bool]
"""Decides on a field's values and on what else is in the roots."""

Predicate = Callable[[Any], bool]
"""Decides on the roots, or on whatever else a finder reads fields from."""

FACTS = "facts."
"""How the names of derived fields begin."""

_TEXT_RELATIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "prefix": str.startswith,
    "suffix": str.endswith,
    "contains": operator.contains,
}


def is_value_test(test: Sequence[Any]) -> bool:
    """Whether a test looks at nothing but the values of its own field."""
    return test[0] in VALUE_TESTS


def compile_value_test(test: Sequence[Any]) -> ValueTest:
    """The function of a test of one field. Raises KeyError for a kind that this version does not know."""
    kind, *arguments = test
    return VALUE_TESTS[kind](*arguments)


def compile_field(find: Callable[[Any], list[Any]], test: Sequence[Any]) -> Predicate:
    """A test of the field that `find` finds. Raises KeyError for a kind that this version does not know."""
    if is_value_test(test):
        holds = compile_value_test(test)
        way = way_of(find) if test[0] == "eq" else None
        return _is_text_at(way, test, holds, find) if way else lambda roots: holds(find(roots))
    kind, *arguments = test
    compare = COMPARISONS[kind](*arguments)
    return lambda roots: compare(find(roots), roots)


def _is_text_at(way: Way, test: Sequence[Any], holds: ValueTest, find: Finder) -> Predicate:
    """Equality at the end of a way, which most conditions ask for: decided without a list of values where the way leads
    through objects alone, to a text or to nothing.
    """
    position, head, steps, last = way
    text, cased = test[1], len(test) > 2 and test[2]

    def is_text_at(roots: Any) -> bool:
        event = roots[position]
        node = event.get(head) if isinstance(event, dict) else None
        for name, dotted in steps:
            if node is None:
                return False
            if not (isinstance(node, dict) and node.keys().isdisjoint(dotted)):
                return holds(find(roots))
            node = node.get(name)
        if not isinstance(node, dict):
            return node is not None and holds(find(roots))
        value = node.get(last)
        if isinstance(value, str):
            return bool((value if cased else value.lower()) == text)
        return value is not None and holds([value])

    return is_text_at


def compile_finder(path: str, *, dotted_root: bool = True) -> Callable[[Roots], list[Any]]:
    """Find a field's values; `facts.` addresses what is derived, never what the event itself may call so."""
    if not dotted_root:
        return compile_path_in(path, int(path.startswith(FACTS)))
    find: Finder = compile_path(path)
    if path.startswith(FACTS):
        return lambda roots: find(roots[1])
    return lambda roots: find(roots[0])


def compile_keyword(test: Sequence[Any]) -> Callable[[Roots], bool]:
    """A keyword looks at every scalar of the event: its values, not its keys."""
    holds = compile_value_test(test)
    return lambda roots: any(holds([leaf]) for leaf in leaves(roots[0]))


def _fieldref(path: str, how: str) -> Comparison:
    find = compile_finder(path)
    decide = _TEXT_RELATIONS[how]

    def test(values: list[Any], roots: Roots) -> bool:
        others = [text.lower() for text in map(text_of, members(find(roots))) if text is not None]
        mine = [text.lower() for text in map(text_of, members(values)) if text is not None]
        return any(decide(left, right) for left in mine for right in others)

    return test


# Apart from VALUE_TESTS on purpose. One table and a list of its exceptions would do as well until somebody forgets
# the list: partial evaluation would then decide a comparison without the other field, and miss. What is built there
# is given no roots, so that it cannot look at another field.
COMPARISONS: dict[str, Callable[..., Comparison]] = {
    "fieldref": _fieldref,
}
