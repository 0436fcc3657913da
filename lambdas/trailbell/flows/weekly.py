"""The weekly report: sent to operations once for each week, on the setting's day, also when nothing happened.

Every run of the clock asks which report was due last. One that is due and not sent is claimed, and if it was not sent
meanwhile, written from the table, published and marked. Of several weeks that were missed one report is sent, which
begins where the last one ended; the first run of all only notes where weeks begin. What remains is a crash between
publishing and marking, which publishes twice: losing the report would be worse.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from trailbell.hits.week import DAYS, ExpiringException, Week
from trailbell.lazy_dataclass import dataclass


_HOUR = timedelta(hours=8)  # UTC: what came late of the week before is there by then
_LONGEST = timedelta(days=35)


class Reports(Protocol):
    """Which reports were sent, by the day they were due on (yyyy-mm-dd)."""

    def last(self) -> str:
        """The day of the last one that was sent, "" for none."""

    def begin(self, day: str) -> None:
        """Note a day as the one before the first report, unless there is one."""

    def claim(self, day: str) -> bool:
        """Take a report for ourselves; whether nobody else has, or had and ended."""

    def sent(self, day: str, now: str) -> None:
        """It was sent."""


class WeekReader(Protocol):
    """The table, as far as a report needs it."""

    def read(self, since: str, until: str, now: str) -> Week:
        """What the days since one (yyyy-mm-dd) to before another came to."""


class Operations(Protocol):
    """Who is notified of the alerter itself."""

    def notify(self, subject: str, text: str) -> None:
        """Send a message, or raise."""


@dataclass(frozen=True, slots=True)
class WeeklyReport:
    """day: one of DAYS, "" for no reports; exceptions: those that expire as of a day, read only for a report; place,
    where, quiet_minutes: see alerts/weekly.py.
    """

    reports: Reports
    weeks: WeekReader
    operations: Operations
    exceptions: Callable[[str], Sequence[ExpiringException]]
    day: str
    place: str = ""
    where: str = ""
    quiet_minutes: int = 60

    def run(self, now: str) -> None:
        """Send the report that is due, if it was not sent. Raises what reading, writing or publishing raises."""
        if not self.day:
            return
        due, last = due_on(self.day, now), self.reports.last()
        if not last:
            self.reports.begin(due)
        elif last < due and self.reports.claim(due) and self.reports.last() < due:
            from trailbell.alerts.weekly import (
                weekly_subject,
                weekly_text,
            )  # once a week, and half of the clock's modules

            week = self.weeks.read(first_day(last, due), due, now)
            text = weekly_text(
                week,
                self.exceptions(due),
                place=self.place,
                where=self.where,
                quiet_minutes=self.quiet_minutes,
            )
            self.operations.notify(weekly_subject(week), text)
            self.reports.sent(due, now)


def due_on(day: str, now: str) -> str:
    """The last day (yyyy-mm-dd) on which a report was due at a time: a day of the week, from 08:00 UTC on."""
    moment = datetime.fromisoformat(now).astimezone(UTC) - _HOUR
    return (moment.date() - timedelta(days=(moment.weekday() - DAYS.index(day)) % 7)).isoformat()


def first_day(last: str, due: str) -> str:
    """Where a report begins: where the last one ended, at most five weeks back."""
    return max(last, (date.fromisoformat(due) - _LONGEST).isoformat())
