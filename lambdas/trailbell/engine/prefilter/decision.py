"""Decision: which of some rules an event matches, without asking twice what few answers are given to.

Most rules ask for the same few facts (outcome, who acts), which have few values. For what the known fields and these
facts say together, the rules' conditions are simplified once (engine/prefilter/partial_eval.py); of each event then
only the facts are looked up, one after the other while a rule is left that asks for the next, and what remains is
decided. `matching` is the plain way, with the same result.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

from trailbell.engine.condition import Node, ValueTests, all_paths_of, compile_node, simplify
from trailbell.engine.matcher import CompiledRule, Match, matching
from trailbell.engine.predicates import Predicate, Roots, compile_finder
from trailbell.engine.prefilter.partial_eval import Left, PartialEvaluation


Telling = Mapping[str, Callable[[Any], Hashable]]
"""Facts that have few values, in the order in which they are looked up: path, and what gives the value."""

_MAX_POINTS = 4096

_Left = tuple[tuple[CompiledRule, Node | bool], ...]


class _Point:
    """How far a decision has come: the rules that are left, with what is left of their conditions.

    fact:   what is looked up next, "" if nothing is; below: where its values lead.
    """

    __slots__ = ("_decides", "_left", "below", "fact")

    def __init__(self, left: _Left, fact: str) -> None:
        self._left, self.fact = left, fact
        self.below: dict[Hashable, _Point] = {}
        self._decides: list[tuple[CompiledRule, Predicate | None]] | None = None

    def left_by(self, value: Any, tests: ValueTests) -> list[tuple[CompiledRule, Node | bool]]:
        """What a value of the fact that is looked up leaves of the conditions."""
        known = {self.fact: [value]}
        return [(rule, node if isinstance(node, bool) else simplify(node, known, tests)) for rule, node in self._left]

    @property
    def decides(self) -> list[tuple[CompiledRule, Predicate | None]]:
        """The rules that are left where nothing more is looked up, with the functions that decide on them; None where
        it is decided. The conditions are not kept beside them.
        """
        left = self._left  # read first: another thread may make them meanwhile, and leave nothing here
        if self._decides is None:
            finder = partial(compile_finder, dotted_root=False)
            self._decides = [
                (rule, None if isinstance(node, bool) else compile_node(node, finder)) for rule, node in left
            ]
            self._left = ()
        return self._decides


class Decision:
    """Decides on events of log files, whose own members never hold dots."""

    def __init__(self, partial_evaluation: PartialEvaluation, telling: Telling) -> None:
        self._partial_evaluation, self._telling = partial_evaluation, telling
        self._begun: dict[Hashable, _Point] = {}
        self._points = 0

    def matching(
        self,
        candidates: Sequence[CompiledRule],
        event: Mapping[str, Any],
        source: Any,
        facts: Mapping[str, Any],
        today: str,
    ) -> list[Match]:
        """The candidates that the event matches, in their order.

        source: what the telling facts are looked up in; facts, today: as in the plain `matching`.
        """
        point = self._beginning(candidates, event)
        if point is None:
            return matching(candidates, event, facts, today)
        while point.fact:
            value = self._telling[point.fact](source)
            point = point.below.get(value) or self._next(point, value)
        decides = point.decides
        if not decides:
            return []
        roots: Roots = (event, {"facts": facts})
        return [Match(one.rule, one.muting(roots, today)) for one, holds in decides if holds is None or holds(roots)]

    def _beginning(self, candidates: Sequence[CompiledRule], event: Mapping[str, Any]) -> _Point | None:
        """Where a decision on an event begins; None where a known field is of an unusual type."""
        if isinstance(candidates, Left):
            point: _Point | None = candidates.begun
            if point is None:
                point = candidates.begun = self._point(candidates.conditions, list(self._telling))
            return point
        values = self._partial_evaluation.values_of(event)
        if values is None:
            return None
        key = (tuple(candidates), values)
        return self._begun.get(key) or self._begin(key)

    def _begin(self, key: tuple[tuple[CompiledRule, ...], tuple[Any, ...]]) -> _Point:
        candidates, values = key
        known = self._partial_evaluation.known_values(values)
        left = [(rule, self._partial_evaluation.simplified(rule.detection, known)) for rule in candidates]
        if self._points >= _MAX_POINTS:
            self._begun.clear()
            self._points = 0
        point = self._point(left, list(self._telling))
        if self._partial_evaluation.are_short(values):
            self._begun[key] = point
        return point

    def _next(self, point: _Point, value: Any) -> _Point:
        left = point.left_by(value, self._partial_evaluation.tests)
        names = list(self._telling)
        point.below[value] = following = self._point(left, names[names.index(point.fact) + 1 :])
        return following

    def _point(self, left: Sequence[tuple[CompiledRule, Node | bool]], facts: Sequence[str]) -> _Point:
        """A point, from which the first of these facts is asked for that a rule looks at."""
        self._points += 1
        kept = tuple((rule, node) for rule, node in left if node is not False)
        asked = frozenset().union(*(all_paths_of(node) for _, node in kept if not isinstance(node, bool)))
        fact = next((fact for fact in facts if fact in asked), "")
        return _Point(kept, fact)
