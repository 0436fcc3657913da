"""Live events as a source: event → is it believed → its record → what is kept.

The same record stands in a log file minutes later. Whichever of the two comes second finds the act known, by the same
identity: it is kept, notified of and counted once. So a live event may be lost, or be refused, and nothing is; and it
writes no ledger row, for it proves nothing.
"""

from collections.abc import Callable, Set
from dataclasses import replace

from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.flows.keeping import Keeping, quiet_unless_news
from trailbell.flows.source import Deadline, Outcome
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class LiveEvents:
    """The source with everything it needs.

    accounts: those that are watched; none for any, None where live events are switched off.
    """

    hit_detector: HitDetector
    keeping: Keeping
    now: Callable[[], str]
    accounts: Set[str] | None

    def detect(self, item: Envelope, deadline: Deadline) -> Outcome:
        """Keep what is found in an event's record, if it is believed."""
        outcome = Outcome.of(item)
        if refusal := item.refusal(self.accounts):
            return _refuse(outcome, refusal)
        if deadline.is_near:
            return outcome.defer()
        return outcome.settle(lambda counts: self._read(item, counts, outcome, deadline))

    def _read(self, event: Envelope, counts: DetectionCounts, outcome: Outcome, deadline: Deadline) -> None:
        record = event.record
        name = f"live event\n{event.origin.account}\n{record['eventID']}"  # no bucket's name has a line break
        keeping = self.keeping.of(name, outcome.counters, deadline, lambda hit: _as_found(hit, event))
        keeping.keep(self.hit_detector.detect_records([(event.origin, record)], self.now(), counts))
        keeping.finish()


def _as_found(hit: Hit, event: Envelope) -> Hit:
    """A hit as it is kept: quiet where its event is of the past.

    Whoever replays an archive notifies nobody of its months; and nothing is silenced by it, for a quiet row gives way
    to that of the log file.
    """
    return replace(hit, quiet=True) if event.is_replayed else quiet_unless_news(hit)


def _refuse(outcome: Outcome, refusal: Refusal) -> Outcome:
    outcome.counters.live_refused[refusal] += 1
    outcome.refused = refusal
    return outcome
