"""A record's key decides most rules by itself: a few members that have few values, and what follows from them.

For each key it is worked out once which rules are left to decide; of most records none is.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from trailbell.engine.condition import Node, Tests, simplify
from trailbell.engine.matcher import GATE_FIELDS, CompiledRule
from trailbell.engine.prefilter.field_index import Derived


KEY = (*GATE_FIELDS, "readOnly", "errorCode")
"""The members that make the key."""


class _Absent:
    """The kind of ABSENT, and of nothing else."""


ABSENT: Any = _Absent()
"""Stands for a member that a record does not have."""

Known = Mapping[str, list[Any]]
"""The values of fields, by path."""

_MAX_KEYS = 4096
_MAX_TEXT = 512
_PLAIN = (str, bool, type(None), _Absent)


class PartialEvaluation:
    """Rules by key; `derived` says what facts follow from which members."""

    def __init__(self, derived: Mapping[str, Derived]) -> None:
        self.fixed = {name: one for name, one in derived.items() if set(one.paths) <= set(KEY)}
        """Derived fields that follow from the key alone."""
        self.tests = Tests()
        self._left: dict[Hashable, tuple[CompiledRule, ...]] = {}

    def known(self, values: Sequence[Any]) -> list[Known]:
        """The values of all fields that a key decides, by path, for each possibility that it leaves.

        values: the key's, ABSENT where there is none.
        """
        named = dict(zip(KEY, values, strict=True))
        known: list[Known] = [{name: [] if value is ABSENT else [value] for name, value in named.items()}]
        for name, derived in self.fixed.items():
            texts = [value if isinstance(value := named[path], str) else "" for path in derived.paths]
            possible = derived.possible(*texts)
            if possible:
                known = [{**one, name: [value]} for one in known for value in possible]
        return known

    def simplified(self, node: Node, known: Sequence[Known]) -> Node | bool:
        """What is left to decide of a tree: True or False where every possibility says so."""
        results = [simplify(node, one, self.tests) for one in known]
        if len(results) == 1 or all(result is results[0] and isinstance(result, bool) for result in results):
            return results[0]
        certain = {name: value for name, value in known[0].items() if all(one[name] == value for one in known)}
        return simplify(node, certain, self.tests)

    def left(self, fields: Mapping[str, Any], candidates: Sequence[CompiledRule]) -> Sequence[CompiledRule]:
        """Of the rules whose gate a record passes those that its key leaves open, in the same order."""
        values = tuple([fields.get(name, ABSENT) for name in KEY])
        if not all(isinstance(value, _PLAIN) for value in values):
            return candidates  # odd: let every rule decide for itself
        left = self._left.get(values)
        if left is None:
            known = self.known(values)
            left = tuple(rule for rule in candidates if self.simplified(rule.rule.detection, known) is not False)
            if sum(len(value) for value in values if isinstance(value, str)) <= _MAX_TEXT:
                if len(self._left) >= _MAX_KEYS:
                    self._left.clear()
                self._left[values] = left
        return left
