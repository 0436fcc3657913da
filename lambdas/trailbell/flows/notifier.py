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
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from trailbell.alerts.alert import Alert
from trailbell.alerts.grouping import group_hits
from trailbell.engine.rulebook import Level
from trailbell.errors import OutOfTimeError
from trailbell.flows.claims import Claim
from trailbell.hits.hit import ACT, Hit, hit_from_document, raised, seconds_between


RESERVE = 30.0
"""Seconds before the function is stopped in which no alert is begun: one that is stopped between publishing and
marking is told twice, and a topic that is slow to answer is asked again (aws/clients.py)."""

_HELD = "claimed by another notifier, which has not delivered them yet; they come again with the stream"
_PAUSE = 5.0  # seconds between two looks at hits that another one has claimed

Identity = tuple[str, str, str]

_DEFERRED = "put off, because the function's time was nearly over; they are told when the stream comes again"


class AlertTopic(Protocol):
    """Where alerts are told."""

    def notify(self, alert: Alert) -> None:
        """Publish one alert, or raise."""


class DeliveryRecords(Protocol):
    """Which hits were notified of, and who is about to."""

    def notified(self, hits: Sequence[Hit]) -> Mapping[Identity, str]:
        """The identities among `hits` that were notified of, with the level they were notified at, "" if unknown."""

    def claim(self, hits: Sequence[Hit]) -> list[Claim]:
        """Take hits for ourselves before their alert is published; of each, what became of it."""

    def mark(self, hits: Sequence[Hit]) -> None:
        """Write that hits were notified of."""

    def release(self, hits: Sequence[Hit]) -> None:
        """Give back claims that came to nothing."""


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
    clock: seconds that only grow; sleep: waits for seconds of it.
    """

    topic: AlertTopic
    deliveries: DeliveryRecords
    event_log: NotifierLog
    now: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def notify(
        self, batch: Iterable[StreamHit | UnreadableHit], seconds: float = math.inf
    ) -> tuple[list[str], NotifierCounters]:
        """Notify of the hits of a stream batch within some seconds; the sequence numbers of those that must come back,
        and the counters.

        Raises what reading the delivery records raises: then nothing was sent and the whole batch comes back.
        """
        work = _Batch(self.clock() + seconds - RESERVE)
        for entry in batch:
            work.add(entry)
        for unreadable in work.unreadable:
            self.event_log.failed(f"hit {unreadable.name}", unreadable.error)
        self._leave_out_delivered(work)
        held = self._notify_all(work, [hit for hit in work.hits.values() if not hit.raised_from])
        # After the acts they raise, or a reader would be told of a change before the thing that changed.
        held += self._notify_all(work, [hit for hit in work.hits.values() if hit.raised_from])
        while held and self.clock() + _PAUSE < work.deadline:
            self.sleep(_PAUSE)
            held = self._notify_all(work, held)
        if held:
            work.defer(held)
            self.event_log.failed(f"{len(held)} hits", OutOfTimeError(_HELD))
        return work.failed, work.counters

    def _leave_out_delivered(self, work: "_Batch") -> None:
        """Hits that were notified of are known. An act that two accounts record is one; its second record is known,
        too, unless it is the graver one: then it is a stronger verdict.
        """
        delivered = self.deliveries.notified([*work.hits.values()])
        graver = [
            raised(hit, delivered[identity], "")
            for identity, hit in work.hits.items()
            if hit.shared_event_id and hit.kept_as == ACT and _is_below(delivered.get(identity, ""), hit)
        ]
        for hit in graver:
            work.replace(hit)
        if graver:
            delivered = {**delivered, **self.deliveries.notified(graver)}
        for identity in delivered:
            work.known(identity)

    def _notify_all(self, work: "_Batch", hits: Iterable[Hit]) -> list[Hit]:
        """Alert by alert, most severe first; the hits that another one has claimed."""
        held, deferred = list[Hit](), 0
        for alert in group_hits(hits):
            if self.clock() > work.deadline:
                deferred += 1
                work.defer(alert.hits)
                continue
            try:
                held += self._claim_and_notify(work, alert)
            except Exception as error:  # the boundary: logged, counted, and back to the stream
                self.event_log.failed(f"alert {alert.sample.hit_id}", error)
                work.fail(alert.hits)
        if deferred:
            self.event_log.failed(f"{deferred} alerts", OutOfTimeError(_DEFERRED))
        return held

    def _claim_and_notify(self, work: "_Batch", alert: Alert) -> list[Hit]:
        """Notify of those hits of an alert that are ours to notify of; those that another one holds.

        Raises what publishing or recording raises, with nothing counted.
        """
        hits = work.first_of_act(alert.hits)
        claims = dict(zip((hit.identity for hit in hits), self.deliveries.claim(hits), strict=True))
        ours = tuple(hit for hit in hits if claims[hit.identity] is Claim.OURS)
        if ours:
            self._publish(replace(alert, hits=ours))
            work.notified(ours, self.now())
        for hit in hits:
            if claims[hit.identity] is Claim.DELIVERED:
                work.known(hit.identity)
        held = [hit for hit in hits if claims[hit.identity] is Claim.HELD]
        work.look_again(held)
        return held

    def _publish(self, alert: Alert) -> None:
        try:
            self.topic.notify(alert)
            self.deliveries.mark(alert.hits)
        except Exception:
            with suppress(Exception):  # what cannot be given back ends with its lease
                self.deliveries.release(alert.hits)
            raise


class _Batch:
    """The hits of a batch by identity, where each is in the stream, and what becomes of them: one of four, for each."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.counters = NotifierCounters()
        self.unreadable: list[UnreadableHit] = []
        self.hits: dict[Identity, Hit] = {}
        self.failed: list[str] = []
        self._sequences: dict[Identity, str] = {}
        self._acts: set[Identity] = set()

    def add(self, entry: StreamHit | UnreadableHit) -> None:
        if isinstance(entry, UnreadableHit):
            self.unreadable.append(entry)
            self.failed.append(entry.sequence)
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

    def notified(self, hits: Sequence[Hit], now: str) -> None:
        counters = self.counters
        counters.alerts_sent += 1
        counters.hits_notified += len(hits)
        counters.largest_alert = max(counters.largest_alert, len(hits))
        counters.slowest_alert = max(counters.slowest_alert, seconds_between(hits[0].event_time, now))

    def fail(self, hits: Sequence[Hit]) -> None:
        left = [hit for hit in hits if hit.identity in self.hits]
        self.counters.hits_failed += len(left)
        self.failed += [self._sequences[hit.identity] for hit in left]

    def defer(self, hits: Sequence[Hit]) -> None:
        self.counters.hits_deferred += len(hits)
        self.failed += [self._sequences[hit.identity] for hit in hits]


def _is_below(level: str, hit: Hit) -> bool:
    return level.upper() in Level.__members__ and Level[level.upper()] < hit.severity


def read_hit(row: Mapping[str, Any]) -> Hit:
    """The hit of a row, complete enough to be told: with an identity, a level we know, and times that are times.

    Raises ValueError, TypeError, KeyError or AttributeError when the row holds none.
    """
    hit = hit_from_document(row)
    if not all(isinstance(part, str) and part for part in hit.identity):
        raise ValueError(f"identity {hit.identity} is not whole")
    _ = hit.severity, hit.delay  # what grouping and the mail compute
    return hit
