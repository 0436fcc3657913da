"""Silence by account and Region: who delivered log files before and does not now is told, and told when it comes back.

The dead-man's switch (infra/watch.py) hears when nothing comes at all; one busy account hides twenty silent ones from
it. Here each is held to its own past (audit/arrivals.py). Where digests come, they say more, and sooner: an empty one
proves that the trail lives, and the audit tells of one that is overdue.

A silence is remembered before and after its hit is kept, so that a crash anywhere tells of it once, and of its end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Protocol

from trailbell.audit.arrivals import (
    Arrivals,
    Silence,
    Source,
    begin_of,
    hour_of_text,
    silent_sources,
    text_of_hour,
)
from trailbell.audit.newest import Newest
from trailbell.hits.audit_finding import Finding, FindingHits, Found, finding_id
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import UNDONE, UNRESOLVED, HitState
from trailbell.lazy_dataclass import dataclass


BEHIND = timedelta(hours=3)
"""For so long after a log file was read late, others may be."""

_DIGESTS_LIVED = timedelta(hours=2)
"""A digest that ends at most so long before the last log file's hour was alive with it."""

_AFTER = "log files come again"
_BY = "CloudTrail"


@dataclass(frozen=True, slots=True)
class Told:
    """A silence that is told of. since: its last hour before (since 1970); is_kept: its hit is in the table."""

    source: Source
    since: int
    is_kept: bool = False


class ArrivalRows(Protocol):
    """In which hours log files came, and of whose silence was told."""

    def all(self) -> Iterator[tuple[Source, Arrivals]]:
        """Every source with its hours."""

    def behind(self) -> str:
        """When a log file was last read long after it was delivered; "" if none ever was."""

    def told(self) -> list[Told]:
        """Whose silence was told of, or was about to be."""

    def keep_told(self, told: Told) -> None:
        """Keep that a silence was told of, or is about to be."""

    def forget_told(self, told: Told) -> None:
        """A silence is over."""


class Chains(Protocol):
    """What is remembered of digests."""

    def chains(self) -> Iterator[Newest]:
        """The newest proven digest of every chain."""


class Outbox(Protocol):
    """Where hits are kept until everybody is notified."""

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new."""


class Ends(Protocol):
    """Hits as they are kept, and what is said of them later."""

    def act(self, account: str, event_id: str) -> tuple[Hit, HitState, int] | None:
        """The hit of an act, its state, and when its row expires (epoch seconds); None where it is gone."""

    def end(self, follow_up: FollowUp, hit: Hit, state: HitState, expires_at: int) -> None:
        """Write that an act is over, and close its hit. Raises StateError where somebody changed it meanwhile."""


@dataclass(slots=True)
class SilenceCounters:
    """silent: whoever is, told now or before; ended: who came back."""

    silent: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class SilenceWatch:
    """The flow with everything it needs."""

    arrivals: ArrivalRows
    chains: Chains
    outbox: Outbox
    ends: Ends
    findings: FindingHits
    counters: SilenceCounters = field(default_factory=SilenceCounters)

    def judge(self, now: str) -> None:
        """Tell who fell silent and who came back; now: UTC, ISO 8601 with Z. To be done every hour, and safe to be done
        again. Raises what reading or writing raises.
        """
        arrivals = dict(self.arrivals.all())
        told = {one.source: one for one in self.arrivals.told()}
        for one in told.values():
            if one.source in arrivals and arrivals[one.source].last > one.since:
                self._end(one, arrivals[one.source].last)
        silences = list(silent_sources(arrivals, hour_of_text(now), behind=self._is_behind(now)))
        for silence in _without_digests(silences, self.chains.chains()) if silences else ():
            self.counters.silent += 1
            self._tell(silence, told.get(silence.source), now)

    def _is_behind(self, now: str) -> bool:
        at = self.arrivals.behind()
        return bool(at) and datetime.fromisoformat(now) - datetime.fromisoformat(at) < BEHIND

    def _tell(self, silence: Silence, told: Told | None, now: str) -> None:
        """Of one that ended meanwhile, unseen, another is told."""
        about = Told(silence.source, silence.last)
        if told and told.since == silence.last and told.is_kept:
            return
        self.arrivals.keep_told(about)
        self.outbox.keep([self.findings.hit(silence_finding(silence), now)])
        self.arrivals.keep_told(Told(silence.source, silence.last, is_kept=True))

    def _end(self, told: Told, last: int) -> None:
        """That log files come again, to those who were told that none did."""
        finding = silence_finding(Silence(told.source, told.since, 0, 0))
        if found := self.ends.act(finding.account, finding_id(finding)):
            kept, state, expires_at = found
            if state.word in UNRESOLVED:
                said = FollowUp(What.UNDONE, UNDONE, text_of_hour(last), UNDONE, _BY, event_name=_AFTER)
                self.ends.end(said, kept, state, expires_at)
                self.counters.ended += 1
        self.arrivals.forget_told(told)


def silence_finding(silence: Silence) -> Finding:
    """The finding of a silence, the same for each account, Region and hour in which it began."""
    source, since = silence.source, text_of_hour(silence.last)
    details = (
        ("last log file in the hour from", since),
        ("quiet for", f"{silence.quiet_hours} hours in which others delivered"),
        ("longest before, in five weeks", f"{silence.longest_hours} hours"),
    )
    return Finding(Found.LOGS_SILENT, source.account, source.region, since, since, details=details)


def _without_digests(silences: Iterable[Silence], chains: Iterable[Newest]) -> Iterator[Silence]:
    """Silences of those whose digests did not live as long as their log files: of the others they tell."""
    newest: dict[Source, datetime] = {}
    for chain in chains:
        if not chain.backfill:
            source = Source(chain.trail.account, chain.trail.region)
            newest[source] = max(chain.end, newest.get(source, chain.end))
    for silence in silences:
        end = newest.get(silence.source)
        if end is None or end < begin_of(silence.last) - _DIGESTS_LIVED:
            yield silence
