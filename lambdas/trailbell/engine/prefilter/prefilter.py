"""The prefilter: of a block of whole records only those are parsed in full that some rule may match.

Each record is decoded partially (partial_decode.py). For each combination of values of the known fields
(partial_eval.py) there is a plan, made once: which rules are left to decide, and an index of them (rule_index.py).
A record for which that index finds rules is parsed and decided on like any other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from operator import attrgetter
from threading import Lock
from typing import Any

import msgspec
from msgspec import UNSET

from trailbell.engine.condition import Node, all_paths_of, conjuncts
from trailbell.engine.matcher import CompiledRule, Matcher
from trailbell.engine.predicates import FACTS
from trailbell.engine.prefilter.field_index import Derived
from trailbell.engine.prefilter.partial_decode import LayoutGrownError, NotUnderstoodError, PartialLayout, attribute_of
from trailbell.engine.prefilter.partial_eval import ABSENT, Known, Left, PartialEvaluation
from trailbell.engine.prefilter.rule_index import Conjunct, FieldIndexes, Found, RuleIndex
from trailbell.engine.prefilter.written import Written, may_stand, words_needed
from trailbell.lazy_dataclass import dataclass


_MAX_PLANS = 8192
_MAX_PLAN_TEXT = 512
_MAX_INDEXES = 64  # of what the same values of the gate let pass
_MAX_LEFT = 64  # ways in which the rules of a plan were found
_NOTHING_WRITTEN: Written = {}
_ALL: Sequence[Found] = ((-1, 0),)  # for a plan without an index


@dataclass(frozen=True, slots=True)
class _Finding:
    """A plan by which rules are found.

    rule_index: finds their numbers; None for all of them: what has neither a source nor a name may be no record at all,
                which a full parse tells.
    left: what is left to decide of the rules, by how they were found; which words must stand in the record for one of
          them to match, None if none need to.
    """

    rule_index: RuleIndex | None
    left: dict[tuple[Found, ...], tuple[Sequence[CompiledRule], frozenset[bytes] | None]] = field(default_factory=dict)


_NOT_WATCHED, _NO_RULE_LEFT, _FIRST_FINDING = 0, 1, 2
"""Plans, as numbers: no rule's gate lets such records pass; no rule is left; from here on rules are found by an index.

Numbers, because nearly all records have one of the first two, and those are counted without looking at each.
"""


def _find_all(_: Any) -> Sequence[Found]:
    return _ALL


class _Plans(dict[tuple[Any, ...], int]):
    """The number of the plan for some known values, made when it is first asked for.

    make: from known values to what finds the rules, or to the number of a plan that finds none.
    """

    def __init__(self, make: Callable[[tuple[Any, ...]], "_Finding | int"]) -> None:
        super().__init__()
        self._make = make
        self.finding: list[_Finding] = []
        """Of the plans from _FIRST_FINDING on."""
        self.finders: list[Callable[[Any], Sequence[Found]]] = []
        """Theirs, from a partial record to the rules that it may match."""

    def __missing__(self, known_values: tuple[Any, ...]) -> int:
        plan = self._make(known_values)
        if not isinstance(plan, int):
            self.finding.append(plan)
            self.finders.append(plan.rule_index.find if plan.rule_index else _find_all)
            plan = _FIRST_FINDING + len(self.finding) - 1
        if sum(len(value) for value in known_values if isinstance(value, str)) <= _MAX_PLAN_TEXT:
            self[known_values] = plan
        return plan

    def bound(self) -> None:
        """Forget all plans if there are too many. Numbers that were given before mean nothing then."""
        if len(self) >= _MAX_PLANS or len(self.finding) >= _MAX_PLANS:
            self.clear()
            self.finding.clear()
            self.finders.clear()


@dataclass(slots=True)
class Block:
    """A block of records: how many there are, how many are not watched, and those that rules may match.

    to_parse: the record's position in the block, its text, and the rules left to decide, strongest first.
    """

    records: int
    not_watched: int = 0
    to_parse: list[tuple[int, bytes, Sequence[CompiledRule]]] = field(default_factory=list)


class Prefilter:
    """A matcher's rules, ready for blocks of records.

    derived: which fields follow from which texts of a record; member_order: a record's members as they are written;
    written: which fields are made of a record's texts.
    """

    def __init__(
        self,
        matcher: Matcher,
        derived: Mapping[str, Derived],
        partial_evaluation: PartialEvaluation,
        member_order: Sequence[str] = (),
        written: Written = _NOTHING_WRITTEN,
    ) -> None:
        self._matcher, self._partial_evaluation, self._written = matcher, partial_evaluation, written
        self._lock = Lock()
        known_fields = partial_evaluation.known_fields
        decided = partial_evaluation.known_derived
        self._decided = frozenset((*known_fields, *decided))
        self._derived = {name: one for name, one in derived.items() if name not in decided or one.closer}
        mentioned = [path for rule in matcher.compiled for path in all_paths_of(rule.rule.detection)]
        needed = {path for path in mentioned if not path.startswith(FACTS)}
        used = [
            one for name, first in self._derived.items() if name in mentioned for one in (first, first.closer) if one
        ]
        # Two names of each path: the text at a path is found below them without any other name (`text_finder`).
        needed.update(".".join(path.split(".")[:2]) for one in used if not one.by_json for path in one.paths)
        by_json = [path for one in used if one.by_json for path in one.paths]
        needed.update(path for path in by_json if "." in path)
        texts = [path for path in by_json if "." not in path]
        texts += [path.partition(".")[0] for one in used if one.whole for path in one.paths if "." in path]
        self._layout = PartialLayout(known_fields, needed, member_order, texts)
        self._field_indexes = FieldIndexes(self._layout, self._derived, frozenset(decided))
        self._conditions: dict[int, _Condition] = {}
        self._passing: dict[tuple[Any, ...], _Passing] = {}
        self._shared: RuleIndex | None = None
        self._known_values = attrgetter(*map(attribute_of, known_fields))
        self._plans = _Plans(self._make_plan)
        self._decode_fields = msgspec.json.Decoder().decode
        self._decode_texts = msgspec.json.Decoder(list[msgspec.Raw]).decode

    def read(self, records: bytes) -> Block | None:
        """Filter a JSON list of records; None where they must all be parsed in full.

        Threads take turns: plans and what is remembered grow while records are read.
        """
        while True:
            try:
                with self._lock:
                    return self._read(records)
            except NotUnderstoodError:
                return None
            except LayoutGrownError:  # at most once for each member of a record
                continue

    def fields_of(self, record: bytes) -> dict[str, Any] | None:
        """The fields of a record of a block that was read, as Python's json gives them; None where that must say.

        msgspec takes a third of the time, and refuses what it may read otherwise: lone surrogates, NaN, infinity.
        """
        try:
            fields = self._decode_fields(record)
        except (ValueError, RecursionError):
            return None
        return fields if type(fields) is dict else None

    def _read(self, records: bytes) -> Block:
        partials = self._layout.decode(records)
        self._plans.bound()
        plans = [*map(self._plans.__getitem__, map(self._known_values, partials))]
        block = Block(len(plans), plans.count(_NOT_WATCHED))
        left = block.records - block.not_watched - plans.count(_NO_RULE_LEFT)
        if left:
            block.to_parse = self._records_to_parse(records, partials, plans)
        return block

    def _records_to_parse(
        self, records: bytes, partials: Sequence[Any], plans: Sequence[int]
    ) -> list[tuple[int, bytes, Sequence[CompiledRule]]]:
        """Of a block's records those that rules may match; plans: the number of each record's plan."""
        finding, finders = self._plans.finding, self._plans.finders
        found = [
            (position, *self._left_of(finding[plan - _FIRST_FINDING], numbers, partials[position]))
            for position, plan in enumerate(plans)
            if plan >= _FIRST_FINDING
            if (numbers := finders[plan - _FIRST_FINDING](partials[position]))
        ]
        self._layout.forget_record()
        self._field_indexes.forget_record()
        texts = self._decode_texts(records) if found else ()
        entries = ((position, bytes(texts[position]), rules, words) for position, rules, words in found)
        return [
            (position, text, rules)
            for position, text, rules, words in entries
            if words is None or may_stand(words, text)
        ]

    def _left_of(
        self, plan: _Finding, found: Sequence[Found], partial: Any
    ) -> tuple[Sequence[CompiledRule], frozenset[bytes] | None]:
        """The rules that were found for a record, strongest first, each with what is left to decide, and the words
        without which none does.
        """
        if plan.rule_index is None:
            return self._matcher.compiled, None
        key = tuple(found)
        left = plan.left.get(key)
        if left is None:
            if len(plan.left) >= _MAX_LEFT:
                plan.left.clear()
            left = plan.left[key] = self._left_by(plan.rule_index, found, self._known_values(partial))
        return left

    def _left_by(
        self, rule_index: RuleIndex, found: Sequence[Found], known_values: tuple[Any, ...]
    ) -> tuple[Left, frozenset[bytes] | None]:
        """What is left of rules that were found so, and the words without which none of them matches."""
        known = _Possibilities(self._known(known_values))
        conditions = list[tuple[CompiledRule, Node | bool]]()
        words: frozenset[bytes] | None = frozenset()
        for one in sorted(found):
            rule = self._matcher.compiled[one[0]]
            left = self._left_to_decide(rule, known, rule_index.sure_of(one))
            node: Node = ["and", left]
            conditions.append((rule.with_left(left), node if left else True))
            needed = words_needed(node, self._written)
            words = None if words is None or needed is None else words | needed
        return Left(conditions), words

    def _left_to_decide(self, rule: CompiledRule, known: "_Possibilities", sure: Sequence[Node]) -> list[Node]:
        """The parts of a rule's condition that known values and the partial record do not decide for certain."""
        left = list[Node]()
        for node in conjuncts(rule.rule.detection):
            simple = self._partial_evaluation.simplified(node, known.of(all_paths_of(node)))
            if simple is not True:
                left += self._field_indexes.undecided(node if simple is False else simple)
        return [node for node in left if node not in sure]

    def _known(self, known_values: tuple[Any, ...]) -> list[Known]:
        return self._partial_evaluation.known_values([ABSENT if value is UNSET else value for value in known_values])

    def _make_plan(self, known_values: tuple[Any, ...]) -> _Finding | int:
        """What finds the rules that records with these values may match; the number of the plan where none is left."""
        gate = known_values[: len(self._matcher.gate_fields)]
        if all(value is UNSET for value in gate):
            return _Finding(None)
        passing = self._passing.get(gate) or self._make_passing(gate)
        if passing is _NONE_PASSES:
            return _NOT_WATCHED
        rule_index = self._rule_index(passing, _Possibilities(self._known(known_values)))
        return _NO_RULE_LEFT if rule_index.is_empty else _Finding(rule_index)

    def _make_passing(self, gate: tuple[Any, ...]) -> "_Passing":
        """What the gate's values leave of the rules that they let pass."""
        passing = self._passing_rules(gate)
        if all(isinstance(value, str) for value in gate) and sum(map(len, gate)) <= _MAX_PLAN_TEXT:
            if len(self._passing) >= _MAX_PLANS:
                self._passing.clear()
            self._passing[gate] = passing
        return passing

    def _passing_rules(self, gate: tuple[Any, ...]) -> "_Passing":
        candidates = self._matcher.passing(*gate)
        if not candidates:
            return _NONE_PASSES
        by_field = zip(self._matcher.gate_fields, gate, strict=True)
        known = {name: [] if value is UNSET else [value] for name, value in by_field}
        passing = _Passing()
        for rule in candidates:
            condition = self._conditions.get(rule.number)
            if condition is None:
                condition = self._conditions[rule.number] = self._split(rule)
            left = None if condition.shared else self._left(condition, known)
            if left:
                (passing.varying if left.known else passing.same)[rule.number] = left
        return passing

    def _left(self, condition: "_Condition", known: Known) -> "_Condition | None":
        """What the gate's values leave of a condition; None if they rule it out."""
        open_, varying = list(condition.open), list[tuple[Node, frozenset[str]]]()
        for node, _ in condition.known:
            simple = self._partial_evaluation.simplified(node, [known])
            if simple is False:
                return None
            if not isinstance(simple, bool):
                paths = all_paths_of(simple)
                if self._decided.isdisjoint(paths):
                    open_ += self._field_indexes.conjuncts(simple)
                else:
                    varying.append((simple, paths))
        return _Condition(varying, open_, shared=False)

    def _rule_index(self, passing: "_Passing", known: "_Possibilities") -> RuleIndex:
        """An index of the rules that pass and are left by all known values, the same for the same that is left."""
        left = {
            number: parts
            for number, condition in passing.varying.items()
            if (parts := self._open_by(condition, known)) is not None
        }
        key = tuple((number, *[one.name for one in parts]) for number, parts in left.items())
        rule_index = passing.indexes.get(key)
        if rule_index is None:
            if self._shared is None:
                self._shared = self._shared_index()
            rules = {number: condition.open for number, condition in passing.same.items()} | left
            rule_index = RuleIndex(rules, self._field_indexes, self._shared)
            if len(passing.indexes) >= _MAX_INDEXES:
                passing.indexes.clear()
            passing.indexes[key] = rule_index
        return rule_index

    def _open_by(self, condition: "_Condition", known: "_Possibilities") -> list[Conjunct] | None:
        """What must still hold for a rule by all known values; None if it cannot match."""
        left = list(condition.open)
        for node, paths in condition.known:
            simple = self._partial_evaluation.simplified(node, known.of(paths))
            if simple is False:
                return None
            if simple is not True:
                left += self._field_indexes.conjuncts(simple)
        return left

    def _split(self, rule: CompiledRule) -> "_Condition":
        nodes = [(node, all_paths_of(node)) for node in conjuncts(rule.rule.detection)]
        known = [(node, paths) for node, paths in nodes if not self._decided.isdisjoint(paths)]
        others = [node for node, paths in nodes if self._decided.isdisjoint(paths)]
        open_ = [part for node in others for part in self._field_indexes.conjuncts(node)]
        return _Condition(known, open_, shared=not known and not rule.rule.gate)

    def _shared_index(self) -> RuleIndex:
        """The rules that are the same in all plans: without a gate, and with nothing that known fields decide."""
        ungated = [rule for rule in self._matcher.compiled if not rule.rule.gate]
        conditions = {rule.number: self._split(rule) for rule in ungated}
        self._conditions |= conditions
        return RuleIndex({number: one.open for number, one in conditions.items() if one.shared}, self._field_indexes)


class _Possibilities:
    """What known values leave possible, for parts of conditions: most look at nothing of which there are several."""

    def __init__(self, known: Sequence[Known]) -> None:
        self._every, self._first = known, known[:1]
        self._several = {name for name, value in known[0].items() if any(one[name] != value for one in known[1:])}

    def of(self, paths: frozenset[str]) -> Sequence[Known]:
        """Those that differ for a part that looks at these fields."""
        return self._first if self._several.isdisjoint(paths) else self._every


@dataclass(frozen=True, slots=True)
class _Condition:
    """A rule's condition in two parts: what known fields decide, at least in part, and what they leave open.

    known:  its parts, each with the fields that it looks at.
    shared: known fields decide nothing, and no gate keeps any record from the rule.
    """

    known: list[tuple[Node, frozenset[str]]]
    open: list[Conjunct]
    shared: bool


@dataclass(frozen=True, slots=True)
class _Passing:
    """The rules that some values of the gate let pass, by number, with what these leave of their conditions. Of most
    they leave what does not depend on anything else that is known of a record.

    varying: conditions that look at what else is known; indexes: for what may be left of these, an index of all rules.
    """

    same: dict[int, _Condition] = field(default_factory=dict)
    varying: dict[int, _Condition] = field(default_factory=dict)
    indexes: dict[tuple[Any, ...], RuleIndex] = field(default_factory=dict)


_NONE_PASSES = _Passing()
