"""Quiet periods: what is said at once, what is gathered, and how many messages that makes."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.alerts.quiet import Arrival, Period, QuietMinutes, group_of, messages, receive


HOUR = 3600


def arrivals(*ids: str) -> list[Arrival]:
    return [Arrival(one, (one.partition("@")[2],) if "@" in one else ()) for one in ids]


def test_first_alert_opens_a_period_and_what_follows_is_held() -> None:
    """Nobody waits for the first word."""
    at_once, held, period = receive(None, arrivals("a", "b"), 1000, HOUR, "high")
    assert (at_once, held) == (["a", "b"], [])
    assert period
    assert (period.begins, period.ends) == (1000, 1000 + HOUR)

    at_once, held, after = receive(period, arrivals("c"), 1001, HOUR, "high")
    assert (at_once, held, after) == ([], ["c"], replace(period, holds=True))
    assert receive(period, arrivals("c"), period.ends, HOUR, "high")[0] == ["c"]


def test_alert_that_opened_the_period_is_not_held_when_it_comes_again() -> None:
    """It could not be published, and the stream gives it again, perhaps with more."""
    _, _, period = receive(None, arrivals("a", "b"), 1000, HOUR, "high")

    assert receive(period, arrivals("b", "c"), 1005, HOUR, "high")[:2] == (["b", "c"], [])


def test_critical_hit_on_another_resource_is_never_held() -> None:
    """One more key is going: that is not the same news again. Tried again it is still that."""
    _, _, period = receive(None, arrivals("1@a"), 1000, HOUR, "critical")
    at_once, held, after = receive(period, arrivals("2@a", "3@b", "4@b"), 1010, HOUR, "critical")

    assert (at_once, held) == (["3@b", "4@b"], ["2@a"])
    assert receive(after, arrivals("3@b"), 1020, HOUR, "critical")[0] == ["3@b"]
    assert receive(after, arrivals("5@b"), 1020, HOUR, "critical")[1] == ["5@b"]
    assert receive(period, arrivals("3@b"), 1010, HOUR, "high")[1] == ["3@b"]


def test_following_period_knows_what_the_message_before_it_named() -> None:
    """The gathered message named the resource; the next hit on it is old news."""
    _, _, period = receive(None, arrivals("1@a", "2@b"), 0, HOUR, "critical")
    _, held, period = receive(period, arrivals("3@a"), 5, HOUR, "critical")
    assert held == ["3@a"]
    assert period
    after = period.following(HOUR)

    assert (after.begins, after.ends) == (HOUR, 2 * HOUR)
    assert receive(after, arrivals("2@a"), HOUR + 1, HOUR, "critical")[1] == ["2@a"]
    assert receive(after, arrivals("2@b"), HOUR + 1, HOUR, "critical")[0] == ["2@b"]


@given(
    st.lists(st.tuples(st.integers(0, 4 * HOUR), st.sampled_from("abc"), st.booleans()), max_size=30),
    st.sampled_from(["high", "critical"]),
)
def test_hit_between_the_end_and_the_clock_is_held_for_the_next_period(
    steps: Sequence[tuple[int, str, bool]], level: str
) -> None:
    """However late the clock is: where hits are held, no hit goes out before them, and none is held into the past."""
    period, named, again = None, set[str](), set[str]()
    for number, (now, name, clock) in enumerate(sorted(steps)):
        if period and period.ends <= now:
            named, again = again, set()  # what the message at its end named is old news
            if clock and period.holds:
                period = period.following(now)
        before = period.at(now) if period else None
        at_once, held, after = receive(period, arrivals(f"{number}@{name}"), now, HOUR, level)

        assert after
        assert after.begins <= now < after.ends
        assert bool(at_once) == (before is None or (level == "critical" and name not in named))
        assert after.holds == bool(held or (before and before.holds))
        if held:
            again.add(name)
        elif before is None:
            named, again = {name}, set()
        named.add(name)
        period = after


def test_period_is_over_where_it_held_nothing() -> None:
    """The next hit is news; where something was held it is not, for as long as the message's own period lasts."""
    over = Period(0, HOUR)

    assert over.at(HOUR - 1) == over
    assert over.at(HOUR) is None
    assert replace(over, holds=True).at(HOUR) == Period(HOUR, 2 * HOUR)
    assert replace(over, holds=True).at(5 * HOUR + 1) == Period(5 * HOUR, 6 * HOUR)
    assert receive(replace(over, holds=True), arrivals("b"), HOUR + 60, HOUR, "high")[:2] == ([], ["b"])


def test_without_minutes_nothing_is_held() -> None:
    """0 is for who wants every alert as it comes."""
    assert receive(None, arrivals("a"), 0, 0, "high") == (["a"], [], None)
    assert list(messages([(0, arrivals("a")), (1, arrivals("b"))], 0, "high")) == [(["a"], False), (["b"], False)]


def test_poller_costs_a_message_a_period() -> None:
    """A role that polls by the minute sent up to 288 mails a day."""
    day = [(minute * 60, arrivals(str(minute))) for minute in range(0, 24 * 60, 5)]

    assert len(list(messages(day, HOUR, "high"))) == 25
    assert len(list(messages(day, 0, "high"))) == 288


@given(
    st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from("abc")), max_size=30),
    st.sampled_from([0, 600, HOUR]),
    st.sampled_from(["high", "critical"]),
)
def test_every_hit_is_in_one_message_and_never_more_messages_than_without(
    hits: Sequence[tuple[int, str]], seconds: int, level: str
) -> None:
    """Nothing is lost, nothing is said twice, and gathering never costs a message."""
    batches = [(at, arrivals(f"{number}@{name}")) for number, (at, name) in enumerate(sorted(hits))]
    said = list(messages(batches, seconds, level))

    assert sorted(one for ids, _ in said for one in ids) == sorted(one.id for _, found in batches for one in found)
    assert len(said) <= len(batches)
    if level == "high" and seconds:
        assert not said or not said[0][1]
        assert len(said) <= 2 + (batches[-1][0] - batches[0][0]) // seconds if batches else True


@pytest.mark.parametrize(
    ("rule", "level", "minutes"), [("polled", "critical", 1440), ("other", "critical", 0), ("other", "low", 30)]
)
def test_rule_goes_before_level_and_level_before_the_rest(rule: str, level: str, minutes: int) -> None:
    """Whoever names a rule means it."""
    assert QuietMinutes(30, {"critical": 0, "polled": 1440}).seconds(rule, level) == 60 * minutes


def test_groups_are_apart() -> None:
    """Rule, level, account and actor; several actors of one alert are a group of their own."""
    groups = [
        group_of("r", "high", "1", ["dana"]),
        group_of("r2", "high", "1", ["dana"]),
        group_of("r", "low", "1", ["dana"]),
        group_of("r", "high", "2", ["dana"]),
        group_of("r", "high", "1", ["eve"]),
        group_of("r", "high", "1", ["dana", "eve"]),
    ]
    assert len({*groups}) == len(groups)
    assert group_of("r", "high", "1", ["eve", "dana"]) == groups[-1]
    assert all(one != other for one, other in pairwise(groups))
