"""A selection of a trail bucket's records: accounts, regions, a time. The names of its folders say which to skip.

The layout is that of cloudtrail/object_key.py; the day in it is the day of delivery. A record is delivered after it
happened, mostly within minutes, so folders before `since` hold nothing that is selected, and the day after `until` is
read, too, for late records. Inside a folder the record's own time, account and region decide.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from trailbell.cloudtrail.object_key import trail_levels
from trailbell.cloudtrail.record import NO_TIME
from trailbell.text.times import iso_time, shifted


_LATE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Selection:
    """Accounts and regions (empty: all), and a time from `since` up to but without `until` (None: open)."""

    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def may_hold(self, folder: str) -> bool:
        """Whether a folder (its path or key, with or without a last "/") may hold a selected record.

        A folder outside of the layout may hold anything.
        """
        levels = trail_levels(folder)
        account, region, day = "".join(levels[:1]), "".join(levels[2:3]), "-".join(levels[3:])
        return (
            (not account or not self.accounts or account in self.accounts)
            and (not region or not self.regions or region in self.regions)
            and (not day or self._is_near(day))
        )

    def holds(self, account: str, region: str, event_time: str) -> bool:
        """Whether a record is selected. event_time: UTC, ISO 8601 with Z, to the second; NO_TIME is in any time."""
        return (
            (not self.accounts or account in self.accounts)
            and (not self.regions or region in self.regions)
            and (self.since is self.until is None or event_time == NO_TIME or self._is_in_time(event_time))
        )

    def _is_in_time(self, event_time: str) -> bool:
        return (self.since is None or event_time >= iso_time(self.since)) and (
            self.until is None or event_time < iso_time(self.until)
        )

    def _is_near(self, day: str) -> bool:
        """Whether a date, or one of the days of its beginning (2026, 2026-11), is near enough."""
        size = len(day)
        return (self.since is None or day >= iso_time(self.since)[:size]) and (
            self.until is None or day <= iso_time(shifted(self.until, _LATE))[:size]
        )
