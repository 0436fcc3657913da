"""Episodes by the definitions of engine/episodes.py, word for word: every subset is tried. For few contributions."""

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise, permutations
from typing import Any

from trailbell.engine.correlation import Contribution, Correlation, CorrelationType


Group = frozenset[Contribution]


def naive_episodes(correlation: Correlation, given: Iterable[Contribution]) -> list[tuple[Any, Any, Group, set[Any]]]:
    """First, last, members and times of firing of each episode, by time."""
    whole = frozenset(given)
    smallest = _smallest(correlation, whole)
    members = frozenset[Contribution]().union(*smallest)
    windows = [window for window in _windows(correlation, members) if _is_true(correlation, window)]
    episodes = _joined(windows)
    return sorted(
        (
            min(one.time for one in episode),
            max(one.time for one in episode),
            episode,
            {max(one.time for one in combination) for combination in smallest if combination <= episode},
        )
        for episode in episodes
    )


def _smallest(correlation: Correlation, whole: Group) -> list[Group]:
    found = list[Group]()
    for size in range(1, correlation.threshold + 1):
        for chosen in map(frozenset, combinations(whole, size)):
            true = _fits(correlation, chosen) and _is_true(correlation, chosen)
            if true and not any(other < chosen for other in found):
                found.append(chosen)
    return found


def _windows(correlation: Correlation, members: Group) -> list[Group]:
    times = {one.time for one in members}
    spans = [
        frozenset(one for one in members if start <= one.time <= start + correlation.timespan_seconds)
        for start in times
    ]
    return [span for span in spans if not any(span < other for other in spans)]


def _joined(windows: Sequence[Group]) -> list[Group]:
    episodes = list[Group]()
    for window in windows:
        touching = [episode for episode in episodes if episode & window]
        episodes = [episode for episode in episodes if not episode & window]
        episodes.append(window.union(*touching))
    return episodes


def _fits(correlation: Correlation, chosen: Group) -> bool:
    times = [one.time for one in chosen]
    return max(times) - min(times) <= correlation.timespan_seconds


def _is_true(correlation: Correlation, chosen: Group) -> bool:
    match correlation.kind:
        case CorrelationType.EVENT_COUNT:
            return len({one.identity for one in chosen}) >= correlation.threshold
        case CorrelationType.VALUE_COUNT:
            return len({one.value for one in chosen}) >= correlation.threshold
        case CorrelationType.TEMPORAL:
            return len({one.rule for one in chosen}) >= correlation.threshold
    return any(
        all(earlier.time <= later.time and earlier.rule < later.rule for earlier, later in pairwise(chain))
        and len({one.identity for one in chain}) == len(chain)
        for chain in permutations(chosen, correlation.threshold)
    )
