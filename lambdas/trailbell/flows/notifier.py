"""The notifier: new hits from the table's stream → alerts → alert topic and channels.

When one alert of a stream batch cannot be delivered, the batch comes back from that point on, with hits that were
notified; the delivery record written after each publish keeps those from being notified again. What remains is the
moment between publishing and recording: a crash exactly there notifies twice, because losing an alert would be worse.

The function watches its own time: what it could not begin comes back, too. Were it stopped in the middle, the batch
would come back with an alert that is published and not recorded.

A row that cannot be read as a hit fails alone: it is counted, given back, and ends in the dead letters.
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
recording is notified twice, and a topic that is slow to answer is asked again (aws/clients.py)."""

_DEFERRED = "deferred, because the function's time was nearly over; they are notified when they come again"


class AlertTopic(Protocol):
    """Where alerts are published."""

    def notify(self, alert: Alert) -> None:
        """Publish one alert, or raise."""


class DeliveryRecords(Protocol):
    """Which hits were notified already."""

    def notified(self, hits: Sequence[Hit]) -> Collection[tuple[str, str, str]]:
        """The identities among `hits` that have a delivery record."""

    def record(self, hits: Sequence[Hit]) -> None:
        """Record that hits were notified."""


class NotifierLog(Protocol):
    """Where the flow writes what a person may want to read later."""

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
    """The counts of a batch: hits received = notified + known + failed + deferred; the failed include unreadable ones.

    hits_known:                 notified before.
    hits_deferred:              given back untried, because time was short.
    event_to_alert_seconds_max: from an event to its alert, the longest of the batch.
    hits_in_alert_max:          of the largest alert.
    """

    hits_received: int = 0
    hits_notified: int = 0
    hits_known: int = 0
    hits_failed: int = 0
    hits_deferred: int = 0
    hits_unreadable: int = 0
    alerts_sent: int = 0
    event_to_alert_seconds_max: int = 0
    hits_in_alert_max: int = 0

    @property
    def balanced(self) -> bool:
        """No hit is lost silently on its way out."""
        return self.hits_received == self.hits_notified + self.hits_known + self.hits_failed + self.hits_deferred

    def sent(self, alert: Alert, now: str) -> None:
        """Count an alert that everybody got who should; now: UTC, ISO 8601 with Z."""
        self.alerts_sent += 1
        self.hits_notified += len(alert.hits)
        self.hits_in_alert_max = max(self.hits_in_alert_max, len(alert.hits))
        seconds = seconds_between(alert.sample.event_time, now)
        self.event_to_alert_seconds_max = max(self.event_to_alert_seconds_max, seconds)


@dataclass(frozen=True, slots=True)
class Notifier:
    """The flow with everything it needs.

    now:   the time as UTC ISO 8601 with Z.
    clock: seconds that only grow.
    """

    topic: AlertTopic
    delivery_records: DeliveryRecords
    event_log: NotifierLog
    now: Callable[[], str]
    clock: Callable[[], float] = time.monotonic

    def notify(
        self, batch: Iterable[StreamHit | UnreadableHit], seconds: float = math.inf
    ) -> tuple[list[str], NotifierCounters]:
        """Notify the hits of a stream batch within some seconds: (sequence numbers that must come back, counters).

        Raises what reading the delivery records raises: then nobody was notified and the whole batch comes back.
        """
        deadline = self.clock() + seconds - RESERVE
        entries = list(batch)
        readable = {entry.hit.identity: entry for entry in entries if isinstance(entry, StreamHit)}
        notified = self.delivery_records.notified([entry.hit for entry in readable.values()])
        counters = NotifierCounters(hits_received=len(readable), hits_known=len(notified))
        come_back = self._unreadable(entries, counters)
        deferred = 0
        for alert in group_hits(entry.hit for identity, entry in readable.items() if identity not in notified):
            if self.clock() > deadline:
                deferred += 1
                counters.hits_deferred += len(alert.hits)
            elif self._notify(alert):
                counters.sent(alert, self.now())
                continue
            else:
                counters.hits_failed += len(alert.hits)
            come_back += [readable[hit.identity].sequence for hit in alert.hits]
        if deferred:
            self.event_log.failed(f"{deferred} alerts", OutOfTimeError(_DEFERRED))
        return come_back, counters

    def _unreadable(self, entries: Iterable[StreamHit | UnreadableHit], counters: NotifierCounters) -> list[str]:
        """Count and log the rows that cannot be read as hits; their sequence numbers."""
        unreadable = [entry for entry in entries if isinstance(entry, UnreadableHit)]
        counters.hits_received += len(unreadable)
        counters.hits_failed += len(unreadable)
        counters.hits_unreadable += len(unreadable)
        for entry in unreadable:
            self.event_log.failed(f"hit {entry.name}", entry.error)
        return [entry.sequence for entry in unreadable]

    def _notify(self, alert: Alert) -> bool:
        try:
            self.topic.notify(alert)
            self.delivery_records.record(alert.hits)
        except Exception as error:  # the boundary: logged, counted, and back to the stream
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
