"""In which hours log files came, kept as a set in any order; and who is silent by it, against a plain reading."""

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.test_flow import TABLE, table
from trailbell.audit.arrivals import (
    BEHIND_HOURS,
    KNOWN_HOURS,
    KNOWN_SPAN_HOURS,
    LEAST_HOURS,
    LONGEST_HOURS,
    TIMES,
    WINDOW_HOURS,
    Arrivals,
    Source,
    begin_of,
    silent_sources,
    text_of_hour,
)
from trailbell.store.arrivals import DynamoArrivals
from trailbell.store.dynamo import decode


__all__ = ["table"]

NOW = 500_000
HERE = Source("111122223333", "us-east-1")
_HOURS = st.sets(st.integers(NOW - 3 * WINDOW_HOURS, NOW), min_size=1, max_size=60)


def arrivals_of(hours: Iterable[int]) -> Arrivals:
    first, *others = hours
    found = Arrivals(first)
    for hour in others:
        found = found.with_hour(hour)
    return found


def hours_in(arrivals: Arrivals) -> set[int]:
    return {arrivals.last - ago for ago in range(WINDOW_HOURS) if arrivals.bits >> ago & 1}


@given(_HOURS, st.randoms(use_true_random=False))
def test_hours_are_a_set_in_any_order_and_however_often(hours: set[int], order: random.Random) -> None:
    """What comes late, twice or from long ago leads to the same row."""
    some = [*hours, *list(hours)[:5]]
    order.shuffle(some)

    assert arrivals_of(some) == arrivals_of(sorted(hours))
    assert hours_in(arrivals_of(some)) == {hour for hour in hours if max(hours) - hour < WINDOW_HOURS}


def plainly_silent(hours: Mapping[Source, set[int]], behind: bool) -> set[Source]:
    """The rule as docs/audit.md says it."""
    kept = {source: {hour for hour in own if max(own) - hour < WINDOW_HOURS} for source, own in hours.items()}
    others = {hour for own in kept.values() for hour in own if NOW - hour < WINDOW_HOURS}

    def counted(first: int, end: int) -> int:
        return sum(hour in others or NOW - hour >= WINDOW_HOURS for hour in range(first, end))

    found = set()
    for source, own in kept.items():
        ordered = sorted(own)
        pauses = [counted(one + 1, after) for one, after in pairwise(ordered)]
        quiet = counted(ordered[-1] + 1, NOW - 1)
        bound = max(TIMES * max(pauses, default=0), LEAST_HOURS) + (BEHIND_HOURS if behind else 0)
        is_known = len(own) >= KNOWN_HOURS and ordered[-1] - ordered[0] >= KNOWN_SPAN_HOURS
        if is_known and NOW - ordered[-1] <= LONGEST_HOURS and quiet > bound:
            found.add(source)
    return found


@given(st.data(), st.booleans())
def test_silent_is_who_the_rule_says_is(data: st.DataObject, behind: bool) -> None:
    """Sources of every rhythm, with pauses anywhere."""
    hours = {}
    for number in range(data.draw(st.integers(1, 4))):
        every = data.draw(st.sampled_from([1, 2, 3, 8]))
        last = NOW - data.draw(st.integers(0, LONGEST_HOURS + 10))
        begun = last - data.draw(st.integers(0, WINDOW_HOURS + 100))
        own = set(range(last, begun - 1, -every))
        for _ in range(data.draw(st.integers(0, 3))):
            pause = data.draw(st.integers(begun, last))
            own -= set(range(pause, pause + data.draw(st.integers(1, 80)))) - {last}
        hours[Source(str(number), "us-east-1")] = own
    arrivals = {source: arrivals_of(own) for source, own in hours.items()}

    found = list(silent_sources(arrivals, NOW, behind=behind))

    assert {one.source for one in found} == plainly_silent(hours, behind)
    assert all(one.last == max(hours[one.source]) for one in found)


OFFICE = {hour for hour in range(NOW - WINDOW_HOURS - 200, NOW + 400) if begin_of(hour).weekday() < 5
          and 7 <= begin_of(hour).hour < 18}  # fmt: skip
ALWAYS = set(range(NOW - WINDOW_HOURS - 200, NOW + 400))
WEEKLY = {hour for hour in ALWAYS if begin_of(hour).weekday() == 2 and begin_of(hour).hour in (9, 10)}


def until(hour: int) -> list[int]:
    """Every hour up to one."""
    return [one for one in ALWAYS if one <= hour]


@pytest.mark.parametrize(
    ("own", "most"), [(ALWAYS, 9), (OFFICE, 8 * 24)], ids=["busy at every hour", "at work on weekdays"]
)
def test_who_falls_silent_is_told_by_their_own_rhythm(own: set[int], most: int) -> None:
    """A busy one within hours, an office after the weekend that would be normal; and nobody while they live."""
    others = {Source("9", "eu-west-1"): arrivals_of(sorted(ALWAYS - set(range(NOW + 1, NOW + 500))))}
    alive = {HERE: arrivals_of(sorted(hour for hour in own if hour <= NOW)), **others}
    fell = NOW - most
    silent = {HERE: arrivals_of(sorted(hour for hour in own if hour <= fell)), **others}

    for hour in range(NOW - 7 * 24, NOW + 1):
        now = {
            HERE: arrivals_of(sorted(one for one in own if one <= hour)),
            Source("9", "eu-west-1"): arrivals_of(sorted(one for one in ALWAYS if one <= hour)),
        }
        assert not list(silent_sources(now, hour))
    assert not list(silent_sources(alive, NOW))
    assert [one.source for one in silent_sources(silent, NOW)] == [HERE]


@pytest.mark.parametrize("begun", range(7))
@pytest.mark.parametrize("hours", [(0, 24), (7, 18), (2, 3), (0, 23)], ids=["all day", "office", "an hour", "most"])
def test_first_weeks_of_somebody_who_rests_at_weekends_page_nobody(begun: int, hours: tuple[int, int]) -> None:
    """Whichever day it is deployed: the first weekend is no news, though no pause was known before."""
    start = NOW - begin_of(NOW).hour + 24 * begun
    here, other = dict[Source, Arrivals](), Source("9", "eu-west-1")
    for hour in range(start, start + 40 * 24):
        moment = begin_of(hour)
        if moment.weekday() < 5 and hours[0] <= moment.hour < hours[1]:
            here[HERE] = here.get(HERE, Arrivals(hour)).with_hour(hour)
        here[other] = here.get(other, Arrivals(hour)).with_hour(hour)
        assert not list(silent_sources(here, hour)), moment


def test_who_stops_once_two_weeks_are_known_is_told() -> None:
    others = {Source("9", "eu-west-1"): arrivals_of(until(NOW))}
    last = NOW - 20
    new, known = (arrivals_of(range(last - span, last + 1)) for span in (KNOWN_SPAN_HOURS - 1, KNOWN_SPAN_HOURS))

    assert not list(silent_sources({HERE: new, **others}, NOW))
    assert [one.source for one in silent_sources({HERE: known, **others}, NOW)] == [HERE]


def test_region_that_is_used_once_a_week_pages_nobody() -> None:
    """Also when it is left out for two weeks: two visits a week are no habit."""
    others = {Source("9", "eu-west-1"): arrivals_of(sorted(hour for hour in ALWAYS if hour <= NOW))}
    here = {HERE: arrivals_of(sorted(hour for hour in WEEKLY if hour <= NOW - 13 * 24)), **others}

    assert not list(silent_sources(here, NOW))


def test_where_nothing_comes_at_all_nobody_is_silent() -> None:
    """The way here is cut, or the alerter was off: the dead-man's switch says so, not a hit for each of thousands."""
    until = sorted(hour for hour in ALWAYS if hour <= NOW - 100)

    assert not list(silent_sources({Source(str(n), "x"): arrivals_of(until) for n in range(9)}, NOW))


def test_row_is_the_same_whichever_container_writes_and_is_written_once_an_hour(table: Any) -> None:
    """Two detectors, log files in any order and twice; what is known is not written again."""
    hours = [NOW - ago for ago in (0, 1, 5, 30, 31, 31, 0, 5, 700)]
    writers = [DynamoArrivals(table, TABLE), DynamoArrivals(table, TABLE)]
    puts = []
    table.meta.events.register("before-call.dynamodb.PutItem", lambda **call: puts.append(call))

    for number, hour in enumerate(hours):
        delivered = begin_of(hour) + timedelta(minutes=number)
        writers[number % 2].arrived(*_place(), delivered, text_of_hour(NOW), asked_for=True)
    first = len(puts)
    for _ in range(20):
        writers[0].arrived(*_place(), begin_of(NOW), text_of_hour(NOW), asked_for=False)

    assert dict(writers[0].all()) == {HERE: arrivals_of(sorted(hours))}
    assert len(puts) == first


def test_log_file_that_is_read_late_marks_that_others_may_be(table: Any) -> None:
    """But not one that the audit asked for; and a time to come is taken for now."""
    arrivals = DynamoArrivals(table, TABLE)

    arrivals.arrived(*_place(), begin_of(NOW - 9), text_of_hour(NOW), asked_for=True)
    assert arrivals.behind() == ""
    arrivals.arrived(*_place(), begin_of(NOW + 900), text_of_hour(NOW), asked_for=False)
    assert dict(arrivals.all())[HERE].last == NOW
    arrivals.arrived(*_place(), begin_of(NOW - 9), text_of_hour(NOW), asked_for=False)
    assert arrivals.behind() == text_of_hour(NOW)
    rows = [decode(row) for row in table.scan(TableName=TABLE)["Items"]]
    assert all(row["pk"] == "Y#behind" or row["expiresAt"] > datetime.now().timestamp() for row in rows)


def _place() -> tuple[str, str]:
    return HERE.account, HERE.region
