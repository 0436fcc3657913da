"""What a listing of log files says of the work there is a day: no file is opened."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from trailbell.cloudtrail.object_key import trail_levels
from trailbell.lookback.bill import Work


BYTES_A_RECORD = 200
"""Of a log file as it lies in the bucket: 207 over 395 real log files, most of them small; large ones have fewer."""

_DAY = slice(3, 6)


@dataclass(frozen=True, slots=True)
class Listed:
    """What was listed of whole days: the first and the last, log files, their bytes, accounts and regions.

    outside: log files that are of no such day, or lie where CloudTrail writes none.
    """

    first: date
    last: date
    files: int
    bytes_stored: int
    accounts: frozenset[str]
    regions: frozenset[str]
    outside: int

    @property
    def days(self) -> int:
        """From the first to the last, those without a log file as well."""
        return (self.last - self.first).days + 1

    @property
    def work(self) -> Work:
        """What there is to do a day; records are reckoned from the bytes."""
        records = self.bytes_stored / BYTES_A_RECORD
        return Work.of(len(self.accounts), self.files / self.days, records / self.days)


def listed(files: Iterable[tuple[str, int]], today: date) -> Listed | None:
    """What (key or path, bytes) of log files say; None where none is of a whole day, as today is not."""
    days: set[date] = set()
    accounts, regions = set(), set()
    number = size = outside = 0
    for key, stored in files:
        levels = trail_levels(key)
        day = _day(levels)
        if day is None or day >= today:
            outside += 1
            continue
        number, size = number + 1, size + stored
        days.add(day)
        accounts.add(levels[0])
        regions.add(levels[2])
    if not days:
        return None
    return Listed(min(days), max(days), number, size, frozenset(accounts), frozenset(regions), outside)


def _day(levels: tuple[str, ...]) -> date | None:
    try:
        year, month, day = map(int, levels[_DAY])
        return date(year, month, day)
    except ValueError:
        return None
