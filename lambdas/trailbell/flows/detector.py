"""The detector: message → objects → log files → hits kept in the table.

The objects of a batch are read side by side, because they mostly wait for S3. A message that fails goes back to the
queue; the others of its batch do not. Within a message every object is tried before the message goes back, so one
broken object costs only itself (reading the good ones again changes nothing: hits are kept once).

The function watches its own time: what could not be begun is deferred, a log file in progress is abandoned, and both
come back with their messages.
"""

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from trailbell.audit.settling import SETTLE_SECONDS
from trailbell.cloudtrail.digest_key import named_minute
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.notification import ObjectRef, parse_notification
from trailbell.cloudtrail.object_key import ANYWHERE, ObjectKind, TrailPlace
from trailbell.errors import LogFileError, OutOfTimeError, TableError
from trailbell.flows.canary import Canaries, keep_canary
from trailbell.flows.correlating import Correlating, LogFileCorrelation
from trailbell.flows.counters import DetectorCounters
from trailbell.flows.first_seen import FirstSeenJudge
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.canary import is_canary
from trailbell.hits.detect import Detected, DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.ledger import ReadLog
from trailbell.hits.undoing import Undoing


OBJECTS_AT_ONCE = 10
"""Objects read at once: a whole batch (infra/functions.py). Each takes a few MB, however large its log file."""

CHUNK = 250
"""Hits kept together: whole batches of pointer rows, and one log file of 40,000 hits takes no more memory."""

RESERVE = 10.0
"""Seconds before the function is stopped in which nothing new is begun: so long may keeping one chunk of hits take."""

LAST_CALL = 3.0
"""Seconds before the function is stopped at which it answers, whatever is still running: the answer must get out."""


_Found = TypeVar("_Found")


class TrailBucket(Protocol):
    """Where log files are read from."""

    def read(self, ref: ObjectRef) -> Iterable[bytes]:
        """The object's body in pieces. Raises LogFileError when it cannot be read."""


class HitTable(Protocol):
    """Where hits are kept."""

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new. After a TableError any part of them may have been kept."""


class Tracking(Protocol):
    """Where acts are tracked until they are undone, and what is to be done about them later."""

    def plan(self, hits: Sequence[Hit]) -> None:
        """What is to be done later about hits that are not kept yet. Raises TableError."""

    def track(self, hits: Sequence[Hit], undoings: Sequence[Undoing]) -> None:
        """Follow up hits that are kept, and what undoes some. Raises TableError."""


class MalformedRecords(Protocol):
    """Where malformed records are kept for a person to look at."""

    def keep(self, ref: ObjectRef, malformed: Sequence[MalformedRecord]) -> None:
        """Keep malformed records of a log file, each place once. Raises TableError."""


class DetectorLog(Protocol):
    """Where the flow writes what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""

    def malformed_record(self, ref: ObjectRef, index: int, reason: str) -> None:
        """An entry of a log file is malformed and was skipped."""

    def foreign(self, ref: ObjectRef) -> None:
        """A message named an object that is not the trail's; it was ignored."""


class Ledger(Protocol):
    """Where it is kept which log files were read."""

    def keep(self, read: ReadLog) -> None:
        """Keep that a log file was read; again changes nothing. Raises TableError."""


class Arrivals(Protocol):
    """Where it is kept when each account and Region delivered log files."""

    def arrived(self, account: str, region: str, delivered: datetime, read_at: str, *, asked_for: bool) -> None:
        """A log file was read that was delivered at a time. Raises TableError."""


class Digests(Protocol):
    """Where digests wait to be audited."""

    def take_up(self, bucket: str, key: str, tries: int, seconds: int) -> None:
        """Have a digest audited after some seconds."""


@dataclass(slots=True)
class _Outcome:
    """What became of one object."""

    counters: DetectorCounters = field(default_factory=lambda: DetectorCounters(objects_received=1))
    malformed: list[MalformedRecord] = field(default_factory=list)
    error: Exception | None = None

    def fail(self, error: Exception) -> "_Outcome":
        self.counters.fail(_word(error))
        self.error = error
        return self


@dataclass(frozen=True, slots=True)
class Detector:
    """The flow with everything it needs.

    now:               the time as UTC ISO 8601 with Z.
    trail:             where the trail writes; an object of any other place is ignored, whoever sent the message.
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
    clock: Callable[[], float] = time.monotonic

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
        deadline = self.clock() + seconds
        counters = DetectorCounters(messages=len(messages))
        failed = set()
        jobs: list[tuple[str, ObjectRef]] = []
        for name, body in messages:
            try:
                notification = parse_notification(body)
            except Exception as error:  # the boundary: logged, counted, and back to the queue
                self.event_log.failed(f"message {name}", error)
                failed.add(name)
                continue
            counters.notifications_ignored += notification.tests + notification.other
            jobs += [(name, ref) for ref in notification.objects]
        outcomes = self._side_by_side([ref for _, ref in jobs], deadline)
        for (name, ref), outcome in zip(jobs, outcomes, strict=True):
            counters.add(outcome.counters)
            self._log(ref, outcome)
            if outcome.error:
                failed.add(name)
        counters.messages_failed = len(failed)
        return [name for name, _ in messages if name in failed], counters

    def _side_by_side(self, refs: Sequence[ObjectRef], deadline: float) -> list[_Outcome]:
        """Every object's outcome, in order; in time even when one of them hangs."""
        if not refs:
            return []
        pool = ThreadPoolExecutor(min(len(refs), OBJECTS_AT_ONCE), "reader")
        running = [pool.submit(self._detect_object, ref, deadline) for ref in refs]
        wait(running, None if math.isinf(deadline) else max(deadline - LAST_CALL - self.clock(), 0))
        pool.shutdown(wait=False, cancel_futures=True)
        return [_outcome(future) for future in running]

    def _detect_object(self, ref: ObjectRef, deadline: float) -> _Outcome:
        outcome, counts = _Outcome(), DetectionCounts()
        kind = self._kind(ref)
        if kind is ObjectKind.DIGEST and self.digests:
            return self._hand_over(ref, outcome)
        if kind is not ObjectKind.LOG_FILE:
            outcome.counters.objects_ignored[kind] += 1
            return outcome
        if self._is_late(deadline):
            return _deferred()
        try:
            self._read(ref, counts, outcome, deadline)
        except Exception as error:  # the boundary: logged, counted, and back to the queue
            outcome.fail(error)
        else:
            outcome.counters.objects_read += 1
        outcome.counters.read(counts)
        outcome.malformed = counts.malformed
        return outcome

    def _hand_over(self, ref: ObjectRef, outcome: _Outcome) -> _Outcome:
        """A digest is for the audit, once its log files have had time to be read; it counts as ignored here."""
        assert self.digests
        try:
            self.digests.take_up(ref.bucket, ref.key, 0, SETTLE_SECONDS)
        except Exception as error:  # the boundary: logged, counted, and back to the queue
            return outcome.fail(error)
        outcome.counters.objects_ignored[ObjectKind.DIGEST] += 1
        return outcome

    def _read(self, ref: ObjectRef, counts: DetectionCounts, outcome: _Outcome, deadline: float) -> None:
        """Keep the hits of a log file, then its malformed records, also of one that breaks off. Raises what fails."""
        body = self._in_time(self.bucket.read(ref), deadline)
        sha256 = hashlib.sha256() if self.ledger else None
        arguments = (ref.bucket, ref.classified, self.now(), counts, self.max_bytes, sha256)
        found = self.hit_detector.detect_all(body, *arguments)
        correlation = self._correlation(ref)
        if self.first_seen and not ref.replay:
            self.first_seen.begin(ref.classified.account, self.now())
        try:
            for chunk in _in_chunks(self._without_canaries(found, outcome)):
                self._keep(chunk, ref, outcome, correlation)
                self._check(deadline)
        except LogFileError:
            self._correlate(correlation, outcome, deadline, is_whole=False)
            self._keep_malformed(ref, counts)
            raise
        self._correlate(correlation, outcome, deadline, is_whole=True)
        self._keep_malformed(ref, counts)
        if self.ledger and sha256:
            numbers = (counts.bytes_inflated, counts.records_read)
            self.ledger.keep(ReadLog(ref.bucket, ref.key, sha256.hexdigest(), *numbers, self.now(), ref.repair))
        self._note_arrival(ref)

    def _note_arrival(self, ref: ObjectRef) -> None:
        """When its account and Region delivered; of what is replayed, and of other names than CloudTrail's, nothing."""
        delivered = None if ref.replay else named_minute(ref.key)
        if self.arrivals and delivered:
            place = ref.classified
            self.arrivals.arrived(place.account, place.region, delivered, self.now(), asked_for=ref.repair)

    def _correlation(self, ref: ObjectRef) -> LogFileCorrelation | None:
        """What collects the contributions of a log file."""
        if not self.correlating:
            return None
        return self.correlating.log_file(f"{ref.bucket}/{ref.key}", lambda hit: _as_found(hit, ref))

    def _correlate(
        self,
        correlation: LogFileCorrelation | None,
        outcome: _Outcome,
        deadline: float,
        *,
        is_whole: bool,
    ) -> None:
        """Keep what a log file adds to correlations, and the episodes that follow. Raises TableError, or OutOfTimeError
        where time is nearly over: the log file comes back.
        """
        if not correlation:
            return
        counts = correlation.finish(lambda: self._check(deadline), is_whole=is_whole)
        outcome.counters.correlated(counts)
        for part in _apart(counts.overflows):
            outcome.counters.kept(part, self.table.keep(part))

    def _keep_malformed(self, ref: ObjectRef, counts: DetectionCounts) -> None:
        if self.malformed_records and counts.malformed:
            self.malformed_records.keep(ref, counts.malformed)

    def _keep(
        self, chunk: Sequence[Detected], ref: ObjectRef, outcome: _Outcome, correlation: LogFileCorrelation | None
    ) -> None:
        """Plan for the hits of a chunk, keep them, then track them: who finds an act must find its hit.

        What correlations count is collected.
        """
        for one in chunk:
            if correlation and isinstance(one, BaseMatch):
                correlation.add(one)
        hits = [one for one in chunk if isinstance(one, Hit)]
        if self.first_seen:
            hits = self.first_seen.judge(hits)
        hits = [_as_found(hit, ref) for hit in hits]
        if self.tracking:
            self.tracking.plan(hits)
        for part in _apart(hits):
            outcome.counters.kept(part, self.table.keep(part))
        if self.tracking:
            self.tracking.track(hits, [one for one in chunk if isinstance(one, Undoing)])

    def _kind(self, ref: ObjectRef) -> ObjectKind:
        """What an object is to us.

        One of another place is ignored rather than failed: a message that fails comes back and ends in the dead
        letters, which somebody with a place in the queue's policy could then fill at will.
        """
        return ref.classified.kind if self.trail.holds(ref.bucket, ref.key) else ObjectKind.FOREIGN

    def _without_canaries(self, found: Iterable[Detected], outcome: _Outcome) -> Iterator[Detected]:
        """What was found; canaries are kept apart and counted."""
        for one in found:
            if not isinstance(one, Hit) or not is_canary(one):
                yield one
            elif self.canaries:
                outcome.counters.canaries += keep_canary(self.canaries, one)

    def _in_time(self, body: Iterable[bytes], deadline: float) -> Iterator[bytes]:
        for piece in body:
            self._check(deadline)
            yield piece

    def _check(self, deadline: float) -> None:
        if self._is_late(deadline):
            raise OutOfTimeError(_TOO_SLOW)

    def _is_late(self, deadline: float) -> bool:
        return self.clock() > deadline - RESERVE

    def _log(self, ref: ObjectRef, outcome: _Outcome) -> None:
        if outcome.counters.objects_ignored[ObjectKind.FOREIGN]:
            self.event_log.foreign(ref)
        if outcome.error:
            self.event_log.failed(str(ref), outcome.error)
        for malformed in outcome.malformed:
            self.event_log.malformed_record(ref, malformed.index, malformed.reason)


def _as_found(hit: Hit, ref: ObjectRef) -> Hit:
    """A hit as it is kept: that of a replay is quiet unless it notifies, but for what has just happened.

    Whoever may write to the queue could otherwise silence an act, by a quiet message that comes before S3's own.
    """
    if not ref.replay:
        return hit
    if ref.notify:
        return replace(hit, replayed=True)
    return replace(hit, quiet=True) if hit.delay > _NEVER_QUIET_SECONDS else hit


def _in_chunks(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    """What was found, in chunks. When reading fails or time is over, what is before that place still comes, as the
    last chunk."""
    chunk: list[_Found] = []
    try:
        for one in found:
            chunk.append(one)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except Exception:  # whatever it is goes on to the boundary, after them
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def _apart(chunk: Sequence[Hit]) -> Iterator[list[Hit]]:
    """A chunk's hits that somebody is to be notified of, then the others: the table says how many of each are new.

    In this order, because where both are of one identity, the one that is not muted stays.
    """
    for to_notify in (True, False):
        if part := [hit for hit in chunk if hit.is_to_notify is to_notify]:
            yield part


_NEVER_QUIET_SECONDS = 86_400

_TOO_SLOW = (
    "abandoned, because the function's time was nearly over; hits found so far are kept, and it is read again from "
    "its beginning. If it is never done in time, give the function more: settings detector_seconds, detector_memory_mb"
)
_NOT_BEGUN = "deferred, because the function's time was nearly over before it could be begun"


def _deferred() -> _Outcome:
    outcome = _Outcome(error=OutOfTimeError(_NOT_BEGUN))
    outcome.counters.objects_deferred = 1
    return outcome


def _outcome(future: "Future[_Outcome]") -> _Outcome:
    """The outcome of a thread; one that hangs may go on, and what it still writes is kept once like everything."""
    if future.cancelled():
        return _deferred()
    return future.result() if future.done() else _Outcome().fail(OutOfTimeError(_TOO_SLOW))


def _word(error: Exception) -> str:
    """The end of the metric that counts a failure."""
    if isinstance(error, LogFileError):
        return str(error.outcome)
    if isinstance(error, OutOfTimeError):
        return "OutOfTime"
    return "Table" if isinstance(error, TableError) else "Other"
