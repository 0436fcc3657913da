"""Times as text: UTC, to the second, ISO 8601 with Z, as CloudTrail writes them and rows keep them."""

from datetime import UTC, datetime, timedelta


DAY_SECONDS = 86_400


def iso_time(moment: datetime) -> str:
    """A moment with a time zone as text, such as 2026-11-20T10:00:00Z; the fraction of its second is cut off."""
    # Not strftime, which writes years before 1000 with fewer than four digits: such a text sorts wrongly.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def utc_now() -> str:
    """The time now as text."""
    return iso_time(datetime.now(UTC))


def iso_seconds(seconds: int) -> str:
    """Seconds since 1970 as text."""
    return iso_time(datetime.fromtimestamp(seconds, UTC))


def parse_moment(text: str) -> datetime | None:
    """The moment that a text of somebody else's names, in UTC (taken for UTC where it has no zone).

    None for a text that is no time in ISO 8601, or one that falls out of the calendar in UTC.
    """
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def shifted(moment: datetime, by: timedelta) -> datetime:
    """A moment earlier or later; the calendar's first or last where it would fall out of it."""
    try:
        return moment + by
    except OverflowError:
        end = datetime.max if by > timedelta(0) else datetime.min
        return end.replace(tzinfo=moment.tzinfo)
