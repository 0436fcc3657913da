"""A detection is a rule's condition as a tree; here it becomes a function, is simplified, and is looked into.

    ["and"|"or", [node, …]]   ["not", node]   ["field", path, test]   ["keyword", test]

Tests are those of engine/predicates.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trailbell.engine.predicates import Roots, Test, compile_finder, compile_keyword, compile_test


Node = Sequence[Any]
Predicate = Callable[[Any], bool]
Finder = Callable[[Any], list[Any]]

_ELSEWHERE = frozenset({"fieldref"})  # tests that look at a second field


def compile_node(node: Node, finder: Callable[[str], Finder] = compile_finder) -> Predicate:
    """The function that decides a tree on whatever `finder` finds fields in (by default Roots)."""
    kind, *arguments = node
    match kind:
        case "and":
            parts = [compile_node(part, finder) for part in arguments[0]]
            return lambda roots: all(part(roots) for part in parts)
        case "or":
            parts = [compile_node(part, finder) for part in arguments[0]]
            return lambda roots: any(part(roots) for part in parts)
        case "not":
            inner = compile_node(arguments[0], finder)
            return lambda roots: not inner(roots)
        case "field":
            find, test = finder(arguments[0]), compile_test(arguments[1])
            return lambda roots: test(find(roots), roots)
        case "keyword":
            return compile_keyword(arguments[0])
    raise ValueError(f"rulebook node of unknown kind {kind!r}: synthesise again with this version")


class Tests:
    """The functions of tests, made once: a set of many texts takes its time."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Any, Test]] = {}

    def __call__(self, test: Sequence[Any]) -> Test:
        """The function of one serialised test, which is kept so that its identity stays its own."""
        made = self._made.get(id(test))
        if made is None:
            made = self._made[id(test)] = test, compile_test(test)
        return made[1]


def simplify(node: Node, known: Mapping[str, list[Any]], tests: Tests) -> Node | bool:
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
        case "field" if arguments[0] in known and arguments[1][0] not in _ELSEWHERE:
            return tests(arguments[1])(known[arguments[0]], _NOTHING)
    return node


_NOTHING: Roots = ({}, {})


def asks_for(node: Node, values: Mapping[str, Iterable[str]]) -> bool:
    """Whether a tree asks, somewhere and not only by negation, for one of some values of some fields."""
    kind, *arguments = node
    match kind:
        case "and" | "or":
            return any(asks_for(part, values) for part in arguments[0])
        case "field" if arguments[0] in values:
            test = compile_test(arguments[1])
            return any(test([value], _NOTHING) for value in values[arguments[0]])
    return False


def conjuncts(node: Node) -> Sequence[Node]:
    """The parts of a tree that must all hold."""
    return node[1] if node[0] == "and" else [node]


def paths_of(node: Node) -> frozenset[str] | None:
    """The fields a tree looks at; None if it looks anywhere (keywords) or compares fields with each other."""
    kind, *arguments = node
    match kind:
        case "and" | "or":
            found: set[str] = set()
            for part in arguments[0]:
                paths = paths_of(part)
                if paths is None:
                    return None
                found |= paths
            return frozenset(found)
        case "not":
            return paths_of(arguments[0])
        case "field" if arguments[1][0] not in _ELSEWHERE:
            return frozenset((arguments[0],))
    return None
