"""The rule index finds the rules that a record may match, without looking at each rule.

Of each rule one conjunct is chosen that must hold for it, on a field that tells much and that many rules share: what
a record costs is the number of these fields, not of rules. A rule that is found has not matched yet, it has to be
decided on the whole record; a rule that is not found cannot match.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from trailbell.engine.condition import Node, compile_node, conjuncts, paths_of
from trailbell.engine.prefilter.field_index import Derived, FieldIndex, Memo, Memos, size_of
from trailbell.engine.prefilter.partial_decode import PartialLayout
from trailbell.engine.prefilter.partial_eval import ABSENT
from trailbell.lazy_dataclass import dataclass


_EQUAL, _SEARCHED, _OTHER, _WEAK = 3, 2, 1, 0
_MAX_DECIDED = 256  # combinations of values that a check remembers; records may hold any number
_MAX_CHECKS = 4096
_NO_VALUE: tuple[list[Any]] = ([],)
_MAX_FOUND = 64  # keys of a rule index

SURE = 2
"""What a check answers where its part of a condition holds for certain, whatever else is in the record."""

Check = Callable[[Any], int]
"""Whether a part of a condition may hold, by a partial record: 0, 1 (or True), SURE. 1 is certain, too, where the part
looks at nothing but members of a partial record.
"""

Found = tuple[int, int]
"""The number of a rule, and a bit for each of its checks that was SURE."""

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
        self._checks: dict[str, Check] = {}
        self._possible_values: dict[Derived, Callable[[Any], tuple[Any, ...] | None]] = {}
        self._answers = _Answers()
        self._forget_record = [self._answers.forget]

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

    def memo_paths(self, path: str) -> tuple[str, ...]:
        """The paths whose values decide a field, where a record gives them at no cost; none where it does not."""
        derived = self._derived.get(path)
        if derived and derived.by_json:
            return ()
        paths = derived.paths if derived else (path,)
        return paths if isinstance(self._layout.memo_key(paths), attrgetter) else ()

    def memo_key(self, paths: Sequence[str]) -> Callable[[Any], Any] | None:
        """A key for all these paths together, as PartialLayout has it."""
        return self._layout.memo_key(tuple(dict.fromkeys(paths)))

    def conjuncts(self, node: Node) -> Iterator[Conjunct]:
        """What must hold for a condition to hold, as far as partial records tell."""
        for part in conjuncts(node):
            paths = paths_of(part) or frozenset()
            path = min(paths) if len(paths) == 1 else ""
            if path in self._derived:
                indexed = "" if path in self._decided else path
                yield Conjunct(indexed, part, _strength_of_derived(part, self._derived[path]), repr(part))
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

    def is_derived(self, conjunct: Conjunct) -> bool:
        """Whether a conjunct is found by an index of a derived field: then it may hold, and a check may be sure."""
        return conjunct.path in self._derived

    def check(self, conjunct: Conjunct) -> Check:
        """A conjunct as a function of the partial record, the same for all rules that have it."""
        check = self._checks.get(conjunct.name)
        if check is None:
            check = self._make_check(conjunct)
            if len(self._checks) >= _MAX_CHECKS:
                self._checks.clear()
            self._checks[conjunct.name] = check
        return check

    def _make_check(self, conjunct: Conjunct) -> Check:
        if conjunct.ways:
            ways = [tuple(map(self.check, way)) for way in conjunct.ways]
            return _any_way(ways)
        paths = sorted(paths_of(conjunct.node) or ())
        path = paths[0] if len(paths) == 1 else ""
        if path not in self._derived:
            decide = compile_node(conjunct.node, self._layout.finder)
            holds = _remembering(decide, self._layout.memo_key(paths), self._memos, self._answers)
            lack = self._layout.lack(paths)
            return _with_nothing(conjunct.node, lack, holds) if lack else holds
        derived = self._derived[path].closer or self._derived[path]
        index = FieldIndex(
            self._values_of(derived), self._memos
        )  # what is decided is remembered here, by what is possible
        index.add(conjunct.name, conjunct.node)
        possible = self._possible(derived)
        decided: dict[tuple[Any, ...] | None, int] = {}

        def check(partial: Any) -> int:
            values = possible(partial)
            holds = decided.get(values)
            if holds is None:
                if len(decided) >= _MAX_DECIDED:
                    decided.clear()
                is_certain = values is not None and len(values) == 1
                holds = decided[values] = bool(index.find_anew(partial)) * (SURE if is_certain else 1)
            return holds

        return _remembering(check, self._memo_key_of(derived), self._memos, self._answers)

    def _make_index(self, path: str) -> FieldIndex:
        derived = self._derived.get(path)
        if derived is None:
            find, memo_key = self._layout.finder(path), self._layout.memo_key((path,))
            lack = None if memo_key else self._layout.lack((path,))
            if lack:
                return FieldIndex(lambda partial: _NO_VALUE if lack(partial) else (find(partial),), self._memos)
            return FieldIndex(lambda partial: (find(partial),), self._memos, memo_key)
        return FieldIndex(self._values_of(derived), self._memos, self._memo_key_of(derived))

    def _memo_key_of(self, derived: Derived) -> Callable[[Any], Any] | None:
        return None if derived.by_json else self._layout.memo_key(derived.paths, by_text=derived.whole)

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
            return layout.ask_json(derived.paths, possible)
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
            number: [one for one in conjuncts_ if one is not chosen.get(number) or indexes.is_derived(one)]
            for number, conjuncts_ in rules.items()
        }
        self._checks: dict[int, list[tuple[int, Check]]] = {}
        if shared:
            self._always += shared._always
            self._rules_by_test = {path: dict(by_test) for path, by_test in shared._rules_by_test.items()}
            self._others |= shared._others
        for number, conjunct in chosen.items():
            test = indexes.index(conjunct.path).add(conjunct.name, conjunct.node)
            by_test = self._rules_by_test.setdefault(conjunct.path, {})
            by_test[test] = [*by_test.get(test, ()), number]
        paths = {path: indexes.memo_paths(path) for path in self._rules_by_test}
        self._at_once = self._indexed(path for path, below in paths.items() if below)
        self._one_by_one = self._indexed(path for path, below in paths.items() if not below)
        self._memo_key = indexes.memo_key([one for below in paths.values() for one in below])
        self._found: dict[Any, tuple[int, ...]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no record can match any rule."""
        return not (self._always or self._rules_by_test)

    def find(self, partial: Any) -> list[Found]:
        """The rules that this partial record may match. Raises NotUnderstoodError."""
        numbers, one_by_one = self._always, self._one_by_one
        if self._memo_key:
            key = None
            try:
                key = self._memo_key(partial)
                found = self._found.get(key)
            except (AttributeError, TypeError):  # as in FieldIndex.find
                found = _found_by(self._at_once, partial)
            if found is None:
                found = _found_by(self._at_once, partial)
                self._remember(key, found)
            numbers += found
        if one_by_one:
            numbers += _found_by(one_by_one, partial)
        if not numbers:
            return []
        return [(number, sure) for number in numbers if (sure := self._checked(number, partial)) >= 0]

    def _remember(self, key: Any, found: tuple[int, ...]) -> None:
        """Remember what was found, as long as there are few keys: of many, most would be met once in this plan, and the
        fields one by one are met again in others.
        """
        if len(self._found) >= _MAX_FOUND:
            self._memo_key, self._found = None, {}
            self._one_by_one = [*self._at_once, *self._one_by_one]
        elif size_of(key):
            self._found[key] = found

    def _indexed(self, paths: Iterable[str]) -> list[tuple[FieldIndex, dict[int, list[int]]]]:
        return [(self._indexes.index(path), self._rules_by_test[path]) for path in paths]

    def sure_of(self, found: Found) -> list[Node]:
        """The parts of a rule's condition that hold for certain where it was found so."""
        number, sure = found
        return [one.node for at, one in enumerate(self._others[number]) if sure >> at & 1]

    def _checked(self, number: int, partial: Any) -> int:
        """Of which of a rule's other conjuncts it is sure that they hold; -1 if one does not. It costs less than
        parsing a record in full.
        """
        checks = self._checks.get(number)
        if checks is None:
            made = map(self._indexes.check, self._others[number])
            checks = self._checks[number] = [(1 << at, check) for at, check in enumerate(made)]
        sure = 0
        for at, (bit, check) in enumerate(checks):
            holds = check(partial)
            if not holds:
                if at:  # what failed is asked first from now on: mostly the same fails again
                    checks.insert(0, checks.pop(at))
                return -1
            if holds == SURE:
                sure |= bit
        return sure


def _found_by(fields: Sequence[tuple[FieldIndex, Mapping[int, Sequence[int]]]], partial: Any) -> tuple[int, ...]:
    """The numbers of the rules that some fields find, each with the rules by test."""
    numbers: tuple[int, ...] = ()
    for index, by_test in fields:
        tests = index.find(partial)
        if tests:
            numbers += tuple([number for test in tests if test in by_test for number in by_test[test]])
    return numbers


def _with_nothing(node: Node, lack: Callable[[Any], bool], holds: Check) -> Check:
    """A check that is not asked where its fields have no value: what it says then is known."""
    says = compile_node(node, lambda path: _nothing)(())
    return lambda partial: says if lack(partial) else holds(partial)


def _nothing(_: Any) -> list[Any]:
    return []


def _any_way(ways: Sequence[Sequence[Check]]) -> Check:
    def any_holds(partial: Any) -> bool:
        for way in ways:
            for check in way:
                if not check(partial):
                    break
            else:
                return True
        return False

    return any_holds


class _Answers(dict[Any, int]):
    """What was answered about the record that is asked about: several rules ask the same."""

    __slots__ = ("partial",)

    def __init__(self) -> None:
        super().__init__()
        self.partial: Any = None

    def forget(self) -> None:
        """Let go of the record."""
        self.partial = None
        self.clear()


def _remembering(check: Check, memo_key: Callable[[Any], Any] | None, memos: Memos, answers: _Answers) -> Check:
    """A check that is asked once for equal values; memo_key: as FieldIndex has it."""
    if memo_key is None:
        return check
    decided = Memo()

    def remembered(partial: Any) -> int:
        if partial is not answers.partial:
            answers.clear()
            answers.partial = partial
        holds = answers.get(remembered)
        if holds is not None:
            return holds
        try:
            key = memo_key(partial)
            holds = decided.get(key)
        except (AttributeError, TypeError):  # as in FieldIndex.find
            return check(partial)
        if holds is None:
            holds = check(partial)
            memos.keep(decided, key, holds)
        answers[remembered] = holds
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


def _strength_of_derived(node: Node, derived: Derived) -> int:
    if derived.usual is None:
        return min(_strength(node), _SEARCHED)
    usual = [derived.usual]
    return _WEAK if compile_node(node, lambda path: lambda _: usual)(()) else _EQUAL


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
