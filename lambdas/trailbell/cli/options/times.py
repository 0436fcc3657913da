"""Times as people write and read them: durations, dates and times of a zone, and back."""

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from trailbell.cloudtrail.record import NO_TIME
from trailbell.errors import SettingsError


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(?P<amount>\d{1,5}) ?(?P<unit>[smhdw])[a-z]*(?: ago)?", re.ASCII)
_LONGEST = timedelta(days=3650)  # hits are not kept longer (setting hit_retention_days)
_FURTHEST = timedelta(days=366)  # for clocks that are wrong; to look into every day until 9999 would take that long
_FORMS = "give 90m, 24h, 7d, 2w, now, today, yesterday, 14:30, 2026-11-01, 2026-11-01T14:30 or 2026-11-01T14:30+02:00"

Zone = tzinfo | None
"""A time zone; None is that of this machine, which changes with summer and winter."""


class ZoneType(click.ParamType[Zone]):
    """local, utc, or the name of a zone such as Europe/Berlin."""

    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Zone:
        """The zone; a usage error for a name that is none."""
        if value is None or isinstance(value, tzinfo):
            return value
        if str(value).lower() in ("utc", "z"):
            return UTC
        if str(value).lower() == "local":
            return None
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value}: give local, utc, or a zone such as Europe/Berlin", param, ctx)


def parse_since(text: str, now: datetime) -> datetime:
    """A duration before now, or a UTC date or time. Raises SettingsError for anything else."""
    return parse_moment(text, now, UTC, "--since")


def parse_moment(text: str, now: datetime, zone: Zone, option: str, *, end: bool = False) -> datetime:
    """The moment (UTC) that a text means: a duration before now, a date, a time of today, or a date and time.

    zone: of texts that name none. end: a date means its last second, not its first.
    Raises SettingsError, which names the option, for anything else. Nothing is longer ago than ten years, or
    further ahead than one.
    """
    duration = _DURATION.fullmatch(text.lower())
    if duration:
        return now - min(timedelta(**{_UNITS[duration["unit"]]: int(duration["amount"])}), _LONGEST)
    try:
        moment = _utc(_written(text.strip(), now, zone, end=end), zone)
        return min(max(moment, now - _LONGEST), now + _FURTHEST)
    except (ValueError, OverflowError):
        raise SettingsError(f"{option} {text}: {_FORMS}") from None


def show_time(moment: str, zone: Zone) -> str:
    """A record's time in a zone, for a table; the zone itself is named in the table's head."""
    return moment if moment == NO_TIME else f"{_in_zone(moment, zone):%Y-%m-%d %H:%M:%S}"


def stamp(moment: str, zone: Zone) -> str:
    """A record's time in a zone, for machines: ISO 8601, with Z for UTC."""
    shown = _in_zone(moment, zone)
    text = shown.isoformat(timespec="seconds")
    return text.replace("+00:00", "Z") if shown.tzinfo is UTC else text


def zone_name(zone: Zone) -> str:
    """What a table's head calls a zone."""
    return "local" if zone is None else "UTC" if zone is UTC else str(zone)


def _in_zone(moment: str, zone: Zone) -> datetime:
    """A record's time in a zone; in its own (UTC) at the ends of the calendar, where there may be none in the zone."""
    given = datetime.fromisoformat(moment).astimezone(UTC)
    try:
        return given.astimezone(zone)
    except OverflowError:
        return given


def _written(text: str, now: datetime, zone: Zone, *, end: bool) -> datetime:
    here = now.astimezone(zone)
    days = {"today": here.date(), "yesterday": here.date() - timedelta(days=1)}
    if text.lower() == "now":
        return now
    if text.lower() in days:
        return datetime.combine(days[text.lower()], time.max if end else time.min)
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text, re.ASCII):
        return datetime.combine(here.date(), time.fromisoformat(text.zfill(5)))
    moment = datetime.fromisoformat(text)
    return datetime.combine(moment, time.max) if end and re.fullmatch(r"[\d-]{8,10}", text, re.ASCII) else moment


def _utc(moment: datetime, zone: Zone) -> datetime:
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC).replace(microsecond=0)  # what has no zone by now is this machine's time
