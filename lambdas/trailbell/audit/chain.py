"""What the proven digests of a trail cover, and where nothing is proven in between.

A gap before a starting digest is a `restart`: logging or validation was off, or the last digests before it were
deleted, as nothing names those. A gap where a digest names one that is missing or invalid is a link that is `lost`.
Backfill digests have no gaps: nothing says that there was one for every hour.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from trailbell.cloudtrail.digest_key import Trail
from trailbell.lazy_dataclass import dataclass


class Cause(StrEnum):
    """Why nothing is proven."""

    RESTART = "restart"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Proven:
    """The period of a proven standard digest.

    starting: it names no digest before it. linked: the one it names is proven.
    """

    start: datetime
    end: datetime
    starting: bool
    linked: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """A time between two proven digests of a trail of which nothing is proven."""

    trail: Trail
    since: datetime
    until: datetime
    cause: Cause


def gaps(trail: Trail, digests: Iterable[Proven]) -> list[Gap]:
    """The gaps between the proven digests of a trail, the oldest first."""
    in_order = sorted(digests, key=lambda digest: (digest.end, digest.start))
    ends = [digest.end for digest in in_order]
    found = []
    for digest in in_order:
        before = bisect_right(ends, digest.start)
        if digest.linked or not before or ends[before - 1] == digest.start:
            continue
        cause = Cause.RESTART if digest.starting else Cause.LOST
        found.append(Gap(trail, ends[before - 1], digest.start, cause))
    return found


class Coverage:
    """The times that proven digests cover without a break."""

    def __init__(self, digests: Iterable[Proven]) -> None:
        self._spans: list[tuple[datetime, datetime]] = []
        for start, end in sorted((digest.start, digest.end) for digest in digests):
            if self._spans and start <= self._spans[-1][1]:
                self._spans[-1] = (self._spans[-1][0], max(end, self._spans[-1][1]))
            else:
                self._spans.append((start, end))

    def holds(self, since: datetime, until: datetime) -> bool:
        """Whether all of a time is covered."""
        at = bisect_right(self._spans, since, key=lambda span: span[0])
        return at > 0 and until <= self._spans[at - 1][1]


def all_hold(coverages: Sequence[Coverage], since: datetime, until: datetime) -> bool:
    """Whether every one of several trails covers a time, and there is one: a log file's name does not say whose."""
    return bool(coverages) and all(coverage.holds(since, until) for coverage in coverages)
