"""What a batch of the detector came to: every object and every record stands in exactly one number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from trailbell.cloudtrail.object_key import ObjectKind
from trailbell.hits.detect import DetectionCounts
from trailbell.hits.hit import Hit


@dataclass(slots=True)
class DetectorCounters:
    """Counts of a batch, or of one object; the two identities of promise 1 are `balanced`.

    objects_deferred: given back without having been begun, for want of time.
    failures:        objects_failed, by the word for what went wrong.
    canaries:        found for the first time; they are no hits.
    slowest_hit:     seconds from an event to its hit, the longest of the batch.
    """

    messages: int = 0
    tests: int = 0
    other_notifications: int = 0
    objects_received: int = 0
    objects_read: int = 0
    objects_ignored: Counter[ObjectKind] = field(default_factory=Counter)
    objects_failed: int = 0
    objects_deferred: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    messages_failed: int = 0
    bytes_inflated: int = 0
    records_read: int = 0
    records_matched: int = 0
    records_not_watched: int = 0
    records_malformed: int = 0
    hits_new: int = 0
    hits_known: int = 0
    hits_muted: int = 0
    canaries: int = 0
    slowest_hit: int = 0

    @property
    def balanced(self) -> bool:
        """objects received = read + ignored + failed + put off, and records read = matched + not watched + bad."""
        objects = self.objects_read + self.objects_ignored.total() + self.objects_failed + self.objects_deferred
        records = self.records_matched + self.records_not_watched + self.records_malformed
        return (
            self.objects_received == objects
            and self.objects_failed == self.failures.total()
            and self.records_read == records
        )

    def kept(self, hits: Sequence[Hit], new: int) -> None:
        """Count hits that are in the table now, of which some are new. True whatever becomes of their log file."""
        self.hits_new += new
        self.hits_known += len(hits) - new
        self.hits_muted += sum(bool(hit.muted_by) for hit in hits)
        if new:
            self.slowest_hit = max([self.slowest_hit, *(hit.delay for hit in hits if not hit.quiet)])

    def read(self, found: DetectionCounts) -> None:
        """Count one log file that was read to its end. A failed one's records are counted when it comes again."""
        self.objects_read += 1
        self.bytes_inflated += found.bytes_inflated
        self.records_read += found.records_read
        self.records_matched += found.records_matched
        self.records_not_watched += found.records_not_watched
        self.records_malformed += found.records_malformed

    def fail(self, outcome: str) -> None:
        """Count one object that could not be done."""
        self.objects_failed += 1
        self.failures[outcome] += 1

    def add(self, more: "DetectorCounters") -> None:
        """Take in what another tally counted."""
        for part in fields(self):
            name = part.name
            if name == "slowest_hit":
                self.slowest_hit = max(self.slowest_hit, more.slowest_hit)
            else:
                setattr(self, name, getattr(self, name) + getattr(more, name))
