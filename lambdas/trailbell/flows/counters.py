"""The counts of a detector batch: every message, object and record is counted, and in exactly one number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import field, fields

from trailbell.cloudtrail.live_event import Refusal
from trailbell.cloudtrail.object_key import ObjectKind
from trailbell.flows.correlating import CorrelationCounts
from trailbell.hits.detect import DetectionCounts
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass


@dataclass(slots=True)
class DetectorCounters:
    """Counts of a batch, or of one item; `balanced` says whether they add up.

    notifications_ignored:    those that are about no new object: test messages, removals, restores, tags.
    objects_deferred:         given back without having been begun, because time was short.
    failures:                 objects_failed, by the word for what went wrong.
    live_received:            live events; live_refused: those that were not believed, by the reason.
    records_fully_parsed:     those of records_read that the prefilter has not seen.
    hits_to_notify:           those of hits_new that the notifier must receive: neither muted nor quiet.
    canaries:                 found for the first time; they are no hits.
    without_time:             records that correlations count and that join none, having no valid time.
    groups:                   of correlations, that log files add to; contributions_cut: those that cannot matter.
    groups_left_out:          contributions to groups beyond what one log file may add to; somebody is notified of them.
    episodes_new, episodes_joined: episodes that came true, and those that turned out to be one with others.
    event_to_hit_seconds_max: from an event to its hit, the longest of the batch.
    """

    messages: int = 0
    notifications_ignored: int = 0
    objects_received: int = 0
    objects_read: int = 0
    objects_ignored: Counter[ObjectKind] = field(default_factory=Counter)
    objects_failed: int = 0
    objects_deferred: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    live_received: int = 0
    live_read: int = 0
    live_refused: Counter[Refusal] = field(default_factory=Counter)
    live_failed: int = 0
    live_deferred: int = 0
    messages_failed: int = 0
    bytes_inflated: int = 0
    records_read: int = 0
    records_fully_parsed: int = 0
    records_matched: int = 0
    records_not_watched: int = 0
    records_malformed: int = 0
    hits_new: int = 0
    hits_known: int = 0
    hits_muted: int = 0
    hits_to_notify: int = 0
    canaries: int = 0
    without_time: int = 0
    groups: int = 0
    contributions_cut: int = 0
    groups_left_out: int = 0
    episodes_new: int = 0
    episodes_joined: int = 0
    event_to_hit_seconds_max: int = 0

    @property
    def balanced(self) -> bool:
        """Whether nothing was lost silently or counted twice.

        Objects received = read + ignored + failed + deferred; live events = read + refused + failed + deferred; records
        read = matched + not watched + malformed; and no hit is without a record, also of a log file that broke off.
        """
        objects = self.objects_read + self.objects_ignored.total() + self.objects_failed + self.objects_deferred
        live = self.live_read + self.live_refused.total() + self.live_failed + self.live_deferred
        records = self.records_matched + self.records_not_watched + self.records_malformed
        return (
            self.objects_received == objects
            and self.objects_failed == self.failures.total()
            and self.live_received == live
            and self.records_read == records
            and self.hits_new + self.hits_known + self.canaries <= self.records_matched
        )

    def kept(self, hits: Sequence[Hit], new: int) -> None:
        """Count hits that are in the table now, some of them new; they stay, whatever becomes of their log file.

        hits: all to be notified of, or none of them.
        """
        self.hits_new += new
        self.hits_known += len(hits) - new
        self.hits_muted += sum(bool(hit.muted_by) for hit in hits)
        if all(hit.is_to_notify for hit in hits):
            self.hits_to_notify += new
        if new:
            self.event_to_hit_seconds_max = max(
                [self.event_to_hit_seconds_max, *(hit.delay for hit in hits if not hit.quiet)]
            )

    def read(self, counts: DetectionCounts) -> None:
        """Count what was read of one log file, to its end or not: its hits are counted, so its records are.

        A log file that comes again is counted again, as far as it is read then; most of its hits are known by then.
        """
        self.bytes_inflated += counts.bytes_inflated
        self.records_read += counts.records_read
        self.records_fully_parsed += counts.records_fully_parsed
        self.records_matched += counts.records_matched
        self.records_not_watched += counts.records_not_watched
        self.records_malformed += counts.records_malformed
        self.without_time += counts.without_time

    def correlated(self, counts: CorrelationCounts) -> None:
        """Count what a log file came to in correlations."""
        self.groups += counts.groups
        self.contributions_cut += counts.cut
        self.groups_left_out += sum(one.contributions for one in counts.left_out.values())
        self.episodes_new += counts.episodes_new
        self.episodes_joined += counts.episodes_joined

    def fail(self, outcome: str) -> None:
        """Count one object that could not be read to its end."""
        self.objects_failed += 1
        self.failures[outcome] += 1

    def add(self, more: "DetectorCounters") -> None:
        """Add other counters to these."""
        for part in fields(self):
            name = part.name
            if name == "event_to_hit_seconds_max":
                self.event_to_hit_seconds_max = max(self.event_to_hit_seconds_max, more.event_to_hit_seconds_max)
            else:
                setattr(self, name, getattr(self, name) + getattr(more, name))
