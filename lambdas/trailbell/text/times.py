"""Times as text: UTC, to the second, ISO 8601 with Z, as CloudTrail writes them and rows keep them."""

from datetime import UTC, datetime


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
