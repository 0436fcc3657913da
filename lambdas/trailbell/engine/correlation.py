"""A correlation: what no single event says. Its definition, as the rulebook holds it.

Sigma's correlation rules, version 2.1:
https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-correlation-rules-specification.md
"""

from collections.abc import Hashable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from trailbell.lazy_dataclass import dataclass


if TYPE_CHECKING:  # the rulebook holds correlations
    from trailbell.engine.rulebook import Rule


class CorrelationType(StrEnum):
    """What is counted."""

    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"


@dataclass(frozen=True, slots=True)
class Correlation:
    """One compiled correlation.

    rule:        how it is reported: id, name, title, level, what to check … Its detection matches no event.
    rules:       ids of the rules and correlations that it counts, in order.
    group_by:    names of the group's values: fields or aliases.
    group_paths: for each of the rules the path of each of these values, in its events; of a correlation, a name of its
                 own group_by.
    value_paths: for each of the rules the paths of the values that value_count counts together; else none.
    timespan_seconds: from the first to the last event of what is counted, both ends inside.
    threshold:   how many distinct events, values or rules make it true.
    generate:    whether the rules and correlations that it counts also report alone.
    depth:       1 over rules alone, one more over a correlation.
    """

    rule: "Rule"
    kind: CorrelationType
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    group_paths: tuple[tuple[str, ...], ...]
    value_paths: tuple[tuple[str, ...], ...]
    timespan_seconds: int
    threshold: int
    generate: bool = False
    depth: int = 1

    @property
    def correlation_id(self) -> str:
        """Its id: a UUID, or its name where it has none."""
        return self.rule.rule_id


NO_MATCH: list[Any] = ["or", []]
"""The detection of a correlation's rule."""


class Contribution(NamedTuple):
    """What one event adds to one group.

    time:     of the event, in seconds; any exact number. One event has one time.
    identity: of the event; the same for each of its records.
    rule:     position in `rules` of the rule that it matches.
    value:    what value_count counts; the same for all, where nothing is counted by it.
    """

    time: Any
    identity: Hashable
    rule: int
    value: Hashable = None


def silenced(rules: Iterable["Rule"], correlations: Iterable[Correlation]) -> frozenset[str]:
    """Ids of the rules and correlations that report nothing alone: those that some correlation counts, where none that
    does says `generate: true`, and those that are only there to be counted.
    """
    counted, spoken = set[str](), set[str]()
    for one in correlations:
        (spoken if one.generate else counted).update(one.rules)
    return frozenset((counted - spoken) | {rule.rule_id for rule in rules if rule.counts_only})
