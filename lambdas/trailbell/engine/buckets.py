"""Buckets: the contributions to a group are kept in parts by time, and of each part only what can matter.

A bucket is no longer than the timespan, so what a window has of one is its beginning, its end or all of it. That is
why the first and the last of what counts are enough, whatever lies between.

Of the three types that count, no interval of an episode is changed by cutting, also where each log file's part of a
bucket is cut for itself: tests/unit/test_buckets.py. Proof: a part of which a window has as many distinct ones as
are wanted makes it true cut or not; of any other part all that the window has of it is kept, by its first or last
occurrence; and every second at which an episode could end is kept, for where the part's beginning and its end up to
that second both suffice, the whole part lies in the episode.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from trailbell.engine.correlation import Contribution, Correlation, CorrelationType
from trailbell.engine.episodes import COUNTED


ORDERED_MOST = 16
"""Of temporal_ordered: as many of each rule are kept from the beginning of a bucket, and from its end."""

_SHORTEST_SECONDS = 60
_PARTS = 6  # of a timespan


def bucket_seconds(correlation: Correlation) -> int:
    """How long a bucket is: a sixth of the timespan or a minute, and never longer than the timespan."""
    timespan = correlation.timespan_seconds
    return min(timespan, max(_SHORTEST_SECONDS, timespan // _PARTS))


def bucket_start(correlation: Correlation, time: int) -> int:
    """When the bucket of a time begins."""
    return time - time % bucket_seconds(correlation)


def reach_seconds(correlation: Correlation) -> int:
    """How far from a contribution others can lie that decide with it about one window.

    A window of what counts is no longer than the timespan. In one of temporal_ordered each contribution may be a
    member by a sequence of its own, which reaches out of the window on either side.
    """
    is_ordered = correlation.kind is CorrelationType.TEMPORAL_ORDERED
    return correlation.timespan_seconds * (3 if is_ordered else 1)


def essence(correlation: Correlation, one: Contribution) -> Contribution:
    """A contribution without what its correlation does not look at."""
    is_by_rule = correlation.kind in (CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED)
    has_value = correlation.kind is CorrelationType.VALUE_COUNT
    return Contribution(one.time, one.identity, one.rule if is_by_rule else 0, one.value if has_value else None)


def cut(
    correlation: Correlation, contributions: Iterable[Contribution], *, every_second: bool = False
) -> list[Contribution]:
    """Of the contributions to one bucket, reduced to their essence, those that can matter, by time.

    every_second: whether each second that has a contribution keeps one, so that no firing is lost: where another
    correlation counts this one.
    """
    distinct = sorted(set(contributions), key=_order)
    if correlation.kind is CorrelationType.TEMPORAL_ORDERED:
        return _cut_ordered(correlation, distinct)
    return _cut_counted(correlation, distinct, every_second=every_second)


def _order(one: Contribution) -> Any:
    return one.time, one.rule, str(one.identity), str(one.value)


def _cut_counted(
    correlation: Correlation, by_time: Sequence[Contribution], *, every_second: bool
) -> list[Contribution]:
    """The first occurrences of the first distinct ones, the last occurrences of the last, and of each second at which
    one of the two does not suffice yet, one: an episode may end there.
    """
    early, enough_at = _first_distinct(correlation, by_time)
    late, enough_from = _first_distinct(correlation, by_time[::-1])
    kept = {*early, *late}
    for time, moment in groupby(by_time, lambda one: one.time):
        is_open = enough_at is None or time < enough_at or enough_from is None or time > enough_from
        if every_second or is_open:
            kept.add(next(moment))
    return sorted(kept, key=_order)


def _first_distinct(correlation: Correlation, ordered: Iterable[Contribution]) -> tuple[list[Contribution], int | None]:
    """As many distinct ones as are wanted, as they come; the time of the last of them, None if there are fewer."""
    key, found = COUNTED[correlation.kind], dict[Any, Contribution]()
    for one in ordered:
        found.setdefault(key(one), one)
        if len(found) == correlation.threshold:
            return [*found.values()], one.time
    return [*found.values()], None


def _cut_ordered(correlation: Correlation, by_time: Sequence[Contribution]) -> list[Contribution]:
    """Of each rule and second as many events as a sequence has, which changes nothing; of the rest the first and the
    last of each rule, which may lose episodes in a flood and makes none.
    """
    kept = list[Contribution]()
    for rule in range(len(correlation.rules)):
        thinned = [*_thinned((one for one in by_time if one.rule == rule), correlation.threshold)]
        kept += thinned if len(thinned) <= 2 * ORDERED_MOST else thinned[:ORDERED_MOST] + thinned[-ORDERED_MOST:]
    return sorted(kept, key=_order)


def _thinned(by_time: Iterable[Contribution], most: int) -> Iterator[Contribution]:
    for _, moment in groupby(by_time, lambda one: one.time):
        yield from [*moment][:most]
