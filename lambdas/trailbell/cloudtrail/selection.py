"""What is asked for of a trail bucket: accounts, regions, a time. Its folders say what can be passed over unread.

The layout is that of cloudtrail/object_key.py. The day in it is that of delivery. A record is delivered after it
happened, mostly within minutes, so folders before `since` hold nothing that is asked for, and the day after `until` is
read, too, for what came late. Inside a folder the record's own time, account and region decide.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trailbell.cloudtrail.object_key import trail_levels
from trailbell.cloudtrail.record import NO_TIME


_LATE = timedelta(days=1)
_ISO = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Selection:
    """Accounts and regions (empty: all), and a time from `since` up to but without `until` (None: open)."""

    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def may_hold(self, folder: str) -> bool:
        """Whether a folder (its path or key, with or without a last "/") may hold a record that is asked for.

        Only what the layout says is held against it: folders outside of the layout may hold anything.
        """
        levels = trail_levels(folder)
        account, region, day = "".join(levels[:1]), "".join(levels[2:3]), "-".join(levels[3:])
        return (
            (not account or not self.accounts or account in self.accounts)
            and (not region or not self.regions or region in self.regions)
            and (not day or self._is_near(day))
        )

    def holds(self, account: str, region: str, event_time: str) -> bool:
        """Whether a record is asked for. event_time: UTC, ISO 8601 with Z, to the second; without one: any time."""
        return (
            (not self.accounts or account in self.accounts)
            and (not self.regions or region in self.regions)
            and (event_time == NO_TIME or self._is_in_time(event_time))
        )

    def _is_in_time(self, event_time: str) -> bool:
        return (self.since is None or event_time >= _text(self.since)) and (
            self.until is None or event_time < _text(self.until)
        )

    def _is_near(self, day: str) -> bool:
        """For the beginning of a date, too (2026, 2026-11): whether one of its days is near enough."""
        size = len(day)
        return (self.since is None or day >= _text(self.since)[:size]) and (
            self.until is None or day <= _text(self.until + _LATE)[:size]
        )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_ISO)
