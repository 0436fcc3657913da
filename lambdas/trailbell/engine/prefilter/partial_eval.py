"""Partial evaluation: a few fields with few values decide most rules; what they leave to decide is worked out once.

For each combination of values that the known fields take, the rules' conditions are simplified as far as these
values go. For most records no rule is left.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Self

from trailbell.engine.condition import Node, ValueTests, simplify
from trailbell.engine.matcher import CompiledRule, Matcher
from trailbell.engine.prefilter.field_index import Derived


class _Absent:
    """The kind of ABSENT, and of nothing else."""


ABSENT: Any = _Absent()
"""In place of the value of a field that an event does not have."""

Known = Mapping[str, list[Any]]
"""The values of fields, by path."""

_MAX_COMBINATIONS = 4096
_MAX_TEXT = 512
_PLAIN_TYPES = frozenset((str, bool, type(None), _Absent))


class Left(tuple[CompiledRule, ...]):
    """The rules that some known values leave open.

    conditions: the same rules, with what is left of their conditions, True where nothing is.
    begun:      where a decision on them begins (decision.py), once one has.
    """

    conditions: Sequence[tuple[CompiledRule, Node | bool]]
    begun: Any = None

    def __new__(cls, conditions: Sequence[tuple[CompiledRule, Node | bool]]) -> Self:
        """The rules of these conditions."""
        left = super().__new__(cls, [rule for rule, _ in conditions])
        left.conditions = conditions
        return left


class PartialEvaluation:
    """Rules, simplified for each combination of values of the known fields.

    known_fields: top-level fields with few values, the gate's first.
    derived:      what follows from which texts of an event.
    """

    def __init__(self, known_fields: Sequence[str], derived: Mapping[str, Derived]) -> None:
        self.known_fields = tuple(known_fields)
        self.known_derived = {name: one for name, one in derived.items() if set(one.paths) <= {*self.known_fields}}
        """Derived fields that follow from the known fields alone."""
        self.tests = ValueTests()
        self._left: dict[Hashable, Left | None] = {}

    def known_values(self, values: Sequence[Any]) -> list[Known]:
        """What every field holds that is decided, by path, for each possibility that the known fields leave.

        values: the known fields', ABSENT where there is none.
        """
        by_field = dict(zip(self.known_fields, values, strict=True))
        known: list[Known] = [{name: [] if value is ABSENT else [value] for name, value in by_field.items()}]
        for name, derived in self.known_derived.items():
            texts = [value if isinstance(value := by_field[path], str) else "" for path in derived.paths]
            possible = derived.possible(*texts)
            if possible is not None:
                known = [{**one, name: [value]} for one in known for value in possible]
        return known

    def simplified(self, node: Node, known: Sequence[Known]) -> Node | bool:
        """What is left to decide of a condition: True or False where every possibility says so."""
        results = [simplify(node, one, self.tests) for one in known]
        if len(results) == 1 or all(result is results[0] and isinstance(result, bool) for result in results):
            return results[0]
        certain = {name: value for name, value in known[0].items() if all(one[name] == value for one in known)}
        return simplify(node, certain, self.tests)

    def rules_left(self, fields: Mapping[str, Any], matcher: Matcher) -> Sequence[CompiledRule] | None:
        """Of the rules whose gate an event passes those that the known fields leave open, strongest first; None if it
        passes none.
        """
        values = self.values_of(fields)
        if values is None:  # a field of an unusual type: let every rule decide for itself
            return matcher.candidates(fields) or None
        if values in self._left:
            return self._left[values]
        left = self._rules_left(values, matcher.candidates(fields))
        if self.are_short(values):
            if len(self._left) >= _MAX_COMBINATIONS:
                self._left.clear()
            self._left[values] = left
        return left

    def _rules_left(self, values: tuple[Any, ...], candidates: Sequence[CompiledRule]) -> "Left | None":
        if not candidates:
            return None
        known = self.known_values(values)
        conditions = [(rule, self.simplified(rule.rule.detection, known)) for rule in candidates]
        return Left([(rule, node) for rule, node in conditions if node is not False])

    def values_of(self, fields: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The values of the known fields, ABSENT where there is none; None if one is of an unusual type."""
        values = tuple([fields.get(name, ABSENT) for name in self.known_fields])
        return values if _PLAIN_TYPES.issuperset(map(type, values)) else None

    def are_short(self, values: Sequence[Any]) -> bool:
        """Whether values of the known fields are worth remembering: forged ones may be long."""
        return sum(len(value) for value in values if isinstance(value, str)) <= _MAX_TEXT
