"""Partial evaluation: a few fields with few values decide most rules; what they leave to decide is worked out once.

For each combination of values that the known fields take, the rules' conditions are simplified as far as these
values go. For most records no rule is left.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from trailbell.engine.condition import Node, ValueTests, simplify
from trailbell.engine.matcher import CompiledRule
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
        self._left: dict[Hashable, tuple[CompiledRule, ...]] = {}

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

    def rules_left(self, fields: Mapping[str, Any], candidates: Sequence[CompiledRule]) -> Sequence[CompiledRule]:
        """Of the rules whose gate an event passes those that the known fields leave open, in the same order."""
        values = self.values_of(fields)
        if values is None:
            return candidates  # a field of an unusual type: let every rule decide for itself
        left = self._left.get(values)
        if left is None:
            known = self.known_values(values)
            left = tuple(rule for rule in candidates if self.simplified(rule.rule.detection, known) is not False)
            if self.are_short(values):
                if len(self._left) >= _MAX_COMBINATIONS:
                    self._left.clear()
                self._left[values] = left
        return left

    def values_of(self, fields: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The values of the known fields, ABSENT where there is none; None if one is of an unusual type."""
        values = tuple([fields.get(name, ABSENT) for name in self.known_fields])
        return values if _PLAIN_TYPES.issuperset(map(type, values)) else None

    def are_short(self, values: Sequence[Any]) -> bool:
        """Whether values of the known fields are worth remembering: forged ones may be long."""
        return sum(len(value) for value in values if isinstance(value, str)) <= _MAX_TEXT
