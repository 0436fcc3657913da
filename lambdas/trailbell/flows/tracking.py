"""What is to be done about hits later: their undo is looked for, and the clock is told of their deadlines."""

from collections.abc import Callable, Sequence
from typing import Protocol

from trailbell.hits.due import Due
from trailbell.hits.hit import Hit
from trailbell.hits.reminders import reminders_of
from trailbell.hits.undoing import Undoing
from trailbell.lazy_dataclass import dataclass


class Acts(Protocol):
    """Acts and what undoes them."""

    def track(self, hits: Sequence[Hit], undoings: Sequence[Undoing]) -> None:
        """Close each act that is undone, whichever record comes second."""


class Deadlines(Protocol):
    """Where the clock finds what is to be done later."""

    def add_all(self, dues: Sequence[Due]) -> None:
        """Have things done, each at its time; again changes nothing."""


@dataclass(frozen=True, slots=True)
class HitTracking:
    """reminder_hours: before a deadline, none for no reminders; now: UTC, ISO 8601 with Z."""

    acts: Acts
    deadlines: Deadlines
    reminder_hours: Sequence[int]
    now: Callable[[], str]

    def plan(self, hits: Sequence[Hit]) -> None:
        """Have the clock remind of hits, before they are kept: a hit that is kept has its reminders, whatever crashes
        in between, and one that comes late is not reminded of what its own alert says.

        Raises TableError or what botocore raises.
        """
        now = self.now()
        self.deadlines.add_all([due for hit in hits for due in reminders_of(hit, self.reminder_hours, now)])

    def track(self, hits: Sequence[Hit], undoings: Sequence[Undoing]) -> None:
        """Follow up hits that are kept, and what undoes some. Raises TableError or what botocore raises."""
        self.acts.track(hits, undoings)
