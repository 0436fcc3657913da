"""The detector reads and decides: message → objects → log file → hits kept in the table.

One message of a batch that fails goes back to its queue; its neighbours are done. Within a message every
object is tried before the message is given back, so one bad object costs only itself (reading the good ones
again later changes nothing: hits are kept once).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from trailalert.core.examine import Examination, Examiner
from trailalert.core.hit import Hit
from trailalert.core.notification import ObjectRef, parse_notification
from trailalert.core.object_key import ObjectKind, classify_key


class TrailBucket(Protocol):
    """Where log files are read from."""

    def read(self, ref: ObjectRef) -> Iterable[bytes]:
        """The object's body in pieces. Raises LogFileError when it cannot be had."""


class HitTable(Protocol):
    """Where hits are kept."""

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new. Raises TableError, then nothing may be assumed."""


class Journal(Protocol):
    """Where the flow tells what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""

    def bad_record(self, ref: ObjectRef, index: int, reason: str) -> None:
        """An entry of a log file is no record and was passed over."""


@dataclass(slots=True)
class Tally:
    """What a batch came to; the two identities of promise 1 are `balanced`.

    slowest_hit: seconds from an event to its hit, the longest of the batch.
    """

    messages: int = 0
    tests: int = 0
    other_notifications: int = 0
    objects_received: int = 0
    objects_read: int = 0
    objects_ignored: dict[ObjectKind, int] = field(default_factory=dict)
    objects_failed: int = 0
    messages_failed: int = 0
    bytes_inflated: int = 0
    records_read: int = 0
    records_matched: int = 0
    records_not_watched: int = 0
    records_bad: int = 0
    hits_new: int = 0
    hits_known: int = 0
    hits_muted: int = 0
    slowest_hit: int = 0

    @property
    def balanced(self) -> bool:
        """objects received = read + ignored + failed, and records read = matched + not watched + bad."""
        objects = self.objects_read + sum(self.objects_ignored.values()) + self.objects_failed
        records = self.records_matched + self.records_not_watched + self.records_bad
        return self.objects_received == objects and self.records_read == records

    def add(self, found: Examination, hits: Sequence[Hit], new: int) -> None:
        """Count one log file that was read and whose hits were kept."""
        self.objects_read += 1
        self.bytes_inflated += found.bytes_inflated
        self.records_read += found.records_read
        self.records_matched += found.records_matched
        self.records_not_watched += found.records_not_watched
        self.records_bad += found.records_bad
        self.hits_new += new
        self.hits_known += found.hits - new
        if new:
            self.slowest_hit = max(self.slowest_hit, *(hit.delay for hit in hits))
        self.hits_muted += found.hits_muted


@dataclass(frozen=True, slots=True)
class Detector:
    """The flow with everything it needs. `now` gives the time as UTC ISO 8601 with Z."""

    examiner: Examiner
    bucket: TrailBucket
    table: HitTable
    journal: Journal
    now: Callable[[], str]
    max_bytes: int

    def detect_batch(self, messages: Iterable[Mapping[str, Any]]) -> tuple[list[str], Tally]:
        """Do every message of an SQS batch; the ids of those that must come back, and the tally."""
        tally = Tally()
        failed = []
        for message in messages:
            tally.messages += 1
            if not self._detect_message(message["body"], message["messageId"], tally):
                tally.messages_failed += 1
                failed.append(message["messageId"])
        return failed, tally

    def detect(self, body: str | Mapping[str, Any], name: str) -> Tally:
        """Do one notification that came without a queue; a failure is in the tally's `messages_failed`."""
        tally = Tally(messages=1)
        if not self._detect_message(body, name, tally):
            tally.messages_failed = 1
        return tally

    def _detect_message(self, body: str | Mapping[str, Any], name: str, tally: Tally) -> bool:
        try:
            notification = parse_notification(body)
        except Exception as error:  # the boundary: told, counted, and back to the queue
            self.journal.failed(f"message {name}", error)
            return False
        tally.tests += notification.tests
        tally.other_notifications += notification.other
        results = [self._detect_object(ref, tally) for ref in notification.objects]
        return all(results)

    def _detect_object(self, ref: ObjectRef, tally: Tally) -> bool:
        tally.objects_received += 1
        kind = classify_key(ref.key).kind
        if kind is not ObjectKind.LOG_FILE:
            tally.objects_ignored[kind] = tally.objects_ignored.get(kind, 0) + 1
            return True
        try:
            found = Examination()
            body = self.bucket.read(ref)
            hits = list(self.examiner.examine(body, ref.bucket, ref.key, self.now(), found, self.max_bytes))
            new = self.table.keep(hits)
        except Exception as error:  # the boundary: told, counted, and back to the queue
            tally.objects_failed += 1
            self.journal.failed(str(ref), error)
            return False
        tally.add(found, hits, new)
        for bad in found.bad:
            self.journal.bad_record(ref, bad.index, bad.reason)
        return True
