"""The end of a quiet period: the clock has its hits notified of, until every one of them was; the notifier takes some
of them at a time.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from trailbell.hits.due import Due
from trailbell.hits.held import HeldHit
from trailbell.lazy_dataclass import dataclass


MAX_GATHERED = 2000
"""Held hits that are notified of with one batch of the stream: about 8 MB of rows, and twice as many claims and
records. The clock asks for what is left."""


@dataclass(frozen=True, slots=True)
class StreamGathered:
    """A period has ended, by the stream's number for that: the group, and when it ended."""

    sequence: str
    group: str
    ends: str


class HeldHits(Protocol):
    """Hits that periods held."""

    def held(self, group: str, ends: str) -> Iterator[list[HeldHit]]:
        """Those of a group's period, a slice at a time."""


class Periods(HeldHits, Protocol):
    """Quiet periods."""

    def close(self, group: str, ends: str, now: str) -> None:
        """What comes from now on is of the next one."""

    def ask(self, group: str, ends: str, now: str) -> None:
        """Have the hits of one notified of."""


class Delivered(Protocol):
    """Which hits were notified of."""

    def left(self, held: Sequence[HeldHit]) -> list[HeldHit]:
        """Those that were not."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """Does due rows of quiet periods."""

    periods: Periods
    delivered: Delivered

    def judge(self, due: Due, now: str) -> bool:
        """End a period; done when nothing of it is left to notify of. Raises what reading or writing raises."""
        left = any(self.delivered.left(some) for some in self.periods.held(due.id, due.due_at))
        self.periods.close(due.id, due.due_at, now)
        if left:
            self.periods.ask(due.id, due.due_at, now)
        return not left


def still_held(periods: HeldHits, delivered: Delivered, gathered: StreamGathered, at_most: int) -> list[HeldHit]:
    """The first hits of a period that nobody was notified of. Raises what reading raises."""
    left = list[HeldHit]()
    for some in periods.held(gathered.group, gathered.ends):
        left += delivered.left(some)
        if len(left) >= at_most:
            break
    return left[:at_most]
