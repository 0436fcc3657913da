"""A rule's condition is a tree; here it becomes a function, is simplified, and is asked which fields it looks at.

    ["and"|"or", [node, …]]   ["not", node]   ["field", path, test]   ["keyword", test]

Tests are those of engine/predicates.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from trailbell.engine.fields import Finder
from trailbell.engine.predicates import (
    FACTS,
    Predicate,
    compile_field,
    compile_finder,
    compile_keyword,
    compile_value_test,
    is_value_test,
)
from trailbell.engine.value_tests import ValueTest


Node = Sequence[Any]


def compile_node(node: Node, finder: Callable[[str], Finder] = compile_finder) -> Predicate:
    """The function that decides a tree on whatever `finder` finds fields in (by default Roots)."""
    kind, *arguments = node
    match kind:
        case "and":
            return _all([compile_node(part, finder) for part in sorted(arguments[0], key=_is_derived)])
        case "or":
            return _any([compile_node(part, finder) for part in sorted(arguments[0], key=_is_derived)])
        case "not":
            inner = compile_node(arguments[0], finder)
            return lambda roots: not inner(roots)
        case "field":
            return compile_field(finder(arguments[0]), arguments[1])
        case "keyword":
            return compile_keyword(arguments[0])
    raise ValueError(f"rulebook node of unknown kind {kind!r}: synthesise again with this version")


def _all(parts: Sequence[Predicate]) -> Predicate:
    def decide(roots: Any) -> bool:
        for part in parts:  # noqa: SIM110 (a generator for each decision takes longer than what it decides)
            if not part(roots):
                return False
        return True

    return decide


def _any(parts: Sequence[Predicate]) -> Predicate:
    def decide(roots: Any) -> bool:
        for part in parts:  # noqa: SIM110 (the same)
            if part(roots):
                return True
        return False

    return decide


def _is_derived(node: Node) -> bool:
    """Whether a condition looks at what is derived, which is decided last: it may have to be derived first."""
    kind, *arguments = node
    if kind in ("and", "or"):
        return any(map(_is_derived, arguments[0]))
    return _is_derived(arguments[0]) if kind == "not" else kind == "field" and arguments[0].startswith(FACTS)


class Conditions:
    """The functions of trees, made when they are first needed and kept for the next event, of `most` trees at most."""

    def __init__(self, most: int = 4096) -> None:
        self._made: dict[int, tuple[Node, Predicate]] = {}
        self._most = most

    def of(self, node: Node) -> Predicate:
        """The function of a tree. The tree is kept with it, so that no other object can get the same id."""
        made = self._made.get(id(node))
        if made is None:
            if len(self._made) >= self._most:
                self._made.clear()
            made = self._made[id(node)] = node, compile_node(node)
        return made[1]


class ValueTests:
    """The functions of serialised tests, each made once: a set of many texts takes its time."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, ValueTest]] = {}

    def __call__(self, test: Sequence[Any]) -> ValueTest:
        """The function of a test. The test is kept with it, so that no other object can get the same id."""
        made = self._made.get(id(test))
        if made is None:
            made = self._made[id(test)] = test, compile_value_test(test)
        return made[1]


def simplify(node: Node, known: Mapping[str, list[Any]], tests: ValueTests) -> Node | bool:
    """What is left to decide of a tree once the values at some paths are known; True or False if nothing is."""
    kind, *arguments = node
    match kind:
        case "and" | "or":
            decides = kind == "or"  # the value of one part that decides the whole
            left = []
            for part in arguments[0]:
                simple = simplify(part, known, tests)
                if simple is decides:
                    return decides
                if not isinstance(simple, bool):
                    left.append(simple)
            return [kind, left] if len(left) > 1 else left[0] if left else not decides
        case "not":
            simple = simplify(arguments[0], known, tests)
            return not simple if isinstance(simple, bool) else ["not", simple]
        case "field" if arguments[0] in known and is_value_test(arguments[1]):
            return tests(arguments[1])(known[arguments[0]])
    return node


def asks_for(node: Node, values: Mapping[str, Iterable[str]]) -> bool:
    """Whether a condition asks, somewhere and not only by negation, for one of some values of some fields."""
    kind, *arguments = node
    match kind:
        case "and" | "or":
            return any(asks_for(part, values) for part in arguments[0])
        case "field" if arguments[0] in values and is_value_test(arguments[1]):
            holds = compile_value_test(arguments[1])
            return any(holds([value]) for value in values[arguments[0]])
    return False


def looks_at(node: Node, members: Set[str]) -> bool:
    """Whether a condition looks at one of some members of the event; keywords look at all of them."""
    kind, *arguments = node
    match kind:
        case "and" | "or":
            return any(looks_at(part, members) for part in arguments[0])
        case "not":
            return looks_at(arguments[0], members)
        case "field":
            path, test = arguments
            compared_with = () if is_value_test(test) else test[1:2]
            return any(one.partition(".")[0] in members for one in (path, *compared_with))
    return True


def conjuncts(node: Node) -> Sequence[Node]:
    """The parts of a tree that must all hold."""
    return [part for one in node[1] for part in conjuncts(one)] if node[0] == "and" else [node]


def paths_of(node: Node) -> frozenset[str] | None:
    """The fields a tree looks at; None if it looks anywhere (keywords) or compares fields with each other."""
    kind, *arguments = node
    match kind:
        case "and" | "or":
            together: set[str] = set()
            for part in arguments[0]:
                paths = paths_of(part)
                if paths is None:
                    return None
                together |= paths
            return frozenset(together)
        case "not":
            return paths_of(arguments[0])
        case "field" if is_value_test(arguments[1]):
            return frozenset((arguments[0],))
    return None


def all_paths_of(node: Node) -> frozenset[str]:
    """The fields that a condition looks at, without those of keywords and of comparisons of two fields."""
    if node[0] in ("and", "or"):
        return frozenset().union(*map(all_paths_of, node[1]))
    return all_paths_of(node[1]) if node[0] == "not" else paths_of(node) or frozenset()
