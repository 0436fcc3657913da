"""Times as people write and read them: durations, dates and times of a zone, and back."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from trailbell.cli.options.config_file import config_file, default_of
from trailbell.cloudtrail.record import NO_TIME, UNKNOWN_TIME
from trailbell.errors import SettingsError


_UNITS = {
    "seconds": "s sec secs second seconds",
    "minutes": "m min mins minute minutes",
    "hours": "h hr hrs hour hours",
    "days": "d day days",
    "weeks": "w wk wks week weeks",
    "months": "mo mos month months",
    "years": "y yr yrs year years",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
"""Every way to write a unit; what is not here is no unit, for a window that is misread hides hits."""

_DURATION = re.compile(r"(?P<amount>\d{1,5}) ?(?P<unit>[a-z]+)(?: ago)?", re.ASCII)
_LONGEST = timedelta(days=3650)  # hits are not kept longer (setting hit_retention_days)
_FURTHEST = timedelta(days=366)  # for clocks that are wrong; to look into every day until 9999 would take that long
_FORMS = (
    "give 90m, 24h, 7d, 2w, 3mo, 1y, 3 months, now, today, yesterday, 14:30, 2026-11-01, 2026-11-01T14:30 or "
    "2026-11-01T14:30+02:00"
)
_BY_NAMES = {"--since": "--since (or --from)", "--until": "--until (or --to)"}
"""What an option is called where it has two names, and whoever gave the other one looks for it."""

FORMS = "90m, 24h, 7d, 3mo, today, 2026-11-01 ..."
"""Of a time, for an option's help."""

_SECOND = timedelta(seconds=1)
_CLOCK_SKEW = timedelta(minutes=5)  # how far others' clocks may be ahead
_WEEK = re.compile(r"\d{4}-?W\d\d", re.ASCII)

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


def zone_option(of_what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option --tz of every command that has one, which gets it as `zone`."""
    return click.option(
        "--tz",
        "zone",
        type=ZoneType(),
        default=_own_zone,
        envvar="TRAILBELL_TZ",
        help=f"{of_what}: local, Europe/Berlin ... (default: $TRAILBELL_TZ, then the config file's, then utc).",
    )


def _own_zone() -> Zone:
    """The config file's time zone, or UTC. Raises SettingsError for a name that is none."""
    name = default_of("tz") or "utc"
    try:
        return ZoneType().convert(name, None, None)
    except click.UsageError as error:
        raise SettingsError(f"{config_file()}: tz: {error.message}") from None


def since_option(what: str, default: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option --since of every command that has one; `what` is from then on."""
    text = f"{what} from then on: {FORMS}"
    return click.option(
        "--since", "--from", "since", metavar="TIME", default=default, show_default=bool(default), help=text
    )


def until_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option --until of every command that has one."""
    text = f"{what} until then, in the same forms; a date includes its whole day. Default: no end."
    return click.option("--until", "--to", "until", metavar="TIME", default="", help=text)


def parse_since(text: str, now: datetime) -> datetime:
    """A duration before now, or a UTC date or time. Raises SettingsError for anything else."""
    return parse_moment(text, now, UTC, "--since")


def parse_until(text: str, now: datetime) -> datetime:
    """The end of a window in UTC, which is the first second that is not in it: a date, and a second, are in whole."""
    return parse_moment(text, now, UTC, "--until", end=True) + _SECOND


def parse_window(since: str, until: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Both ends, None where open. Raises SettingsError for what is no time, and for a window that ends too early."""
    begin = parse_since(since, now) if since else None
    end = parse_until(until, now) if until else None
    if begin and end and end <= begin:
        raise SettingsError(f"--until {until} is before --since {since}")
    return begin, end


def last_second(end: datetime | None, now: datetime) -> datetime:
    """Where a window of `parse_window` ends for the table, whose windows end with a second that is in them."""
    return end - _SECOND if end else now + _CLOCK_SKEW


def parse_moment(text: str, now: datetime, zone: Zone, option: str, *, end: bool = False) -> datetime:
    """The moment (UTC) that a text means: a duration before now, a date, a time of today, or a date and time.

    zone: of texts that name none. end: a date means its last second, not its first.
    Raises SettingsError, which names the option, for anything else. Nothing is longer ago than ten years, or
    further ahead than one.
    """
    duration = _DURATION.fullmatch(text.strip() if text.strip().endswith("M") else text.strip().lower())
    if duration and duration["unit"] in _UNIT_OF:
        return max(_before(now, int(duration["amount"]), _UNIT_OF[duration["unit"]]), now - _LONGEST)
    try:
        moment = _utc(_written(text.strip(), now, zone, end=end), zone)
        return min(max(moment, now - _LONGEST), now + _FURTHEST)
    except (ValueError, OverflowError):
        raise SettingsError(f"{_BY_NAMES.get(option, option)} {text} is no time: {_FORMS}") from None


def show_time(moment: str, zone: Zone) -> str:
    """A record's time in a zone, for a table; the zone itself is named in the table's head."""
    return UNKNOWN_TIME if moment == NO_TIME else f"{_in_zone(moment, zone):%Y-%m-%d %H:%M:%S}"


def stamp(moment: str, zone: Zone) -> str:
    """A record's time in a zone, for machines: ISO 8601, with Z for UTC."""
    shown = _in_zone(moment, zone)
    text = shown.isoformat(timespec="seconds")
    return text.replace("+00:00", "Z") if shown.tzinfo is UTC else text


def zone_name(zone: Zone) -> str:
    """What a table's head calls a zone."""
    return "local" if zone is None else "UTC" if zone is UTC else str(zone)


def _before(now: datetime, amount: int, unit: str) -> datetime:
    """So much earlier; months as the calendar has them, the last day of one where it has fewer days."""
    if unit not in ("months", "years"):
        return now - min(timedelta(**{unit: amount}), _LONGEST)
    months = now.year * 12 + now.month - 1 - amount * (12 if unit == "years" else 1)
    year, month = max(months // 12, 1), months % 12 + 1
    return now.replace(year=year, month=month, day=min(now.day, monthrange(year, month)[1]))


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
    day = _day(text, end=end)
    if day:
        return datetime.combine(day, time.max if end else time.min)
    return datetime.fromisoformat(text)


def _day(text: str, *, end: bool) -> date | None:
    """The day that a text is, in any form of ISO 8601 (of a week, the first or the last); None for all else."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day + timedelta(days=6) if end and _WEEK.fullmatch(text) else day


def _utc(moment: datetime, zone: Zone) -> datetime:
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC).replace(microsecond=0)  # what has no zone by now is this machine's time
