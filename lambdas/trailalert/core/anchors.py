"""An anchor is a field without which a rule cannot match; rules are looked up by its value.

Of each rule the most telling field is taken, of all rules together as few fields as will do: what a record
costs is the number of these fields, not of rules. A rule that is found has not matched yet, it has to be
decided on the whole record; a rule that is not found cannot match.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trailalert.core.columns import Column, Derived, Tests, derived_column, plain_column, remembering
from trailalert.core.detection import Node, compile_node, paths_of
from trailalert.core.header import HeaderLayout


_EQUAL, _SEARCHED, _OTHER, _WEAK = 3, 2, 1, 0
_STRENGTHS = {"eq": _EQUAL, "in": _EQUAL} | dict.fromkeys(("prefix", "suffix", "contains", "glob", "re"), _SEARCHED)

Check = Callable[[Any], bool]
"""Whether something holds for a header."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a condition that must hold. path: the one field it looks at, "" if there are several."""

    path: str
    node: Node
    strength: int


class Anchors:
    """Rules, by number, with what is left of their conditions: which of them may a header match?

    Fields are those of `layout`, or follow from them (`derived`); a part of a condition that looks at any
    other is taken to hold.
    """

    def __init__(self, conditions: Mapping[int, Node], layout: HeaderLayout, derived: Mapping[str, Derived]) -> None:
        self._layout, self._derived = layout, derived
        parts = {number: list(self._parts(node)) for number, node in conditions.items()}
        chosen = _choose(parts)
        self._always = tuple(number for number in conditions if number not in chosen)
        by_path: dict[str, list[tuple[int, Node]]] = {}
        for number, anchor in chosen.items():
            by_path.setdefault(anchor.path, []).append((number, anchor.node))
        self._columns = tuple(self._column(path, Tests(nodes)) for path, nodes in by_path.items())
        self._rest = {
            number: [part for part in all_ if part is not chosen.get(number)] for number, all_ in parts.items()
        }
        self._checks: dict[int, tuple[Check, ...]] = {}

    @property
    def idle(self) -> bool:
        """Whether no header can match anything."""
        return not (self._always or self._columns)

    def find(self, header: Any) -> list[int]:
        """The numbers of the rules that this header may match, in order. Raises NotUnderstoodError."""
        found = self._always
        for column in self._columns:
            found += column(header)
        return sorted([number for number in found if self._holds(number, header)]) if found else []

    def _holds(self, number: int, header: Any) -> bool:
        """The rest of what must hold for a rule: sparing a record from being decoded whole is worth it."""
        checks = self._checks.get(number)
        if checks is None:
            checks = self._checks[number] = tuple(map(self._check, self._rest[number]))
        return all(check(header) for check in checks)

    def _parts(self, node: Node) -> Iterator[_Part]:
        for part in node[1] if node[0] == "and" else [node]:
            paths = paths_of(part) or frozenset()
            if len(paths) == 1 and paths <= self._derived.keys():
                yield _Part(min(paths), part, min(_strength(part), _SEARCHED))
            elif paths and all(map(self._layout.knows, paths)):
                yield _Part(min(paths) if len(paths) == 1 else "", part, _strength(part))

    def _column(self, path: str, tests: Tests) -> Column:
        derived = self._derived.get(path)
        if derived is None:
            column = plain_column(self._layout.finder(path), tests)
        else:
            column = derived_column(derived, [self._layout.text_finder(one) for one in derived.paths], tests)
        get = self._layout.getter(derived.paths if derived else (path,))
        return remembering(column, get) if get else column

    def _check(self, part: _Part) -> Check:
        if part.path not in self._derived:
            return compile_node(part.node, self._layout.finder)
        column = self._column(part.path, Tests([(0, part.node)]))
        return lambda header: bool(column(header))


def _choose(parts: Mapping[int, list[_Part]]) -> dict[int, _Part]:
    """An anchor for each rule that has one, on as few fields as is easily had (greedy set cover)."""
    best: dict[int, dict[str, _Part]] = {}
    for number, all_ in parts.items():
        single = [part for part in all_ if part.path]
        strongest = max((part.strength for part in single), default=_WEAK)
        best[number] = {part.path: part for part in single if part.strength == strongest}
    chosen: dict[int, _Part] = {}
    while open_ := [number for number, options in best.items() if options and number not in chosen]:
        counts = Counter(path for number in open_ for path in best[number])
        path = max(counts, key=lambda path: (counts[path], path))
        chosen |= {number: best[number][path] for number in open_ if path in best[number]}
    return chosen


def _strength(node: Node) -> int:
    """How few records a part lets through, roughly."""
    kind, *arguments = node
    match kind:
        case "field":
            return _STRENGTHS.get(arguments[1][0], _OTHER)
        case "or":
            return min(map(_strength, arguments[0]), default=_EQUAL)
        case "and":
            return max(map(_strength, arguments[0]), default=_WEAK)
    return _WEAK
