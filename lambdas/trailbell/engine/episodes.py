"""When a correlation is true: from what events contribute in one group to the episodes that they make.

Everything here is about one correlation and one group, and depends on the set of contributions alone: neither on their
order nor on how often one comes.

- A combination is a smallest set of contributions within the timespan that makes the correlation true.
- A member is a contribution that is in some combination.
- A window is a largest set of members within the timespan of each other. Both of its ends are inside.
- An episode is what true windows that share a member come to, joined again and again.

Another contribution can only add members and join episodes: that is why detectors that see them in different orders
come to the same episodes.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from trailbell.engine.correlation import Contribution, Correlation, CorrelationType
from trailbell.engine.ordered import Chains


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode.

    first, last: times of its first and last member; members: by time; firings: the times at which some combination
    became complete, which is what a correlation over this one counts.
    """

    first: Any
    last: Any
    members: tuple[Contribution, ...]
    firings: tuple[Any, ...]


def episodes_of(correlation: Correlation, contributions: Iterable[Contribution]) -> list[Episode]:
    """The episodes of one group, by time. Contributions may come in any order, and repeated."""
    given = [*contributions]
    if len(set(map(_KEYS[correlation.kind], given))) < correlation.threshold:
        return []  # as in most groups, which then need no order
    found, timespan = set(given), correlation.timespan_seconds
    is_ordered = correlation.kind is CorrelationType.TEMPORAL_ORDERED
    if is_ordered and correlation.threshold > 1:
        found = {*_near_others(found, timespan)}
    distinct = sorted(found, key=_by_time)
    if is_ordered:
        chains = Chains(distinct, len(correlation.rules), correlation.threshold, timespan)
        members = chains.members()
        fires = [chains.fires_at(one.time) for one in members]
        windows = [*_windows(members, timespan, chains.is_true)]
    else:
        members = distinct
        fires, windows = _counted(correlation, members)
    return [_episode(members, fires, start, end) for start, end in _joined(windows)]


def _near_others(contributions: Collection[Contribution], timespan: int) -> Iterator[Contribution]:
    """Those with one of another rule no further away than the timespan: no others are in a sequence of several rules.

    Of a rule that many calls match next to none are, and following sequences costs more than looking for neighbours.
    """
    rules = {one.rule for one in contributions}
    others = {rule: sorted(one.time for one in contributions if one.rule != rule) for rule in rules}
    for one in contributions:
        times = others[one.rule]
        at = bisect_left(times, one.time - timespan)
        if at < len(times) and times[at] <= one.time + timespan:
            yield one


def _by_time(one: Contribution) -> Any:
    """Sorts by time, then by anything that is the same every time."""
    return one.time, one.rule, str(one.identity), str(one.value)


def _episode(members: Sequence[Contribution], fires: Sequence[bool], start: int, end: int) -> Episode:
    times = (one.time for one, fire in zip(members[start : end + 1], fires[start : end + 1], strict=True) if fire)
    chosen = tuple(members[start : end + 1])
    return Episode(chosen[0].time, chosen[-1].time, chosen, tuple(dict.fromkeys(times)))


def _windows(
    members: Sequence[Contribution], timespan: int, is_true: Callable[[Any, Any], bool]
) -> Iterator[tuple[int, int]]:
    """The true windows: positions of their first and last members."""
    times = [one.time for one in members]
    start = 0
    while start < len(members):
        end = bisect_right(times, times[start] + timespan) - 1
        if is_true(times[start], times[end]):
            yield start, end
        start = bisect_right(times, times[start])


def _counted(correlation: Correlation, members: Sequence[Contribution]) -> tuple[list[bool], list[tuple[int, int]]]:
    """Where a count of something distinct is reached: for each member whether a combination is complete with it, and
    the true windows.
    """
    keys = [COUNTED[correlation.kind](one) for one in members]
    timespan, threshold = correlation.timespan_seconds, correlation.threshold
    inside = Counter[Hashable]()
    fires, windows, start = [False] * len(members), list[tuple[int, int]](), 0
    for _, group in groupby(range(len(members)), lambda at: members[at].time):
        now = list(group)
        while members[start].time < members[now[0]].time - timespan:
            _leave(inside, keys[start])
            start += 1
        inside.update(keys[at] for at in now)
        if len(inside) >= threshold:
            windows.append((start, now[-1]))
            for at in now:
                fires[at] = True
    return fires, windows


def _leave(inside: Counter[Hashable], key: Hashable) -> None:
    inside[key] -= 1
    if not inside[key]:
        del inside[key]


COUNTED: dict[CorrelationType, Callable[[Contribution], Hashable]] = {
    CorrelationType.EVENT_COUNT: lambda one: one.identity,
    CorrelationType.VALUE_COUNT: lambda one: one.value,
    CorrelationType.TEMPORAL: lambda one: one.rule,
}
"""What is to be distinct, of the types that count."""

_KEYS = {**COUNTED, CorrelationType.TEMPORAL_ORDERED: COUNTED[CorrelationType.TEMPORAL]}
"""The same, and of temporal_ordered what no combination has twice."""


def _joined(windows: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Windows that share a member, joined; windows come by their start."""
    current: tuple[int, int] | None = None
    for start, end in windows:
        if current and start <= current[1]:
            current = (min(current[0], start), max(current[1], end))
        else:
            if current:
                yield current
            current = (start, end)
    if current:
        yield current
