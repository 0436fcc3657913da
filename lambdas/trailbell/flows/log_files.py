"""Log files as a source: object → what it is → its records → what is kept; then its ledger row.

A log file that breaks off keeps what was found before, and comes back.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from trailbell.audit.settling import SETTLE_SECONDS
from trailbell.cloudtrail.digest_key import named_minute
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.object_key import ANYWHERE, ObjectKind, TrailPlace
from trailbell.errors import LogFileError
from trailbell.flows.keeping import Keeping, quiet_unless_news
from trailbell.flows.source import Deadline, Outcome
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.ledger import ReadLog
from trailbell.lazy_dataclass import dataclass


class TrailBucket(Protocol):
    """Where log files are read from."""

    def read(self, ref: ObjectRef) -> Iterable[bytes]:
        """The object's body in pieces. Raises LogFileError when it cannot be read."""


class MalformedRecords(Protocol):
    """Where malformed records are kept for a person to look at."""

    def keep(self, ref: ObjectRef, malformed: Sequence[MalformedRecord]) -> None:
        """Keep malformed records of a log file, each place once. Raises TableError."""


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


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The source with everything it needs; the same names are explained at flows/detector.py."""

    hit_detector: HitDetector
    keeping: Keeping
    bucket: TrailBucket
    now: Callable[[], str]
    max_bytes: int
    malformed_records: MalformedRecords | None = None
    ledger: Ledger | None = None
    digests: Digests | None = None
    arrivals: Arrivals | None = None
    trail: TrailPlace = ANYWHERE

    def detect(self, item: ObjectRef, deadline: Deadline) -> Outcome:
        """Read an object if it is a log file, and keep what is found."""
        outcome = Outcome.of(item)
        kind = self._kind(item)
        if kind is ObjectKind.DIGEST and self.digests:
            return self._hand_over(item, self.digests, outcome)
        if kind is not ObjectKind.LOG_FILE:
            outcome.counters.objects_ignored[kind] += 1
            return outcome
        if deadline.is_near:
            return outcome.defer()
        return outcome.settle(lambda counts: self._read(item, counts, outcome, deadline))

    def _kind(self, ref: ObjectRef) -> ObjectKind:
        """What an object is to us.

        One of another place is ignored rather than failed: a message that fails comes back and ends in the dead
        letters, which somebody with a place in the queue's policy could then fill at will.
        """
        return ref.classified.kind if self.trail.holds(ref.bucket, ref.key) else ObjectKind.FOREIGN

    def _hand_over(self, ref: ObjectRef, digests: Digests, outcome: Outcome) -> Outcome:
        """A digest is for the audit, once its log files have had time to be read; it counts as ignored here."""
        try:
            digests.take_up(ref.bucket, ref.key, 0, SETTLE_SECONDS)
        except Exception as error:  # the boundary: logged, counted, and back to the queue
            return outcome.fail(error)
        outcome.counters.objects_ignored[ObjectKind.DIGEST] += 1
        return outcome

    def _read(self, ref: ObjectRef, counts: DetectionCounts, outcome: Outcome, deadline: Deadline) -> None:
        """Keep the hits of a log file, then its malformed records, also of one that breaks off. Raises what fails."""
        body = deadline.each(self.bucket.read(ref))
        sha256 = hashlib.sha256() if self.ledger else None
        arguments = (ref.bucket, ref.classified, self.now(), counts, self.max_bytes, sha256)
        found = self.hit_detector.detect_all(body, *arguments)
        keeping = self.keeping.of(
            f"{ref.bucket}/{ref.key}", outcome.counters, deadline, lambda hit: _as_found(hit, ref)
        )
        if self.keeping.first_seen and not ref.replay:
            self.keeping.first_seen.begin(ref.classified.account, self.now())
        try:
            keeping.keep(found)
        except LogFileError:
            keeping.finish(is_whole=False)
            self._keep_malformed(ref, counts)
            raise
        keeping.finish()
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

    def _keep_malformed(self, ref: ObjectRef, counts: DetectionCounts) -> None:
        if self.malformed_records and counts.malformed:
            self.malformed_records.keep(ref, counts.malformed)


def _as_found(hit: Hit, ref: ObjectRef) -> Hit:
    """A hit as it is kept: that of a replay is quiet unless it notifies, but for what has just happened.

    Whoever may write to the queue could otherwise silence an act, by a quiet message that comes before S3's own.
    """
    if not ref.replay:
        return hit
    if ref.notify:
        return replace(hit, replayed=True)
    return quiet_unless_news(hit)
