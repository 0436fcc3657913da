"""The notifier: new hits from the table's stream → alerts → alert topic and channels.

When one alert of a stream batch cannot be delivered, the batch comes back from that point on, with hits that were
notified; the delivery record written after each publish keeps those from being notified again. What remains is the
moment between publishing and recording: a crash exactly there notifies twice, because losing an alert would be worse.

The function watches its own time: what it could not begin comes back, too. Were it stopped in the middle, the batch
would come back with an alert that is published and not recorded.

A row that cannot be read as a hit fails alone: it is counted, given back, and ends in the dead letters. A held hit that
cannot be read fails alone, too; the clock asks for it again, until a version is deployed that can.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from trailbell.alerts.alert import Alert
from trailbell.alerts.grouping import group_hits
from trailbell.engine.rulebook import Level
from trailbell.errors import OutOfTimeError
from trailbell.flows.claims import AlertTopic, Claim, publish_claimed
from trailbell.flows.follow_ups import FollowUpNotifier, StreamFollowUp, may_be_followed_up
from trailbell.flows.gathering import MAX_GATHERED, StreamGathered, still_held
from trailbell.flows.stream_batch import Identity, NotifierCounters, StreamBatch, StreamHit, UnreadableHit
from trailbell.hits.held import HeldHit
from trailbell.hits.hit import ACT, Hit, raised
from trailbell.lazy_dataclass import dataclass


RESERVE = 30.0
"""Seconds before the function is stopped in which no alert is begun: one that is stopped between publishing and
recording is notified twice, and a topic that is slow to answer is asked again (aws/clients.py)."""

_HELD = "claimed by another notifier, which has not delivered them yet; they come again with the stream"
_PAUSE = 5.0  # seconds between two looks at hits that another one has claimed

_DEFERRED = "deferred, because the function's time was nearly over; they are notified when they come again"


_Entry = StreamHit | StreamFollowUp | UnreadableHit
StreamEntry = _Entry | StreamGathered


class DeliveryRecords(Protocol):
    """Which hits were notified of, and who is about to."""

    def notified(self, hits: Sequence[Hit]) -> Mapping[Identity, str]:
        """The identities among `hits` that were notified of, with the level they were notified at, "" if unknown."""

    def left(self, held: Sequence[HeldHit]) -> list[HeldHit]:
        """Of held hits those that nobody was notified of."""

    def claim(self, hits: Sequence[Hit]) -> list[Claim]:
        """Take hits for ourselves before their alert is published; of each, what became of it."""

    def record(self, hits: Sequence[Hit]) -> None:
        """Record that hits were notified."""

    def release(self, hits: Sequence[Hit]) -> None:
        """Give back claims that came to nothing."""


class Periods(Protocol):
    """Quiet periods: what came soon after an alert of the same kind is gathered."""

    def receive(self, alert: Alert, now: str) -> tuple[Hit, ...]:
        """Hold what is to be gathered of an alert; the hits to notify of at once."""

    def held(self, group: str, ends: str) -> Iterator[list[HeldHit]]:
        """The hits that a group's period held, a slice at a time."""


class NotifierLog(Protocol):
    """Where the flow writes what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""


@dataclass(frozen=True, slots=True)
class Notifier:
    """The flow with everything it needs.

    now:   the time as UTC ISO 8601 with Z.
    clock: seconds that only grow; sleep: waits for seconds of it.
    follow_ups: None where there are none; periods: None where nothing is gathered.
    """

    topic: AlertTopic
    delivery_records: DeliveryRecords
    event_log: NotifierLog
    now: Callable[[], str]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    follow_ups: FollowUpNotifier | None = None
    periods: Periods | None = None

    def notify(self, batch: Iterable[StreamEntry], seconds: float = math.inf) -> tuple[list[str], NotifierCounters]:
        """Notify of the hits of a stream batch within some seconds; the sequence numbers of those that must come back,
        and the counters.

        Raises what reading the delivery records raises: then nothing was sent and the whole batch comes back.
        """
        work = StreamBatch(self.clock() + seconds - RESERVE)
        entries = [*self._expanded(batch, work)]
        for entry in entries:
            if not isinstance(entry, StreamFollowUp):
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
        return [*work.failed, *self._follow_up(entries, work)], work.counters

    def _expanded(self, batch: Iterable[StreamEntry], work: StreamBatch) -> Iterator[_Entry]:
        """The entries; of periods that have ended the hits that they held, as many as a batch takes."""
        room = MAX_GATHERED
        for entry in batch:
            if not isinstance(entry, StreamGathered):
                yield entry
            elif self.periods and room:
                found = still_held(self.periods, self.delivery_records, entry, room)
                room -= len(found)
                for one in found:
                    if one.hit:
                        work.gathered.add(one.hit.identity)
                        yield StreamHit(entry.sequence, one.hit)
                    else:
                        yield UnreadableHit("", one.name, one.error or ValueError("no hit"))

    def _follow_up(self, entries: Sequence[_Entry], work: StreamBatch) -> list[str]:
        """After the acts, notify of what became of them; the sequence numbers of what must come back."""
        if not self.follow_ups:
            return []
        follow_ups = [entry for entry in entries if isinstance(entry, StreamFollowUp)]
        left = {*work.failed}
        delivered = [
            (entry.sequence, entry.hit)
            for entry in entries
            if isinstance(entry, StreamHit) and entry.sequence not in left and entry.hit.identity not in work.held
        ]
        try:
            failed = self.follow_ups.notify(follow_ups, delivered, work.deadline)
        except Exception as error:  # the boundary: the acts were notified of, and are known when they come again
            self.event_log.failed("follow-ups", error)
            maybe = [sequence for sequence, hit in delivered if may_be_followed_up(hit)]
            failed = [*(entry.sequence for entry in follow_ups), *maybe]
        return [*dict.fromkeys(failed)]

    def _leave_out_delivered(self, work: StreamBatch) -> None:
        """Hits that were notified of are known. An act that two accounts record is one; its second record is known,
        too, unless it is the graver one: then it is a stronger verdict.
        """
        delivered = self.delivery_records.notified([*work.hits.values()])
        graver = [
            raised(hit, delivered[identity], "")
            for identity, hit in work.hits.items()
            if hit.shared_event_id and hit.kept_as == ACT and _is_below(delivered.get(identity, ""), hit)
        ]
        for hit in graver:
            work.replace(hit)
        if graver:
            delivered = {**delivered, **self.delivery_records.notified(graver)}
        for identity in delivered:
            work.known(identity)

    def _notify_all(self, work: StreamBatch, hits: Iterable[Hit]) -> list[Hit]:
        """Alert by alert, most severe first; the hits that another one has claimed."""
        held, deferred = list[Hit](), 0
        for alert in _alerts(hits, work):
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

    def _claim_and_notify(self, work: StreamBatch, alert: Alert) -> list[Hit]:
        """Notify of those hits of an alert that are ours to notify of; those that another one holds.

        Raises what publishing or recording raises, with nothing counted.
        """
        hits = work.first_of_act(alert.hits)
        if self.periods and hits and not alert.gathered:
            at_once = self.periods.receive(replace(alert, hits=tuple(hits)), self.now())
            now = {hit.identity for hit in at_once}
            work.hold([hit for hit in hits if hit.identity not in now])
            hits = [*at_once]
        claims = dict(zip((hit.identity for hit in hits), self.delivery_records.claim(hits), strict=True))
        ours = tuple(hit for hit in hits if claims[hit.identity] is Claim.OURS)
        if ours:
            delivered = replace(alert, hits=ours, as_of=self.now())
            publish_claimed(self.topic, self.delivery_records, delivered, delivered.hits)
            work.counters.sent(delivered, self.now())
        for hit in hits:
            if claims[hit.identity] is Claim.DELIVERED:
                work.known(hit.identity)
        held = [hit for hit in hits if claims[hit.identity] is Claim.HELD]
        work.look_again(held)
        return held


def _alerts(hits: Iterable[Hit], work: StreamBatch) -> list[Alert]:
    """Hits as alerts; what was gathered is kept apart from what is new."""
    by_origin: tuple[list[Hit], list[Hit]] = ([], [])
    for hit in hits:
        by_origin[hit.identity in work.gathered].append(hit)
    new, gathered = map(group_hits, by_origin)
    return [*new, *(replace(alert, gathered=True) for alert in gathered)]


def _is_below(level: str, hit: Hit) -> bool:
    return level.upper() in Level.__members__ and Level[level.upper()] < hit.severity
