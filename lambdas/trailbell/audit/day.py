"""An audit's verdicts by account, region and day."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from trailbell.audit.chain import Gap
from trailbell.audit.region import FileVerdict
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.object_key import trail_levels
from trailbell.text.times import iso_time


DayName = tuple[str, str, str]
"""Account, region, and the day in a file's key (for a gap: of its end)."""


@dataclass(slots=True)
class AuditedDay:
    """The verdicts of one account, region and day. listed: log files that proven digests list."""

    digests: Counter[Verdict] = field(default_factory=Counter)
    logs: Counter[Verdict] = field(default_factory=Counter)
    listed: int = 0
    gaps: list[Gap] = field(default_factory=list)

    @property
    def chain(self) -> str:
        """One phrase on the digests: "whole", or what is wrong or unknown."""
        parts = [
            f"{count} {verdict}" for verdict, count in sorted(self.digests.items()) if verdict is not Verdict.VALID
        ]
        parts += [f"gap of {_hours(gap)} ({gap.cause})" for gap in self.gaps]
        return ", ".join(parts) or ("whole" if self.digests else "no digests")


def day_of(found: FileVerdict | Gap) -> DayName:
    """The row that a verdict stands in."""
    if isinstance(found, Gap):
        return found.trail.account, found.trail.region, iso_time(found.until)[:10]
    levels = trail_levels(found.key.rpartition("/")[0])
    return "".join(levels[:1]), "".join(levels[2:3]), "-".join(levels[3:6])


def by_day(verdicts: Iterable[FileVerdict | Gap]) -> dict[DayName, AuditedDay]:
    """All days, sorted."""
    days: dict[DayName, AuditedDay] = {}
    for found in verdicts:
        day = days.setdefault(day_of(found), AuditedDay())
        if isinstance(found, Gap):
            day.gaps.append(found)
        elif found.digest:
            day.digests[found.verdict] += 1
        else:
            day.logs[found.verdict] += 1
            day.listed += found.listed
    return dict(sorted(days.items()))


def _hours(gap: Gap) -> str:
    minutes = round((gap.until - gap.since).total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part, there in ((f"{hours} h", hours), (f"{rest} min", rest or not hours)) if there)
