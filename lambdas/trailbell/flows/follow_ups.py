"""Follow-ups reach those who were notified of the act, once each, after the act itself, and while they are news: an act
that was resolved meanwhile, or a reminder of a deadline that has passed, is nobody's mail any more.

A follow-up comes with its own row of the stream. If its act was not notified of by then, it is left: whoever notifies
of the act looks for follow-ups afterwards, also when the act comes again and is known. So either side may be late,
crash or come twice; a claim decides between the two.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Protocol

from trailbell.alerts.alert import Alert
from trailbell.errors import OutOfTimeError
from trailbell.flows.claims import AlertTopic, Claim, publish_claimed
from trailbell.flows.stream_batch import Identity
from trailbell.hits.follow_up import FollowUp, followed_as, still_news
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import OPEN
from trailbell.hits.undoing import UNDONE
from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StreamFollowUp:
    """A follow-up with the hit it is about, and the stream's number by which it is given back."""

    sequence: str
    follow_up: FollowUp
    hit: Hit


class FollowUps(Protocol):
    """The follow-ups that were written."""

    def of(self, hits: Sequence[Hit]) -> list[tuple[FollowUp, Hit]]:
        """Those of some hits, each with its hit."""


class States(Protocol):
    """What became of hits."""

    def words(self, hits: Sequence[Hit]) -> Mapping[Identity, str]:
        """The states of those that are not simply open (hits/hit_state.py)."""


class DeliveryRecords(Protocol):
    """Which hits and follow-ups were notified of, and who is about to."""

    def notified(self, hits: Sequence[Hit]) -> Mapping[Identity, str]:
        """The identities among `hits` that were notified of."""

    def claim(self, hits: Sequence[Hit]) -> list[Claim]:
        """Take hits for ourselves; of each, what became of it."""

    def record(self, hits: Sequence[Hit]) -> None:
        """Record that hits were notified."""

    def skip(self, hits: Sequence[Hit]) -> None:
        """Record that nobody is to be notified of hits any more."""

    def release(self, hits: Sequence[Hit]) -> None:
        """Give back claims that came to nothing."""


class FollowUpLog(Protocol):
    """Where the flow writes what a person may want to read later."""

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be done and will be tried again."""


@dataclass(slots=True)
class FollowUpCounters:
    """received, of the stream = sent + known + skipped + failed + waiting, whose acts were not notified of; there may
    be more, by those that were found with their acts. skipped: no news any more; messages: several may be one.
    """

    received: int = 0
    sent: int = 0
    known: int = 0
    waiting: int = 0
    skipped: int = 0
    failed: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class FollowUpNotifier:
    """The flow with everything it needs. clock: seconds that only grow; now: UTC, ISO 8601 with Z."""

    topic: AlertTopic
    delivery_records: DeliveryRecords
    follow_ups: FollowUps
    states: States
    event_log: FollowUpLog
    clock: Callable[[], float]
    now: Callable[[], str]
    counters: FollowUpCounters = field(default_factory=FollowUpCounters)

    def notify(
        self, entries: Sequence[StreamFollowUp], delivered: Iterable[tuple[str, Hit]], deadline: float
    ) -> list[str]:
        """Notify of follow-ups until a time of the clock; the sequence numbers of what must come back.

        entries: of the stream; delivered: hits that were notified of, with their own sequence numbers.
        Raises what reading raises: then nothing was sent.
        """
        self.counters.received += len(entries)
        todo = {**_by_mark(self._of_delivered(delivered)), **_by_mark(self._ready(entries))}
        known = self.delivery_records.notified([_mark(one) for one in todo.values()]) if todo else {}
        self.counters.known += len(known)
        failed = list[str]()
        for group in _groups(self._news([one for mark, one in todo.items() if mark not in known])):
            if self.clock() > deadline or not self._notify(group):
                failed += [one.sequence for one in group]
        self.counters.failed += len(failed)
        return failed

    def _of_delivered(self, delivered: Iterable[tuple[str, Hit]]) -> list[StreamFollowUp]:
        """The follow-ups there are of hits that may have any."""
        sequences = {hit.identity: sequence for sequence, hit in delivered if may_be_followed_up(hit)}
        hits = [hit for _, hit in delivered if hit.identity in sequences]
        found = self.follow_ups.of(hits) if hits else []
        return [StreamFollowUp(sequences[hit.identity], what, hit) for what, hit in found if hit.identity in sequences]

    def _ready(self, entries: Sequence[StreamFollowUp]) -> list[StreamFollowUp]:
        """Those whose acts were notified of; the others are sent by whoever notifies of those."""
        acts = {entry.hit.identity: entry.hit for entry in entries if entry.hit.is_to_notify}
        notified = self.delivery_records.notified([*acts.values()]) if acts else {}
        ready = [entry for entry in entries if entry.hit.identity in notified]
        self.counters.waiting += len(entries) - len(ready)
        return ready

    def _news(self, found: Sequence[StreamFollowUp]) -> list[StreamFollowUp]:
        """Those that are still worth saying; the others are recorded as skipped."""
        if not found:
            return []
        now, states = self.now(), self.states.words([one.hit for one in found])
        others = [one.hit for one in found if one.follow_up.word not in ("", UNDONE)]
        undone = {hit.identity: said.at for said, hit in self.follow_ups.of(others) if said.word == UNDONE}
        news, skipped = list[StreamFollowUp](), list[StreamFollowUp]()
        for one in found:
            identity = one.hit.identity
            state = states.get(identity, OPEN)
            is_news = still_news(one.follow_up, one.hit, state, undone.get(identity, ""), now)
            (news if is_news else skipped).append(one)
        if skipped:
            self.delivery_records.skip([_mark(one) for one in skipped])
            self.counters.skipped += len(skipped)
        return news

    def _notify(self, group: Sequence[StreamFollowUp]) -> bool:
        """Publish one message for a group; whether nothing of it must come back."""
        marks = [_mark(one) for one in group]
        claims = self.delivery_records.claim(marks)
        ours = [one for one, claim in zip(group, claims, strict=True) if claim is Claim.OURS]
        self.counters.known += claims.count(Claim.DELIVERED)
        if ours:
            hits, said = tuple(one.hit for one in ours), tuple(one.follow_up for one in ours)
            alert = Alert(hits, follow_ups=said, as_of=self.now())
            try:
                publish_claimed(self.topic, self.delivery_records, alert, [_mark(one) for one in ours])
            except Exception as error:  # the boundary: logged, counted, and back to the stream
                self.event_log.failed(f"follow-up {ours[0].follow_up.name} of {ours[0].hit.hit_id}", error)
                return False
            self.counters.sent += len(ours)
            self.counters.messages += 1
        if Claim.HELD in claims:
            self.event_log.failed(f"{claims.count(Claim.HELD)} follow-ups", OutOfTimeError(_HELD))
        return Claim.HELD not in claims


_HELD = "claimed by another notifier, which has not sent them yet; they come again with the stream"


def may_be_followed_up(hit: Hit) -> bool:
    """Whether there can be follow-ups of a hit; of the others nobody looks for any."""
    has_deadline = hit.undo_until and not hit.episode  # an episode's are those of its acts, which are followed up
    return hit.kept_as == ACT and bool(hit.undo_links or has_deadline or hit.is_finding)


def _mark(one: StreamFollowUp) -> Hit:
    """What stands for a follow-up in claims and delivery records."""
    return replace(one.hit, kept_as=followed_as(one.follow_up.name))


def _by_mark(found: Iterable[StreamFollowUp]) -> dict[Identity, StreamFollowUp]:
    return {_mark(one).identity: one for one in found}


def _groups(found: Iterable[StreamFollowUp]) -> list[list[StreamFollowUp]]:
    """What one message can say: one thing about acts that one rule reports, or what the same person made of them."""
    groups = defaultdict[tuple[str, ...], list[StreamFollowUp]](list)
    for one in found:
        hit, said = one.hit, one.follow_up
        groups[hit.rule_id, hit.level, hit.account, said.name, said.word, said.by, said.note].append(one)
    return [sorted(group, key=lambda one: (one.hit.event_time, one.hit.event_id)) for group in groups.values()]
