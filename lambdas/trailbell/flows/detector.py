"""The detector: message → items → records of each item's source → hits kept in the table.

The items of a batch are read side by side, because they mostly wait for S3 and the table. A message that fails goes
back to the queue; the others of its batch do not. Within a message every item is tried before the message goes back, so
one broken object costs only itself (reading the good ones again changes nothing: hits are kept once).

The function watches its own time: what could not be begun is deferred, a log file in progress is abandoned, and both
come back with their messages.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from trailbell.cloudtrail.live_event import Envelope
from trailbell.cloudtrail.notification import Item, ObjectRef, parse_notification
from trailbell.cloudtrail.object_key import ANYWHERE, ObjectKind, TrailPlace
from trailbell.flows.canary import Canaries
from trailbell.flows.correlating import Correlating
from trailbell.flows.counters import DetectorCounters
from trailbell.flows.first_seen import FirstSeenJudge
from trailbell.flows.keeping import HitTable, Keeping, Tracking
from trailbell.flows.live_events import LiveEvents
from trailbell.flows.log_files import Arrivals, Digests, Ledger, LogFiles, MalformedRecords, TrailBucket
from trailbell.flows.source import Deadline, DetectorLog, Outcome, Source
from trailbell.hits.detect import HitDetector
from trailbell.lazy_dataclass import dataclass


ITEMS_AT_ONCE = 10
"""Items read at once: a whole batch (infra/functions.py). Each takes a few MB, however large its log file."""

LAST_CALL = 3.0
"""Seconds before the function is stopped at which it answers, whatever is still running: the answer must get out."""


@dataclass(frozen=True, slots=True)
class Detector:
    """The flow with everything it needs.

    now:               the time as UTC ISO 8601 with Z.
    trail:             where the trail writes; an object of any other place is ignored, whoever sent the message.
    live_accounts:     whose live events are believed; none for any account's, None where they are switched off.
    ledger, digests:   None where nothing is audited.
    arrivals:          None where nobody's silence is listened for.
    malformed_records: None if malformed records are to be written to the event log alone.
    clock:             seconds that only grow.
    """

    hit_detector: HitDetector
    bucket: TrailBucket
    table: HitTable
    event_log: DetectorLog
    now: Callable[[], str]
    max_bytes: int
    malformed_records: MalformedRecords | None = None
    canaries: Canaries | None = None
    tracking: Tracking | None = None
    first_seen: FirstSeenJudge | None = None
    correlating: Correlating | None = None
    ledger: Ledger | None = None
    digests: Digests | None = None
    arrivals: Arrivals | None = None
    trail: TrailPlace = ANYWHERE
    live_accounts: Set[str] | None = None
    clock: Callable[[], float] = time.monotonic

    @property
    def _sources(self) -> dict[type, Source[Any]]:
        """The source of each kind of item."""
        keeping = Keeping(self.table, self.canaries, self.tracking, self.first_seen, self.correlating)
        return {
            ObjectRef: LogFiles(
                self.hit_detector,
                keeping,
                self.bucket,
                self.now,
                self.max_bytes,
                self.malformed_records,
                self.ledger,
                self.digests,
                self.arrivals,
                self.trail,
            ),
            Envelope: LiveEvents(self.hit_detector, keeping, self.now, self.live_accounts),
        }

    def detect_batch(
        self, messages: Iterable[Mapping[str, Any]], seconds: float = math.inf
    ) -> tuple[list[str], DetectorCounters]:
        """Process an SQS batch within some seconds: (ids of the messages that must come back, counters)."""
        return self._detect([(message["messageId"], message["body"]) for message in messages], seconds)

    def detect(self, body: str | Mapping[str, Any], name: str, seconds: float = math.inf) -> DetectorCounters:
        """Process one notification that came without a queue; a failure is counted in `messages_failed`."""
        return self._detect([(name, body)], seconds)[1]

    def _detect(
        self, messages: Sequence[tuple[str, str | Mapping[str, Any]]], seconds: float
    ) -> tuple[list[str], DetectorCounters]:
        deadline = Deadline(self.clock() + seconds, self.clock)
        counters = DetectorCounters(messages=len(messages))
        failed = set()
        jobs: list[tuple[str, Item]] = []
        for name, body in messages:
            try:
                notification = parse_notification(body)
            except Exception as error:  # the boundary: logged, counted, and back to the queue
                self.event_log.failed(f"message {name}", error)
                failed.add(name)
                continue
            counters.notifications_ignored += notification.tests + notification.other
            jobs += [(name, item) for item in notification.items]
        outcomes = self._side_by_side([item for _, item in jobs], deadline)
        for (name, item), outcome in zip(jobs, outcomes, strict=True):
            counters.add(outcome.counters)
            self._log(item, outcome)
            if outcome.error:
                failed.add(name)
        counters.messages_failed = len(failed)
        return [name for name, _ in messages if name in failed], counters

    def _side_by_side(self, items: Sequence[Item], deadline: Deadline) -> list[Outcome]:
        """Every item's outcome, in order; in time even when one of them hangs."""
        if not items:
            return []
        sources = self._sources
        pool = ThreadPoolExecutor(min(len(items), ITEMS_AT_ONCE), "reader")
        running = [pool.submit(sources[type(item)].detect, item, deadline) for item in items]
        wait(running, deadline.seconds_until(LAST_CALL))
        pool.shutdown(wait=False, cancel_futures=True)
        return [_outcome(future, item) for future, item in zip(running, items, strict=True)]

    def _log(self, item: Item, outcome: Outcome) -> None:
        if isinstance(item, Envelope) and outcome.refused:
            self.event_log.refused(item, outcome.refused)
        if isinstance(item, ObjectRef) and outcome.counters.objects_ignored[ObjectKind.FOREIGN]:
            self.event_log.foreign(item)
        if outcome.error:
            self.event_log.failed(str(item), outcome.error)
        for malformed in outcome.malformed:
            self.event_log.malformed_record(item, malformed.index, malformed.reason)


def _outcome(future: "Future[Outcome]", item: Item) -> Outcome:
    """The outcome of a thread; one that hangs may go on, and what it still writes is kept once like everything."""
    if future.cancelled():
        return Outcome.of(item).defer()
    return future.result() if future.done() else Outcome.of(item).too_slow()
