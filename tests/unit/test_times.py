"""Times of others: any text, any date."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.text.times import parse_moment, shifted


@pytest.mark.parametrize(
    "text", ["", "x", "\ud800", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-14:00", "2026-13-01"]
)
def test_what_is_no_moment_in_utc_is_none(text: str) -> None:
    """Also a time that is one only in its own zone."""
    assert parse_moment(text) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_moment_is_read_as_it_is_written(moment: datetime) -> None:
    """With its zone, and without one as UTC."""
    assert parse_moment(moment.isoformat()) == moment
    assert parse_moment(moment.replace(tzinfo=None).isoformat()) == moment


@given(st.datetimes(timezones=st.just(UTC)), st.timedeltas())
def test_moment_is_shifted_as_far_as_the_calendar_goes(moment: datetime, by: timedelta) -> None:
    """Never past its ends, and never the wrong way."""
    found = shifted(moment, by)

    assert found.tzinfo is UTC
    assert found - moment == by or found.replace(tzinfo=None) in (datetime.min, datetime.max)
    assert (found >= moment) if by >= timedelta(0) else (found <= moment)
