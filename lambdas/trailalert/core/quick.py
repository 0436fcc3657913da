"""The quick way through a log file: blocks of whole records, of which only those a rule may match are parsed.

A record is first looked at by its header (core/header.py). For each combination of a few members that have
few values (the key) there is a plan, made once: which rules are left to decide, and by which fields
(core/anchors.py). What the plan lets through is parsed and decided like any record read the plain way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from trailalert.core.anchors import Anchors
from trailalert.core.columns import Derived
from trailalert.core.detection import Node, paths_of, simplify
from trailalert.core.header import HeaderLayout, NotUnderstoodError, attribute_of
from trailalert.core.matcher import GATE_FIELDS, CompiledRule, Matcher
from trailalert.core.predicates import FACTS


KEY = (*GATE_FIELDS, "readOnly", "errorCode")
"""The members whose values choose the plan."""

_MAX_PLANS = 8192
_MAX_KEY_TEXT = 512


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with records of one key. watched: whether any rule's gate lets them pass."""

    watched: bool
    anchors: Anchors | None


_NOT_WATCHED = Plan(watched=False, anchors=None)
_IDLE = Plan(watched=True, anchors=None)


@dataclass(slots=True)
class Block:
    """A block of records: how many, how many not watched, and those that rules may match.

    found: the record's position in the block, its text, and the rules left to decide, strongest first.
    """

    records: int
    not_watched: int = 0
    found: list[tuple[int, bytes, list[CompiledRule]]] = field(default_factory=list)


class QuickReader:
    """A matcher's rules, ready for blocks of records; `derived` says what facts follow from which members."""

    def __init__(self, matcher: Matcher, derived: Mapping[str, Derived]) -> None:
        self._matcher = matcher
        fixed = {name: one for name, one in derived.items() if set(one.paths) <= set(KEY)}
        self._fixed, self._derived = fixed, {name: one for name, one in derived.items() if name not in fixed}
        mentioned = [path for rule in matcher.compiled for path in _all_paths(rule.rule.detection)]
        needed = {path for path in mentioned if not path.startswith(FACTS)}
        needed.update(path for name in self._derived if name in mentioned for path in self._derived[name].paths)
        self._layout = HeaderLayout(KEY, needed)
        self._key_of = attrgetter(*map(attribute_of, KEY))
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._decode_texts = msgspec.json.Decoder(list[msgspec.Raw]).decode

    def read(self, text: bytes) -> Block | None:
        """Look at the records of a text, `{…},{…}`; None where it must be read the plain way."""
        try:
            return self._read(text)
        except NotUnderstoodError:
            return None

    def _read(self, text: bytes) -> Block:
        headers = self._layout.decode(text)
        block = Block(len(headers))
        keys = list(map(self._key_of, headers))
        texts: Sequence[msgspec.Raw] = ()
        not_watched = 0
        for position, plan in enumerate(map(self._plans.get, keys)):
            if plan is None:
                plan = self._plan(keys[position])
            if plan is _NOT_WATCHED:
                not_watched += 1
            elif plan.anchors is not None:
                numbers = plan.anchors.find(headers[position])
                if numbers:
                    texts = texts or self._decode_texts(b"[" + text + b"]")
                    rules = [self._matcher.compiled[number] for number in numbers]
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
        values = dict(zip(KEY, key, strict=True))
        candidates = self._matcher.passing(*(values[name] for name in GATE_FIELDS))
        if not candidates:
            return _NOT_WATCHED
        known = {name: [] if value is UNSET else [value] for name, value in values.items()}
        for name, derived in self._fixed.items():
            texts = [value if isinstance(value := values[path], str) else "" for path in derived.paths]
            possible = derived.possible(*texts)
            if len(possible) == 1:
                known[name] = list(possible)
        conditions: dict[int, Node] = {}
        for rule in candidates:
            left = simplify(rule.rule.detection, known)
            if left is not False:
                conditions[rule.number] = ["and", []] if left is True else left
        anchors = Anchors(conditions, self._layout, self._derived)
        return _IDLE if anchors.idle else Plan(watched=True, anchors=anchors)


def _all_paths(node: Node) -> frozenset[str]:
    """The fields a tree looks at, leaving out what cannot be said of keywords and comparisons of fields."""
    if node[0] in ("and", "or"):
        return frozenset().union(*map(_all_paths, node[1]))
    return _all_paths(node[1]) if node[0] == "not" else paths_of(node) or frozenset()
