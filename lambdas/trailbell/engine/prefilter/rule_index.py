"""The rule index finds the rules that a record may match, without looking at each rule.

Of each rule one conjunct is chosen that must hold for it, on a field that tells much and that many rules share: what
a record costs is the number of these fields, not of rules. A rule that is found has not matched yet, it has to be
decided on the whole record; a rule that is not found cannot match.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailbell.engine.condition import Node, compile_node, conjuncts, paths_of
from trailbell.engine.predicates import Predicate
from trailbell.engine.prefilter.field_index import Derived, FieldIndex, Memo, Memos
from trailbell.engine.prefilter.partial_decode import PartialLayout
from trailbell.engine.prefilter.partial_eval import ABSENT


_EQUAL, _SEARCHED, _OTHER, _WEAK = 3, 2, 1, 0
_MAX_DECIDED = 256  # combinations of values that a check remembers; records may hold any number
_MAX_CHECKS = 4096
_STRENGTHS = {"eq": _EQUAL, "in": _EQUAL} | dict.fromkeys(("prefix", "suffix", "contains", "glob", "re"), _SEARCHED)


@dataclass(frozen=True, slots=True)
class Conjunct:
    """A part of a condition that must hold.

    path:     the one field it looks at, "" if there are several, or if an index of it would find nearly all records.
    strength: the higher, the fewer records it lets through.
    name:     the same for conjuncts that say the same.
    ways:     of an alternative of several fields: for each way in which it may hold the conjuncts that must hold then.
    """

    path: str
    node: Node
    strength: int
    name: str
    ways: "tuple[tuple[Conjunct, ...], ...]" = ()


class FieldIndexes:
    """One index for each field that is in partial records or follows from them; all plans share them.

    decided: derived fields that plans decide as far as they can, so that only what is closer tells more.
    """

    def __init__(
        self, layout: PartialLayout, derived: Mapping[str, Derived], decided: frozenset[str] = frozenset()
    ) -> None:
        self._layout, self._derived, self._decided = layout, derived, decided
        self._memos = Memos()
        self._indexes: dict[str, FieldIndex] = {}
        self._checks: dict[str, Predicate] = {}
        self._possible_values: dict[Derived, Callable[[Any], tuple[Any, ...] | None]] = {}
        self._forget_record: list[Callable[[], None]] = []

    def forget_record(self) -> None:
        """Let go of the record that was asked about last: it holds the text of its whole block."""
        for forget in self._forget_record:
            forget()

    def index(self, path: str) -> FieldIndex:
        """The index of a field."""
        index = self._indexes.get(path)
        if index is None:
            index = self._indexes[path] = self._make_index(path)
        return index

    def conjuncts(self, node: Node) -> Iterator[Conjunct]:
        """What must hold for a condition to hold, as far as partial records tell."""
        for part in conjuncts(node):
            paths = paths_of(part) or frozenset()
            path = min(paths) if len(paths) == 1 else ""
            if path in self._derived:
                indexed = "" if path in self._decided else path
                yield Conjunct(indexed, part, min(_strength(part), _SEARCHED), repr(part))
            elif paths and all(map(self._layout.knows, paths)):
                yield Conjunct(path, part, _strength(part), repr(part))
            elif part[0] == "or":
                ways = tuple(tuple(self.conjuncts(one)) for one in part[1])
                if all(ways):  # else one of them may hold whatever the partial record says
                    yield Conjunct("", part, _strength(part), repr(part), ways)

    def undecided(self, node: Node) -> Iterator[Node]:
        """The parts of a condition that partial records do not decide for certain, where they tell that it may hold."""
        for part in conjuncts(node):
            paths = paths_of(part)
            if not paths or any(path in self._derived or not self._layout.knows(path) for path in paths):
                yield part

    def check(self, conjunct: Conjunct) -> Predicate:
        """A conjunct as a function of the partial record, the same for all rules that have it."""
        check = self._checks.get(conjunct.name)
        if check is None:
            check = self._make_check(conjunct)
            if len(self._checks) >= _MAX_CHECKS:
                self._checks.clear()
            self._checks[conjunct.name] = check
        return check

    def _make_check(self, conjunct: Conjunct) -> Predicate:
        if conjunct.ways:
            ways = [tuple(map(self.check, way)) for way in conjunct.ways]
            return _any_way(ways)
        paths = sorted(paths_of(conjunct.node) or ())
        path = paths[0] if len(paths) == 1 else ""
        if path not in self._derived:
            decide = compile_node(conjunct.node, self._layout.finder)
            return _remembering(decide, self._layout.memo_key(paths), self._memos)
        derived = self._derived[path].closer or self._derived[path]
        index = FieldIndex(
            self._values_of(derived), self._memos
        )  # what is decided is remembered here, by what is possible
        index.add(conjunct.name, conjunct.node)
        possible = self._possible(derived)
        decided: dict[tuple[Any, ...] | None, bool] = {}
        by_text = not (derived.whole or derived.by_json)

        def check(partial: Any) -> bool:
            values = possible(partial)
            holds = decided.get(values)
            if holds is None:
                if len(decided) >= _MAX_DECIDED:
                    decided.clear()
                holds = decided[values] = bool(index.find_anew(partial))
            return holds

        return _remembering(check, self._layout.memo_key(derived.paths), self._memos) if by_text else check

    def _make_index(self, path: str) -> FieldIndex:
        derived = self._derived.get(path)
        if derived is None:
            find = self._layout.finder(path)
            return FieldIndex(lambda partial: (find(partial),), self._memos, self._layout.memo_key((path,)))
        by_text = not (derived.whole or derived.by_json)
        memo_key = self._layout.memo_key(derived.paths) if by_text else None
        return FieldIndex(self._values_of(derived), self._memos, memo_key)

    def _values_of(self, derived: Derived) -> Callable[[Any], list[list[Any]] | None]:
        """A function from a partial record to what a derived field's values may be."""
        possible = self._possible(derived)

        def values(partial: Any) -> list[list[Any]] | None:
            found = possible(partial)
            return None if found is None else [[] if value is ABSENT else [value] for value in found]

        return values

    def _possible(self, derived: Derived) -> Callable[[Any], tuple[Any, ...] | None]:
        """A function from a partial record to a derived field's values, None if anything is possible."""
        made = self._possible_values.get(derived)
        if made is None:
            made, forget = _asked_once(self._make_possible(derived))
            self._possible_values[derived] = made
            self._forget_record.append(forget)
        return made

    def _make_possible(self, derived: Derived) -> Callable[[Any], tuple[Any, ...] | None]:
        possible, layout = derived.possible, self._layout
        if derived.by_json:
            find_all = layout.json_finder(derived.paths)
            return lambda partial: possible(*find_all(partial))
        finder_of: Callable[[str], Callable[[Any], Any]] = layout.member_finder if derived.whole else layout.text_finder
        finders = [finder_of(one) for one in derived.paths]
        return lambda partial: possible(*[find(partial) for find in finders])


def _asked_once(ask: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], Callable[[], None]]:
    """A question about partial records that is asked once, and not again while the same record is asked about; and what
    lets go of the record.
    """
    last: Any = None
    answer: Any = None

    def ask_once(partial: Any) -> Any:
        nonlocal last, answer
        if partial is not last:
            answer = ask(partial)
            last = partial
        return answer

    def forget() -> None:
        nonlocal last
        last = None

    return ask_once, forget


class RuleIndex:
    """Rules, by number, with the conjuncts of their conditions: which of them may a partial record match?

    shared: an index of further rules, which becomes part of this one.
    """

    def __init__(
        self, rules: Mapping[int, Sequence[Conjunct]], indexes: FieldIndexes, shared: "RuleIndex | None" = None
    ) -> None:
        self._indexes = indexes
        chosen = _choose(rules)
        self._always = tuple(number for number in rules if number not in chosen)
        self._rules_by_test: dict[str, dict[int, list[int]]] = {}
        self._others = {
            number: [one for one in conjuncts_ if one is not chosen.get(number)] for number, conjuncts_ in rules.items()
        }
        self._checks: dict[int, list[Predicate]] = {}
        if shared:
            self._always += shared._always
            self._rules_by_test = {path: dict(by_test) for path, by_test in shared._rules_by_test.items()}
            self._others |= shared._others
        for number, conjunct in chosen.items():
            test = indexes.index(conjunct.path).add(conjunct.name, conjunct.node)
            by_test = self._rules_by_test.setdefault(conjunct.path, {})
            by_test[test] = [*by_test.get(test, ()), number]
        self._fields = [(indexes.index(path), by_test) for path, by_test in self._rules_by_test.items()]

    @property
    def is_empty(self) -> bool:
        """Whether no record can match any rule."""
        return not (self._always or self._rules_by_test)

    def find(self, partial: Any) -> list[int]:
        """The numbers of the rules that this partial record may match. Raises NotUnderstoodError."""
        numbers = self._always
        for index, by_test in self._fields:
            tests = index.find(partial)
            if tests:
                numbers += tuple([number for test in tests if test in by_test for number in by_test[test]])
        return [number for number in numbers if self._may_match(number, partial)] if numbers else []

    def _may_match(self, number: int, partial: Any) -> bool:
        """Whether a rule's other conjuncts hold: it costs less than parsing a record in full."""
        checks = self._checks.get(number)
        if checks is None:
            checks = self._checks[number] = [*map(self._indexes.check, self._others[number])]
        for at, check in enumerate(checks):
            if not check(partial):
                if at:  # what failed is asked first from now on: mostly the same fails again
                    checks.insert(0, checks.pop(at))
                return False
        return True


def _any_way(ways: Sequence[Sequence[Predicate]]) -> Predicate:
    def check(partial: Any) -> bool:
        for way in ways:
            for check in way:
                if not check(partial):
                    break
            else:
                return True
        return False

    return check


def _remembering(check: Predicate, memo_key: Callable[[Any], Any] | None, memos: Memos) -> Predicate:
    """A check that is asked once for equal values; memo_key: as FieldIndex has it."""
    if memo_key is None:
        return check
    decided = Memo()

    def remembered(partial: Any) -> bool:
        try:
            key = memo_key(partial)
            holds: bool | None = decided.get(key)
        except (AttributeError, TypeError):  # as in FieldIndex.find
            return check(partial)
        if holds is None:
            holds = check(partial)
            memos.keep(decided, key, holds)
        return holds

    return remembered


def _choose(rules: Mapping[int, Sequence[Conjunct]]) -> dict[int, Conjunct]:
    """For each rule that has one, the conjunct it is found by, on as few fields as is easily had (greedy set cover)."""
    rules_sharing = Counter(one.name for conjuncts_ in rules.values() for one in conjuncts_ if one.path)
    strongest: dict[int, dict[str, Conjunct]] = {}
    for number, conjuncts_ in rules.items():
        # What many rules ask for probably holds often, and then each of these rules has to be looked at.
        weighed = {one.path: (one.strength - math.log2(rules_sharing[one.name]), one) for one in conjuncts_ if one.path}
        most = max((weight for weight, _ in weighed.values()), default=0)
        strongest[number] = {path: one for path, (weight, one) in weighed.items() if weight > most - 0.5}
    chosen: dict[int, Conjunct] = {}
    while open_ := [number for number, options in strongest.items() if options and number not in chosen]:
        rules_by_path = Counter(path for number in open_ for path in strongest[number])
        path = max(rules_by_path, key=lambda path: (rules_by_path[path], path))
        chosen |= {number: strongest[number][path] for number in open_ if path in strongest[number]}
    return chosen


def _strength(node: Node) -> int:
    """How few records a conjunct lets through, roughly."""
    kind, *arguments = node
    match kind:
        case "field":
            return _STRENGTHS.get(arguments[1][0], _OTHER)
        case "or":
            return min(map(_strength, arguments[0]), default=_EQUAL)
        case "and":
            return max(map(_strength, arguments[0]), default=_WEAK)
    return _WEAK
