"""The quick way through a log file: blocks of whole records, of which only those a rule may match are parsed.

A record is first looked at by its header (partial_decode.py). For each combination of a few members that have
few values (the key) there is a plan, made once: which rules are left to decide, and by which fields
(rule_index.py). What the plan lets through is parsed and decided like any record read the plain way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from threading import Lock
from typing import Any

import msgspec
from msgspec import UNSET

from trailbell.engine.condition import Node, conjuncts, paths_of
from trailbell.engine.matcher import GATE_FIELDS, CompiledRule, Matcher
from trailbell.engine.predicates import FACTS
from trailbell.engine.prefilter.field_index import Derived
from trailbell.engine.prefilter.partial_decode import LayoutGrownError, NotUnderstoodError, PartialLayout, attribute_of
from trailbell.engine.prefilter.partial_eval import ABSENT, KEY, Known, PartialEvaluation
from trailbell.engine.prefilter.rule_index import Fields, Part, RuleIndex


_MAX_PLANS = 8192
_MAX_KEY_TEXT = 512


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with records of one key. watched: whether any rule's gate lets them pass."""

    watched: bool
    anchors: RuleIndex | None = None


_NOT_WATCHED = Plan(watched=False)
_IDLE = Plan(watched=True)


@dataclass(slots=True)
class Block:
    """A block of records: how many, how many not watched, and those that rules may match.

    found: the record's position in the block, its text, and the rules left to decide, strongest first.
    """

    records: int
    not_watched: int = 0
    found: list[tuple[int, bytes, list[CompiledRule]]] = field(default_factory=list)


class Prefilter:
    """A matcher's rules, ready for blocks of records; `derived` says what facts follow from which members."""

    def __init__(self, matcher: Matcher, derived: Mapping[str, Derived], key: PartialEvaluation) -> None:
        self._matcher, self._key = matcher, key
        self._lock = Lock()
        self._derived = {name: one for name, one in derived.items() if name not in key.fixed}
        mentioned = [path for rule in matcher.compiled for path in _all_paths(rule.rule.detection)]
        needed = {path for path in mentioned if not path.startswith(FACTS)}
        needed.update(path for name in self._derived if name in mentioned for path in self._derived[name].paths)
        self._layout = PartialLayout(KEY, needed)
        self._fields = Fields(self._layout, self._derived)
        self._prepared: dict[int, _Prepared] = {}
        self._shared: RuleIndex | None = None
        self._key_of = attrgetter(*map(attribute_of, KEY))
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._decode_texts = msgspec.json.Decoder(list[msgspec.Raw]).decode

    def read(self, records: bytes) -> Block | None:
        """Look at a list of records; None where it must be read the plain way.

        Threads take turns: plans and what is remembered grow while records are looked at.
        """
        while True:
            try:
                with self._lock:
                    return self._read(records)
            except NotUnderstoodError:
                return None
            except LayoutGrownError:  # at most once for each member of a record
                continue

    def _read(self, records: bytes) -> Block:
        headers = self._layout.decode(records)
        block = Block(len(headers))
        keys = list(map(self._key_of, headers))
        texts: Sequence[msgspec.Raw] = ()
        not_watched = 0
        for position, plan in enumerate(map(self._plans.get, keys)):
            if plan is None:
                plan = self._plan(keys[position])
            if plan is _NOT_WATCHED:
                not_watched += 1
            elif plan.anchors:
                numbers = plan.anchors.find(headers[position])
                if numbers:
                    texts = texts or self._decode_texts(records)
                    rules = [self._matcher.compiled[number] for number in sorted(numbers)]
                    block.found.append((position, bytes(texts[position]), rules))
        block.not_watched = not_watched
        return block

    def _plan(self, key: tuple[Any, ...]) -> Plan:
        """The plan for a key, remembered."""
        plan = self._plans.get(key)  # made for an earlier record of the same block
        if plan is None:
            plan = self._make_plan(key)
            if sum(len(value) for value in key if isinstance(value, str)) <= _MAX_KEY_TEXT:
                if len(self._plans) >= _MAX_PLANS:
                    self._plans.clear()
                self._plans[key] = plan
        return plan

    def _make_plan(self, key: tuple[Any, ...]) -> Plan:
        candidates = self._matcher.passing(*key[: len(GATE_FIELDS)])
        if not candidates:
            return _NOT_WATCHED
        known = self._key.known([ABSENT if value is UNSET else value for value in key])
        left = {rule.number: parts for rule in candidates if (parts := self._left(rule, known)) is not None}
        if self._shared is None:
            self._shared = self._shared_anchors()
        anchors = RuleIndex(left, self._fields, self._shared)
        return _IDLE if anchors.idle else Plan(watched=True, anchors=anchors)

    def _left(self, rule: CompiledRule, known: Sequence[Known]) -> list[Part] | None:
        """What must still hold for a rule; None if it cannot match, or is looked after for all plans at once."""
        prepared = self._prepared.get(rule.number)
        if prepared is None:
            prepared = self._prepared[rule.number] = self._prepare(rule)
        if prepared.shared:
            return None
        parts = list(prepared.parts)
        for node in prepared.keyed:
            simple = self._key.simplified(node, known)
            if simple is False:
                return None
            if simple is not True:
                parts += self._fields.parts(simple)
        return parts

    def _prepare(self, rule: CompiledRule) -> "_Prepared":
        decided = frozenset((*KEY, *self._key.fixed))
        nodes = conjuncts(rule.rule.detection)
        keyed = [node for node in nodes if not decided.isdisjoint(_all_paths(node))]
        parts = [part for node in nodes if node not in keyed for part in self._fields.parts(node)]
        return _Prepared(keyed, parts, shared=not keyed and not rule.rule.gate)

    def _shared_anchors(self) -> RuleIndex:
        """The rules that are the same for all plans: no gate, and nothing that the key decides."""
        ungated = [rule for rule in self._matcher.compiled if not rule.rule.gate]
        prepared = {rule.number: self._prepare(rule) for rule in ungated}
        self._prepared |= prepared
        return RuleIndex({number: one.parts for number, one in prepared.items() if one.shared}, self._fields)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A rule's condition taken apart: what the key decides, at least in part, and what it does not.

    shared: the key decides nothing, and no gate keeps the rule from any record.
    """

    keyed: list[Node]
    parts: list[Part]
    shared: bool


def _all_paths(node: Node) -> frozenset[str]:
    """The fields a tree looks at, leaving out what cannot be said of keywords and comparisons of fields."""
    if node[0] in ("and", "or"):
        return frozenset().union(*map(_all_paths, node[1]))
    return _all_paths(node[1]) if node[0] == "not" else paths_of(node) or frozenset()
