"""The notifier tells: new hits from the table's stream → alerts → topic.

A stream batch in which one alert cannot be told is given back from that point on, hits that were told
included; the mark written after each publish keeps those from being told again. What remains is the moment
between publishing and marking: a crash exactly there tells twice, because losing an alert would be worse.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailalert.core.alert import Alert, group_hits
from trailalert.core.hit import Hit, seconds_between


class AlertTopic(Protocol):
    """Where alerts are told."""

    def tell(self, alert: Alert) -> None:
        """Publish one alert, or raise."""


class ToldMarks(Protocol):
    """Which hits were told already."""

    def told(self, hits: Sequence[Hit]) -> Collection[tuple[str, str, str]]:
        """The identities among `hits` that carry a mark."""

    def mark(self, hits: Sequence[Hit]) -> None:
        """Mark hits as told."""


class Journal(Protocol):
    """Where the flow tells what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""


@dataclass(frozen=True, slots=True)
class StreamHit:
    """A hit and the stream's number for it, by which it is given back."""

    sequence: str
    hit: Hit


@dataclass(slots=True)
class Tally:
    """What a batch came to: hits received = told + known + failed.

    slowest_alert: seconds from an event to its alert, the longest of the batch.
    """

    hits_received: int = 0
    hits_told: int = 0
    hits_known: int = 0
    hits_failed: int = 0
    alerts_told: int = 0
    slowest_alert: int = 0

    @property
    def balanced(self) -> bool:
        """No hit is lost silently on its way out."""
        return self.hits_received == self.hits_told + self.hits_known + self.hits_failed


@dataclass(frozen=True, slots=True)
class Notifier:
    """The flow with everything it needs. `now` gives the time as UTC ISO 8601 with Z."""

    topic: AlertTopic
    marks: ToldMarks
    journal: Journal
    now: Callable[[], str]

    def notify(self, batch: Iterable[StreamHit]) -> tuple[list[str], Tally]:
        """Tell the hits of a stream batch; the sequence numbers of those that must come back, and the tally.

        Raises what reading the marks raises: then nothing was told and the whole batch comes back.
        """
        entries = list(batch)
        sequences = {entry.hit.identity: entry.sequence for entry in entries}
        hits = {entry.hit.identity: entry.hit for entry in entries}
        told = self.marks.told(list(hits.values()))
        tally = Tally(hits_received=len(hits), hits_known=len(told))
        failed: list[str] = []
        for alert in group_hits(hit for identity, hit in hits.items() if identity not in told):
            if self._tell(alert):
                tally.alerts_told += 1
                tally.hits_told += len(alert.hits)
                delay = seconds_between(alert.sample.event_time, self.now())
                tally.slowest_alert = max(tally.slowest_alert, delay)
            else:
                tally.hits_failed += len(alert.hits)
                failed += [sequences[hit.identity] for hit in alert.hits]
        return failed, tally

    def _tell(self, alert: Alert) -> bool:
        try:
            self.topic.tell(alert)
            self.marks.mark(alert.hits)
        except Exception as error:  # the boundary: told, counted, and back to the stream
            self.journal.failed(f"alert {alert.sample.hit_id}", error)
            return False
        return True
