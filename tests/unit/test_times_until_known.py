"""The times on the page of what silences the alerter: by hand for cases that a head can check."""

import pytest

from tests.e2e.acts.times import (
    TABLE,
    Alarm,
    Minutes,
    Settings,
    drive,
    every,
    settings_of,
    told,
    until,
    until_alarm,
    until_told,
)


SETTINGS = Settings(clock_minutes=5, canary_minutes=30, dead_letter_minutes=60)
STOPPED = Alarm("ClockStopped", 5, 3, 3, 1.0, "Sum", below=True, missing=True)
ERRORS = Alarm("DetectorErrors", 5, 1, 1, 1.0, "Sum", below=False, missing=False)


def test_canary_that_comes_back_is_told_of_nobody() -> None:
    """The chain around the clock is whole until something is cut."""
    driven = drive(SETTINGS, "", 600, 0)

    assert driven.known is None
    assert driven.returned[:3] == (5, 65, 125)


@pytest.mark.parametrize(
    ("at", "known"),
    [
        (601, 630),  # the canary sent at 600 would have passed at 605
        (606, 690),  # it has passed: the next one is sent at 660
        (659, 690),
    ],
)
def test_canary_is_missed_at_its_deadline(at: int, known: int) -> None:
    """An act just behind a canary is the longest to wait for."""
    assert drive(SETTINGS, "published", at, 0).known == known


@pytest.mark.slow
@pytest.mark.parametrize("step", ["detected", "published", "returned"])
def test_time_until_operations_are_told_does_not_depend_on_the_link(step: str) -> None:
    """One deadline for the whole way; what the message says does depend on it."""
    assert until_told(SETTINGS, step) == Minutes(25, 84)
    assert told(SETTINGS, step) != told(SETTINGS, "returned" if step != "returned" else "detected")


@pytest.mark.slow
def test_canary_minutes_count() -> None:
    """The figure follows the setting."""
    assert until_told(Settings(5, 60, 60), "detected") == Minutes(55, 114)


@pytest.mark.slow
def test_table_that_refuses_leaves_nothing_to_judge_by() -> None:
    """The rows of canaries are in it; the clock's own alarm is what fires."""
    assert until_told(SETTINGS, TABLE) is None


def test_alarm_fires_at_the_end_of_its_periods() -> None:
    """By its definition alone."""
    assert ERRORS.fires_after({602: 1.0}, 601) == 4
    assert STOPPED.fires_after(until(601, every(5, 0)), 601) == 19
    assert until_alarm(STOPPED, lambda at, phase: until(at, every(5, phase))) == Minutes(11, 19)
    with pytest.raises(AssertionError):
        ERRORS.fires_after({}, 601)


def test_settings_are_those_of_the_template() -> None:
    """Logical ids end in the CDK's hash."""
    queue = {"RedrivePolicy": {"maxReceiveCount": 5}, "VisibilityTimeout": 720}
    parts = {
        "IngestQueue01234567": {"Type": "AWS::SQS::Queue", "Properties": queue},
        "ClockFunction01234567": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Environment": {"Variables": {"TRAILBELL_CANARY_MINUTES": "30"}}},
        },
        "ClockSchedule01234567": {
            "Type": "AWS::Events::Rule",
            "Properties": {"ScheduleExpression": "rate(5 minutes)"},
        },
    }

    assert settings_of({"Resources": parts}) == SETTINGS
