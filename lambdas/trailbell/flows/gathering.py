"""The end of a quiet period: the clock has its hits notified of, until every one of them was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailbell.flows.stream_batch import Identity
from trailbell.hits.due import Due
from trailbell.hits.hit import Hit


@dataclass(frozen=True, slots=True)
class StreamGathered:
    """A period has ended, by the stream's number for that: the group, and when it ended."""

    sequence: str
    group: str
    ends: str


class Periods(Protocol):
    """Quiet periods."""

    def held(self, group: str, ends: str) -> list[Hit]:
        """The hits that a group's period held."""

    def end(self, group: str, ends: str, now: str, hits: Sequence[Hit]) -> None:
        """Have them notified of, and begin the next period."""


class Delivered(Protocol):
    """Which hits were notified of."""

    def notified(self, hits: Sequence[Hit]) -> Mapping[Identity, str]:
        """The identities among `hits` that were."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """Does due rows of quiet periods."""

    periods: Periods
    delivered: Delivered

    def judge(self, due: Due, now: str) -> bool:
        """End a period; done when nothing of it is left to notify of. Raises what reading or writing raises."""
        held = self.periods.held(due.id, due.due_at)
        notified = self.delivered.notified(held) if held else {}
        left = [hit for hit in held if hit.identity not in notified]
        if left:
            self.periods.end(due.id, due.due_at, now, left)
        return not left
