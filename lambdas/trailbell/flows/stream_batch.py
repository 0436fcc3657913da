"""A batch of hits from the table's stream, and what becomes of each: notified, known, failed or deferred."""

from collections.abc import Sequence

from trailbell.alerts.alert import Alert
from trailbell.hits.hit import ACT, Hit, seconds_between
from trailbell.lazy_dataclass import dataclass


Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class StreamHit:
    """A hit and the stream's number for it, by which it is given back."""

    sequence: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class UnreadableHit:
    """A row of the stream that should be a hit and cannot be read as one, by its number; `name` is its key.

    sequence: "" for a held hit, which the clock asks for again.
    """

    sequence: str
    name: str
    error: Exception


@dataclass(slots=True)
class NotifierCounters:
    """The counts of a batch: hits received = notified + known + held + failed + deferred; the failed include unreadable
    ones. Hits that were held are received again when their quiet period ends.

    hits_known:                 notified before.
    hits_held:                  in a quiet period, to be notified of at its end.
    hits_deferred:              given back untried, because time was short.
    event_to_alert_seconds_max: from an event to its alert, the longest of the batch; what was gathered is not counted.
    hits_in_alert_max:          of the largest alert.
    """

    hits_received: int = 0
    hits_notified: int = 0
    hits_known: int = 0
    hits_held: int = 0
    hits_failed: int = 0
    hits_deferred: int = 0
    hits_unreadable: int = 0
    alerts_sent: int = 0
    event_to_alert_seconds_max: int = 0
    hits_in_alert_max: int = 0

    @property
    def balanced(self) -> bool:
        """No hit is lost silently on its way out."""
        ended = self.hits_notified + self.hits_known + self.hits_held
        return self.hits_received == ended + self.hits_failed + self.hits_deferred

    def sent(self, alert: Alert, now: str) -> None:
        """Count an alert that everybody got who should; now: UTC, ISO 8601 with Z."""
        self.alerts_sent += 1
        self.hits_notified += len(alert.hits)
        self.hits_in_alert_max = max(self.hits_in_alert_max, len(alert.hits))
        seconds = 0 if alert.gathered else seconds_between(alert.sample.event_time, now)
        self.event_to_alert_seconds_max = max(self.event_to_alert_seconds_max, seconds)


class StreamBatch:
    """The hits of a batch by identity, where each is in the stream, and what becomes of them: one of four, for each."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.counters = NotifierCounters()
        self.unreadable: list[UnreadableHit] = []
        self.hits: dict[Identity, Hit] = {}
        self.failed: list[str] = []
        self.gathered: set[Identity] = set()
        self.held: set[Identity] = set()
        self._sequences: dict[Identity, str] = {}
        self._acts: set[Identity] = set()

    def add(self, entry: StreamHit | UnreadableHit) -> None:
        """One entry of the stream; a hit that comes twice counts once."""
        if isinstance(entry, UnreadableHit):
            self.unreadable.append(entry)
            self.failed += [entry.sequence] if entry.sequence else []
            self.counters.hits_received += 1
            self.counters.hits_unreadable += 1
            self.counters.hits_failed += 1
        else:
            self.counters.hits_received += entry.hit.identity not in self.hits
            self.hits[entry.hit.identity] = entry.hit
            self._sequences[entry.hit.identity] = entry.sequence

    def replace(self, stronger: Hit) -> None:
        """A hit becomes a stronger verdict on an act that was notified of."""
        before = (*stronger.identity[:2], ACT)
        del self.hits[before]
        self.hits[stronger.identity] = stronger
        self._sequences[stronger.identity] = self._sequences[before]

    def known(self, identity: Identity) -> None:
        """It was notified of before."""
        if self.hits.pop(identity, None):
            self.counters.hits_known += 1

    def hold(self, hits: Sequence[Hit]) -> None:
        """They are kept for the end of a quiet period."""
        self.counters.hits_held += len(hits)
        for hit in hits:
            del self.hits[hit.identity]
            self.held.add(hit.identity)

    def first_of_act(self, hits: Sequence[Hit]) -> list[Hit]:
        """Those that are not the second record of an act in this batch; a second one is known."""
        first = []
        for hit in hits:
            if hit.delivery_identity in self._acts and hit.delivery_identity != hit.identity:
                self.known(hit.identity)
            else:
                self._acts.add(hit.delivery_identity)
                first.append(hit)
        return first

    def look_again(self, hits: Sequence[Hit]) -> None:
        """They are claimed by another one, and tried again later."""
        self._acts.difference_update(hit.delivery_identity for hit in hits)

    def fail(self, hits: Sequence[Hit]) -> None:
        """Those that are left come back: their alert could not be sent or recorded."""
        left = [hit for hit in hits if hit.identity in self.hits]
        self.counters.hits_failed += len(left)
        self.failed += [self._sequences[hit.identity] for hit in left]

    def defer(self, hits: Sequence[Hit]) -> None:
        """They come back untried."""
        self.counters.hits_deferred += len(hits)
        self.failed += [self._sequences[hit.identity] for hit in hits]
