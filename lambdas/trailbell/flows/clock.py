"""The clock does what is due: every five minutes its regular tasks, then the due rows whose time has come.

It is safe to run twice and at once: what a task does is decided by rows that only one run can write first, and a
due row is deleted after it is done, unless somebody wrote it anew meanwhile. What fails stays due and is tried again
by the next run; it costs no other task anything.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Protocol

from trailbell.hits.due import Due
from trailbell.lazy_dataclass import dataclass


class DueRows(Protocol):
    """What is to be done at a time."""

    def until(self, now: str) -> Iterator[Due]:
        """What is due at a time, earliest first; raises where it cannot be read."""

    def done(self, due: Due) -> bool:
        """It is done and need not come again; False where it was asked for again meanwhile, and has to."""

    def read_to(self, now: str, first_left: str) -> None:
        """Begin next time at the earliest row that is left, "" for none, and where nothing is left at `now`."""


class ClockLog(Protocol):
    """Where the flow writes what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""


@dataclass(slots=True)
class ClockCounters:
    """What one run did. due_unknown: rows of a kind this version does not know, which wait for one that does. What has
    to come again, because there is more of it or it was asked for again meanwhile, is not counted.
    """

    tasks_done: int = 0
    tasks_failed: int = 0
    due_done: int = 0
    due_failed: int = 0
    due_unknown: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """The flow with everything it needs.

    regular: name → what is done at every run; by_kind: kind of a due row → what does it, and says whether it is
    done or has to come again; at_last: what is done after both, because it may take long. All take the time (UTC, ISO
    8601 with Z), and raise what keeps them from it.
    """

    due: DueRows
    regular: Mapping[str, Callable[[str], None]]
    by_kind: Mapping[str, Callable[[Due, str], bool]]
    event_log: ClockLog
    counters: ClockCounters = field(default_factory=ClockCounters)
    at_last: Mapping[str, Callable[[str], None]] = field(default_factory=dict)

    def run(self, now: str) -> ClockCounters:
        """Do all that is due at a time; what was done. Raises what reading the due rows raises."""
        self._do_all(self.regular, now)
        left = [due.due_at for due in self.due.until(now) if not self._do(due, now)]
        self.due.read_to(now, min(left, default=""))
        self._do_all(self.at_last, now)
        return self.counters

    def _do_all(self, tasks: Mapping[str, Callable[[str], None]], now: str) -> None:
        for name, task in tasks.items():
            try:
                task(now)
            except Exception as error:  # the boundary: logged, counted, and done by the next run
                self.counters.tasks_failed += 1
                self.event_log.failed(f"task {name}", error)
            else:
                self.counters.tasks_done += 1

    def _do(self, due: Due, now: str) -> bool:
        if due.kind not in self.by_kind:
            self.counters.due_unknown += 1
            return False
        try:
            if not (self.by_kind[due.kind](due, now) and self.due.done(due)):
                return False
        except Exception as error:  # the boundary: logged, counted, and done by the next run
            self.counters.due_failed += 1
            self.event_log.failed(f"due {due.kind} {due.id}", error)
            return False
        self.counters.due_done += 1
        return True
