"""The notifier tells: new hits from the table's stream → alerts → topic.

A stream batch in which one alert cannot be told is given back from that point on, hits that were told
included; the mark written after each publish keeps those from being told again. What remains is the moment
between publishing and marking: a crash exactly there tells twice, because losing an alert would be worse.

The function's own time is watched: what could not be begun in it is given back, too. Stopped in the middle, the
batch would come back with an alert that is told and not marked.

A row that is no hit we can read fails alone: it is counted, given back, and ends in the dead-letter queue.
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailbell.alerts.alert import Alert
from trailbell.alerts.grouping import group_hits
from trailbell.errors import OutOfTimeError
from trailbell.hits.hit import Hit, seconds_between


RESERVE = 30.0
"""Seconds before the function is stopped in which no alert is begun: one that is stopped between publishing and
marking is told twice, and a topic that is slow to answer is asked again (aws/clients.py)."""

_DEFERRED = "put off, because the function's time was nearly over; they are told when the stream comes again"


class AlertTopic(Protocol):
    """Where alerts are told."""

    def notify(self, alert: Alert) -> None:
        """Publish one alert, or raise."""


class DeliveryRecords(Protocol):
    """Which hits were told already."""

    def notified(self, hits: Sequence[Hit]) -> Collection[tuple[str, str, str]]:
        """The identities among `hits` that carry a mark."""

    def mark(self, hits: Sequence[Hit]) -> None:
        """Mark hits as told."""


class NotifierLog(Protocol):
    """Where the flow tells what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""


@dataclass(frozen=True, slots=True)
class StreamHit:
    """A hit and the stream's number for it, by which it is given back."""

    sequence: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class UnreadableHit:
    """A row of the stream that should be a hit and cannot be read as one, by its number; `name` is its key."""

    sequence: str
    name: str
    error: Exception


@dataclass(slots=True)
class NotifierCounters:
    """What a batch came to: hits received = told + known + failed + put off; unreadable ones are among the failed.

    hits_deferred: given back untried, for lack of time; slowest_alert: seconds from an event to its alert, the
    longest of the batch; largest_alert: hits in one.
    """

    hits_received: int = 0
    hits_notified: int = 0
    hits_known: int = 0
    hits_failed: int = 0
    hits_deferred: int = 0
    hits_unreadable: int = 0
    alerts_sent: int = 0
    slowest_alert: int = 0
    largest_alert: int = 0

    @property
    def balanced(self) -> bool:
        """No hit is lost silently on its way out."""
        return self.hits_received == self.hits_notified + self.hits_known + self.hits_failed + self.hits_deferred


@dataclass(frozen=True, slots=True)
class Notifier:
    """The flow with everything it needs.

    now:   the time as UTC ISO 8601 with Z.
    clock: seconds that only grow.
    """

    topic: AlertTopic
    marks: DeliveryRecords
    event_log: NotifierLog
    now: Callable[[], str]
    clock: Callable[[], float] = time.monotonic

    def notify(
        self, batch: Iterable[StreamHit | UnreadableHit], seconds: float = math.inf
    ) -> tuple[list[str], NotifierCounters]:
        """Tell the hits of a stream batch within some seconds; the sequence numbers of those that must come back, and
        the tally.

        Raises what reading the marks raises: then nothing was told and the whole batch comes back.
        """
        deadline = self.clock() + seconds - RESERVE
        entries = list(batch)
        readable = {entry.hit.identity: entry for entry in entries if isinstance(entry, StreamHit)}
        unreadable = [entry for entry in entries if isinstance(entry, UnreadableHit)]
        notified = self.marks.notified([entry.hit for entry in readable.values()])
        counters = NotifierCounters(
            hits_received=len(readable) + len(unreadable),
            hits_known=len(notified),
            hits_failed=len(unreadable),
            hits_unreadable=len(unreadable),
        )
        failed = [entry.sequence for entry in unreadable]
        for entry in unreadable:
            self.event_log.failed(f"hit {entry.name}", entry.error)
        deferred = 0
        for alert in group_hits(entry.hit for identity, entry in readable.items() if identity not in notified):
            if self.clock() > deadline:
                deferred += 1
                counters.hits_deferred += len(alert.hits)
                failed += [readable[hit.identity].sequence for hit in alert.hits]
            elif self._notify(alert):
                counters.alerts_sent += 1
                counters.hits_notified += len(alert.hits)
                counters.largest_alert = max(counters.largest_alert, len(alert.hits))
                delay = seconds_between(alert.sample.event_time, self.now())
                counters.slowest_alert = max(counters.slowest_alert, delay)
            else:
                counters.hits_failed += len(alert.hits)
                failed += [readable[hit.identity].sequence for hit in alert.hits]
        if deferred:
            self.event_log.failed(f"{deferred} alerts", OutOfTimeError(_DEFERRED))
        return failed, counters

    def _notify(self, alert: Alert) -> bool:
        try:
            self.topic.notify(alert)
            self.marks.mark(alert.hits)
        except Exception as error:  # the boundary: told, counted, and back to the stream
            self.event_log.failed(f"alert {alert.sample.hit_id}", error)
            return False
        return True


def complete(hit: Hit) -> Hit:
    """The hit, if it is complete enough for an alert: with an identity, a level we know, and times that are times.

    Raises ValueError, TypeError, KeyError or AttributeError if it is not.
    """
    if not all(isinstance(part, str) and part for part in hit.identity):
        raise ValueError(f"identity {hit.identity} is not whole")
    _ = hit.severity, hit.delay  # what grouping and the mail compute
    return hit
