"""The weekly report's text: harmless, bounded and complete, whatever a week was like; and when a report is due."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.alerts.weekly import weekly_subject, weekly_text
from trailbell.engine.rulebook import Level, RuleException
from trailbell.flows.weekly import due_on, first_day
from trailbell.hits.week import (
    DAYS,
    CanaryWeek,
    Deliveries,
    ExpiringException,
    Mutes,
    RuleCount,
    UndoneHit,
    WaitingHit,
    Week,
    expiring,
)
from trailbell.text.safe_text import is_safe
from trailbell.text.times import iso_time


HOSTILE = "x\r\nBcc: all@evil.example \x1b[2J\u202egpj \u2028 https://evil.example/login <script>"
WEEK = Week("2026-11-23", "2026-11-30", "2026-11-30T08:02:11Z")


def full_of(kind: Any, **members: Any) -> Any:
    """One of a week's parts with hostile text wherever it takes any."""
    texts = {part.name: HOSTILE for part in fields(kind) if part.type in ("str", str)}
    return kind(**{**texts, **members})


def hostile(count: int) -> Week:
    return replace(
        WEEK,
        rules=tuple(RuleCount("high", f"{number} {HOSTILE}", 1, 1) for number in range(count)),
        waiting=tuple(full_of(WaitingHit, seconds=number - 5) for number in range(count)),
        undone=tuple(full_of(UndoneHit, after=60) for _ in range(count)),
        mutes=tuple(full_of(Mutes, hits=1) for _ in range(count)),
    )


def test_nothing_in_it_acts_on_its_reader() -> None:
    """Names of people and rules may come from records or from a deployer: one line each, nothing invisible."""
    exceptions = [full_of(ExpiringException, expires="2026-12-01", expired=False)]

    text = weekly_text(hostile(3), exceptions)

    assert [line for line in text.splitlines() if not is_safe(line)] == []
    assert not any(line.startswith("Bcc:") for line in text.splitlines())


def test_text_is_bounded_and_says_what_it_leaves_out() -> None:
    """A storm of a thousand rules is a mail, too."""
    text = weekly_text(hostile(1000), [full_of(ExpiringException, expires="2026-12-01", expired=True)] * 1000)

    assert len(text) < 20_100
    assert text.count("... and 980 more") >= 3
    assert len(weekly_subject(hostile(1000))) < 100


@given(st.dictionaries(st.sampled_from([level.word for level in Level]), st.integers(1, 99)))
def test_levels_add_up(hits: dict[str, int]) -> None:
    """The headline is the sum of what stands below it."""
    week = replace(WEEK, rules=tuple(RuleCount(level, "A Rule", count, 1) for level, count in hits.items()))
    lines = weekly_text(week, []).splitlines()

    total = sum(hits.values())
    plural = "s" if total > 1 else ""
    alerts = f"{len(hits)} alert{'s' if len(hits) > 1 else ''}"
    shown = [line.split(":")[0].strip() for line in lines if " alert" in line and line.startswith("  ")]
    assert lines[2] == (f"{total} hit{plural} in {alerts}." if total else "No hits.")
    assert shown == [level.word for level in sorted(Level, reverse=True) if level.word in hits]


def test_what_is_wrong_stands_in_the_subject() -> None:
    """Who reads subjects only must see hits without a delivery, and deadlines."""
    week = replace(WEEK, waiting=(full_of(WaitingHit, seconds=1),), deliveries=Deliveries(2, "2026-11-25T10:00:00Z"))

    assert (
        weekly_subject(week) == "trailbell: 2026-11-23 to 2026-11-29: 0 hits, 1 open with a deadline, 2 not delivered"
    )


def test_canaries_that_were_lost_are_counted() -> None:
    """Sent, back, reported; median and longest of those that came back."""
    text = weekly_text(replace(WEEK, canaries=CanaryWeek(168, 2, (240, 300, 1000))), [])

    assert "Canary: 168 sent, 3 came back, 2 reported as missing" in text
    assert "median 5 min, longest 16 min 40 s" in text


def test_exceptions_are_named_once_in_order_of_their_last_day() -> None:
    """One exception on thirty rules is one line; today's still works."""
    days = {"b": "2026-12-30", "a": "2026-11-30", "c": "2026-11-29"}
    given = [RuleException(name, "o", "r", day, []) for name, day in days.items()]

    found = expiring([*given, *given, RuleException("far", "o", "r", "2026-12-31", [])], "2026-11-30")

    assert [(one.name, one.expired) for one in found] == [("c", True), ("a", False), ("b", False)]


@pytest.mark.parametrize(
    ("day", "now", "due"),
    [
        ("monday", "2026-11-30T07:59:59Z", "2026-11-23"),
        ("monday", "2026-11-30T08:00:00Z", "2026-11-30"),
        ("monday", "2026-12-07T07:59:59Z", "2026-11-30"),
        ("sunday", "2026-11-30T08:00:00Z", "2026-11-29"),
        ("tuesday", "2026-11-30T08:00:00Z", "2026-11-24"),
        ("monday", "2026-11-30T09:30:00+02:00", "2026-11-23"),
    ],
)
def test_report_is_due_at_eight_of_its_day(day: str, now: str, due: str) -> None:
    """UTC, whatever zone a time is written in."""
    assert due_on(day, now) == due


@given(st.sampled_from(DAYS), st.integers(0, 10**7))
def test_a_report_is_due_each_week(day: str, minutes: int) -> None:
    """Never in the future, never more than a week and eight hours ago."""
    moment = datetime(2020, 1, 9, tzinfo=UTC) + timedelta(minutes=minutes)
    due = datetime.fromisoformat(f"{due_on(day, iso_time(moment))}T08:00:00Z")

    assert DAYS[due.weekday()] == day
    assert timedelta() <= moment - due < timedelta(days=7)


def test_an_outage_is_reported_whole_up_to_five_weeks() -> None:
    """What lies between two reports stands in one of them."""
    assert first_day("2026-11-23", "2026-11-30") == "2026-11-23"
    assert first_day("2026-11-09", "2026-11-30") == "2026-11-09"
    assert first_day("2026-01-05", "2026-11-30") == "2026-10-26"
