"""Cutting what a bucket keeps, against the episodes of what is not cut."""

import os
import random
from collections import Counter, defaultdict

import pytest

from tests.unit.test_episodes import correlation
from trailbell.engine.buckets import ORDERED_MOST, bucket_seconds, bucket_start, cut, essence
from trailbell.engine.contribution_code import decoded, encoded, short_identity, short_value
from trailbell.engine.correlation import Contribution, Correlation, CorrelationType
from trailbell.engine.episodes import episodes_of


HISTORIES = int(os.environ.get("TRAILBELL_HISTORIES", "1500"))
COUNTED = [kind for kind in CorrelationType if kind is not CorrelationType.TEMPORAL_ORDERED]


def history(dice: random.Random, asked: Correlation, most: int) -> list[Contribution]:
    """Dense and sparse stretches over some buckets."""
    length, rules = bucket_seconds(asked), len(asked.rules)
    end = dice.randint(1, 6) * length + asked.timespan_seconds
    dense = dice.randint(0, end)
    found = list[Contribution]()
    for event in range(dice.randint(0, most)):
        time = dice.randint(0, end) if dice.random() < 0.4 else min(end, dense + dice.randint(0, length))
        value = dice.choice("vvvwxyz")
        found += [Contribution(time, event, rule, value) for rule in range(rules) if dice.random() < 1.2 / rules]
    return found


def cut_by_file(
    dice: random.Random, asked: Correlation, given: list[Contribution], *, every_second: bool
) -> list[Contribution]:
    """What is kept when the contributions come in several log files, some in more than one of them."""
    parts = defaultdict[tuple[int, int], list[Contribution]](list)
    files = dice.randint(1, 3)
    for one in given:
        for _ in range(dice.choice((1, 1, 2))):
            parts[dice.randrange(files), bucket_start(asked, one.time)].append(essence(asked, one))
    return [one for part in parts.values() for one in cut(asked, part, every_second=every_second)]


def intervals(asked: Correlation, given: list[Contribution]) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in episodes_of(asked, given)]


def firings(asked: Correlation, given: list[Contribution]) -> list[tuple[int, ...]]:
    return [one.firings for one in episodes_of(asked, given)]


def asked_for(dice: random.Random, kind: CorrelationType) -> Correlation:
    rules = dice.randint(1, 4)
    threshold = dice.randint(1, rules) if kind.startswith("temporal") else dice.randint(1, 5)
    return correlation(kind, threshold, dice.choice((1, 5, 30, 60, 90, 400, 900)), rules)


@pytest.mark.slow
@pytest.mark.parametrize("kind", COUNTED)
def test_cutting_changes_no_interval_of_what_counts(kind: CorrelationType) -> None:
    dice, seen = random.Random(f"cut {kind}"), Counter[str]()  # noqa: S311 (histories, no secret)
    for _ in range(HISTORIES):
        asked = asked_for(dice, kind)
        given = history(dice, asked, 60)
        kept = cut_by_file(dice, asked, given, every_second=False)
        assert intervals(asked, kept) == intervals(asked, given), (asked, given)
        every = cut_by_file(dice, asked, given, every_second=True)
        assert intervals(asked, every) == intervals(asked, given)
        assert firings(asked, every) == firings(asked, given), (asked, given)
        seen["cut"] += len({*kept}) < len({essence(asked, one) for one in given})
        seen["firings lost"] += firings(asked, kept) != firings(asked, given)
        seen[f"{min(len(intervals(asked, given)), 2)} episodes"] += 1
    assert all(seen[name] for name in ("cut", "firings lost", "0 episodes", "1 episodes", "2 episodes")), seen


@pytest.mark.slow
def test_cutting_what_is_in_order_makes_no_episode_and_loses_one_only_in_a_flood() -> None:
    dice, seen = random.Random("cut ordered"), Counter[str]()  # noqa: S311 (histories, no secret)
    for _ in range(HISTORIES // 5):
        asked = asked_for(dice, CorrelationType.TEMPORAL_ORDERED)
        given = history(dice, asked, dice.choice((20, 60, 150)))
        kept = cut_by_file(dice, asked, given, every_second=bool(dice.randrange(2)))
        uncut = intervals(asked, given)
        for first, last in intervals(asked, kept):
            assert any(since <= first and last <= until for since, until in uncut), (asked, given)
        in_bucket = Counter((bucket_start(asked, one.time), one.rule) for one in given)
        if max(in_bucket.values(), default=0) <= 2 * ORDERED_MOST:
            assert intervals(asked, kept) == uncut, (asked, given)
            assert firings(asked, kept) == firings(asked, given), (asked, given)
            seen["thinned"] += len({*kept}) < len({essence(asked, one) for one in given})
        else:
            seen["flood"] += 1
        seen[f"{min(len(uncut), 2)} episodes"] += 1
    assert all(seen[name] for name in ("thinned", "flood", "0 episodes", "1 episodes", "2 episodes")), seen


@pytest.mark.parametrize("kind", list(CorrelationType))
def test_what_is_cut_is_bounded(kind: CorrelationType) -> None:
    """However many contributions a log file has: a second that stands for no episode's end keeps none."""
    asked = correlation(kind, 3, 600)
    flood = [
        essence(asked, Contribution(time, (time, number), number % 3, number % 7))
        for time in range(100)
        for number in range(70)
    ]
    kept = cut(asked, flood)
    assert kept == cut(asked, reversed(flood))
    assert len(kept) <= (3 * 2 * ORDERED_MOST if kind is CorrelationType.TEMPORAL_ORDERED else 2 * 3)


@pytest.mark.parametrize("kind", list(CorrelationType))
def test_contributions_are_read_as_they_were_written(kind: CorrelationType) -> None:
    asked = correlation(kind, 2, 86_400)
    given = [
        essence(
            asked, Contribution(14_000 + number, short_identity(f"e-{number}"), number % 3, short_value(("\ud800",)))
        )
        for number in range(40)
    ]
    assert [*decoded(asked, 14_000, encoded(asked, 14_000, given))] == given
