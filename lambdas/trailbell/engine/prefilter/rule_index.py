"""An anchor is a field without which a rule cannot match; rules are looked up by its value.

Of each rule the most telling field is taken, of all rules together as few fields as will do: what a record
costs is the number of these fields, not of rules. A rule that is found has not matched yet, it has to be
decided on the whole record; a rule that is not found cannot match.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailbell.engine.condition import Node, compile_node, conjuncts, paths_of
from trailbell.engine.prefilter.field_index import Column, Derived
from trailbell.engine.prefilter.partial_decode import PartialLayout


_EQUAL, _SEARCHED, _OTHER, _WEAK = 3, 2, 1, 0
_STRENGTHS = {"eq": _EQUAL, "in": _EQUAL} | dict.fromkeys(("prefix", "suffix", "contains", "glob", "re"), _SEARCHED)

Check = Callable[[Any], bool]
"""Whether something holds for a header."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition that must hold.

    path: the one field it looks at, "" if there are several; name: the same for parts that say the same.
    """

    path: str
    node: Node
    strength: int
    name: str


class Fields:
    """The fields that can be found in headers, or follow from what can; one column for each, shared by all plans."""

    def __init__(self, layout: PartialLayout, derived: Mapping[str, Derived]) -> None:
        self._layout, self._derived = layout, derived
        self._columns: dict[str, Column] = {}

    def column(self, path: str) -> Column:
        """The column of a field."""
        column = self._columns.get(path)
        if column is None:
            column = self._columns[path] = self._make_column(path)
        return column

    def parts(self, node: Node) -> Iterator[Part]:
        """What must hold for a tree to be true, as far as these fields tell."""
        for part in conjuncts(node):
            paths = paths_of(part) or frozenset()
            path = min(paths) if len(paths) == 1 else ""
            if path in self._derived:
                yield Part(path, part, min(_strength(part), _SEARCHED), repr(part))
            elif paths and all(map(self._layout.knows, paths)):
                yield Part(path, part, _strength(part), repr(part))

    def check(self, part: Part) -> Check:
        """A part as a function of the header."""
        if part.path not in self._derived:
            return compile_node(part.node, self._layout.finder)
        column = self._make_column(part.path)
        column.add(part.name, part.node)
        possible = self._possible(part.path)
        decided: dict[tuple[Any, ...], bool] = {}

        def check(header: Any) -> bool:
            values = possible(header)
            holds = decided.get(values)
            if holds is None:
                holds = decided[values] = bool(column.look(header))
            return holds

        return check

    def _make_column(self, path: str) -> Column:
        derived = self._derived.get(path)
        if derived is None:
            find = self._layout.finder(path)
            return Column(lambda header: (find(header),), self._layout.getter((path,)))
        possible = self._possible(path)
        return Column(
            lambda header: [[value] for value in possible(header)],
            None if derived.whole else self._layout.getter(derived.paths),
        )

    def _possible(self, path: str) -> Callable[[Any], tuple[Any, ...]]:
        """A function from a header to the values that a derived field may have."""
        derived = self._derived[path]
        possible = derived.possible
        finder_of = self._layout.member_finder if derived.whole else self._layout.text_finder
        finders = [finder_of(one) for one in derived.paths]
        return lambda header: possible(*[find(header) for find in finders])


class RuleIndex:
    """Rules, by number, with the parts of their conditions: which of them may a header match?

    shared: further rules, whose anchors were chosen already.
    """

    def __init__(self, parts: Mapping[int, Sequence[Part]], fields: Fields, shared: "RuleIndex | None" = None) -> None:
        self._fields = fields
        chosen = _choose(parts)
        self._always = tuple(number for number in parts if number not in chosen)
        self._rules: dict[str, dict[int, list[int]]] = {}
        self._rest = {
            number: [part for part in all_ if part is not chosen.get(number)] for number, all_ in parts.items()
        }
        self._checks: dict[int, tuple[Check, ...]] = {}
        if shared:
            self._always += shared._always
            self._rules = {path: dict(rules) for path, rules in shared._rules.items()}
            self._rest |= shared._rest
        for number, anchor in chosen.items():
            test = fields.column(anchor.path).add(anchor.name, anchor.node)
            rules = self._rules.setdefault(anchor.path, {})
            rules[test] = [*rules.get(test, ()), number]
        looks = [(fields.column(path), rules) for path, rules in self._rules.items()]
        self._quick_looks = tuple((column.get, column.known, column, rules) for column, rules in looks if column.get)
        self._slow_looks = tuple((column, rules) for column, rules in looks if not column.get)

    @property
    def idle(self) -> bool:
        """Whether no header can match anything."""
        return not (self._always or self._rules)

    def find(self, header: Any) -> list[int]:
        """The numbers of the rules that this header may match. Raises NotUnderstoodError."""
        found = self._always
        for get, known, column, rules in self._quick_looks:  # written out: this runs for most records
            try:
                tests = known(get(header))
            except (AttributeError, TypeError):
                tests = None
            if tests is None:
                tests = column(header)
            if tests:
                found += _numbers(tests, rules)
        for column, rules in self._slow_looks:
            found += _numbers(column(header), rules)
        return [number for number in found if self._holds(number, header)] if found else []

    def _holds(self, number: int, header: Any) -> bool:
        """The rest of what must hold for a rule: sparing a record from being decoded whole is worth it."""
        checks = self._checks.get(number)
        if checks is None:
            checks = self._checks[number] = tuple(map(self._fields.check, self._rest[number]))
        return all(check(header) for check in checks)


def _numbers(tests: tuple[int, ...], rules: Mapping[int, list[int]]) -> tuple[int, ...]:
    return tuple([number for test in tests if test in rules for number in rules[test]])


def _choose(parts: Mapping[int, Sequence[Part]]) -> dict[int, Part]:
    """An anchor for each rule that has one, on as few fields as is easily had (greedy set cover)."""
    sharers = Counter(part.name for all_ in parts.values() for part in all_ if part.path)
    best: dict[int, dict[str, Part]] = {}
    for number, all_ in parts.items():
        # What many rules ask for is likely to be had; each of them would have to be looked at.
        delivery = {part.path: (part.strength - math.log2(sharers[part.name]), part) for part in all_ if part.path}
        most = max((weight for weight, _ in delivery.values()), default=0)
        best[number] = {path: part for path, (weight, part) in delivery.items() if weight > most - 0.5}
    chosen: dict[int, Part] = {}
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
