"""A source: what the detector asks of each place that records come from, and what both know of an item's fate.

A message names items (cloudtrail/notification.py): objects of the trail bucket, or a live event. The source of an item
yields its records, each with its origin, has them decided on (hits/detect.py), and what is found kept (keeping.py).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from typing import Protocol, TypeVar

from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.notification import Item, ObjectRef
from trailbell.errors import LogFileError, OutOfTimeError, TableError
from trailbell.flows.counters import DetectorCounters
from trailbell.hits.detect import DetectionCounts
from trailbell.lazy_dataclass import dataclass


RESERVE = 10.0
"""Seconds before the function is stopped in which nothing new is begun: so long may keeping one chunk of hits take."""

_TOO_SLOW = (
    "abandoned, because the function's time was nearly over; hits found so far are kept, and it is read again from "
    "its beginning. If it is never done in time, give the function more: settings detector_seconds, detector_memory_mb"
)
_NOT_BEGUN = "deferred, because the function's time was nearly over before it could be begun"

_T = TypeVar("_T")
_I = TypeVar("_I", contravariant=True, bound=Item)


class DetectorLog(Protocol):
    """Where the flow writes what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""

    def malformed_record(self, item: Item, index: int, reason: str) -> None:
        """A record of an item is malformed and was skipped."""

    def foreign(self, ref: ObjectRef) -> None:
        """A message named an object that is not the trail's; it was ignored."""

    def refused(self, event: Envelope, reason: Refusal) -> None:
        """A live event was not believed; it is not tried again, for what is true of it stands in a log file."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """When the function is stopped, by a clock of seconds that only grow."""

    at: float
    clock: Callable[[], float]

    @property
    def is_near(self) -> bool:
        """Whether nothing new is to be begun."""
        return self.clock() > self.at - RESERVE

    def check(self) -> None:
        """Raise OutOfTimeError where time is nearly over: the item comes back."""
        if self.is_near:
            raise OutOfTimeError(_TOO_SLOW)

    def seconds_until(self, last_call: float) -> float | None:
        """What is left until so many seconds before it, None for for ever."""
        return None if math.isinf(self.at) else max(self.at - last_call - self.clock(), 0)

    def each(self, items: Iterable[_T]) -> Iterator[_T]:
        """The items, as long as there is time. Raises OutOfTimeError."""
        for item in items:
            self.check()
            yield item


@dataclass(slots=True)
class Outcome:
    """What became of one item.

    refused: why a live event was not believed.
    """

    counters: DetectorCounters
    malformed: list[MalformedRecord] = field(default_factory=list)
    refused: Refusal | None = None
    error: Exception | None = None

    @classmethod
    def of(cls, item: Item) -> "Outcome":
        """An item that was received, of which nothing else is known yet."""
        if isinstance(item, Envelope):
            return cls(DetectorCounters(live_received=1))
        return cls(DetectorCounters(objects_received=1))

    def settle(self, read: Callable[[DetectionCounts], None]) -> "Outcome":
        """What reading the item's records comes to. What that raises is the error; what it counted before stays."""
        counts = DetectionCounts()
        try:
            read(counts)
        except Exception as error:  # the boundary: logged, counted, and back to the queue
            self.fail(error)
        else:
            self._succeed()
        self.counters.read(counts)
        self.malformed = counts.malformed
        return self

    def _succeed(self) -> None:
        if self.counters.live_received:
            self.counters.live_read += 1
        else:
            self.counters.objects_read += 1

    def fail(self, error: Exception) -> "Outcome":
        """It could not be done."""
        if self.counters.live_received:
            self.counters.live_failed += 1
        else:
            self.counters.fail(_word(error))
        self.error = error
        return self

    def too_slow(self) -> "Outcome":
        """It was begun, and hangs."""
        return self.fail(OutOfTimeError(_TOO_SLOW))

    def defer(self) -> "Outcome":
        """It was not begun."""
        if self.counters.live_received:
            self.counters.live_deferred += 1
        else:
            self.counters.objects_deferred += 1
        self.error = OutOfTimeError(_NOT_BEGUN)
        return self


class Source(Protocol[_I]):
    """Where records come from."""

    def detect(self, item: _I, deadline: Deadline) -> Outcome:
        """Read an item's records and keep what is found. Raises nothing: what fails is the outcome's error."""


def _word(error: Exception) -> str:
    """The end of the metric that counts a failure."""
    if isinstance(error, LogFileError):
        return str(error.outcome)
    if isinstance(error, OutOfTimeError):
        return "OutOfTime"
    return "Table" if isinstance(error, TableError) else "Other"
