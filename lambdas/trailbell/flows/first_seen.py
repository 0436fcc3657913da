"""What is new and what is habitual: sightings are kept, then each hit is judged by those before it."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cache
from typing import Protocol

from trailbell.cloudtrail.record import NO_TIME
from trailbell.engine.rulebook import FirstSeen, Rulebook
from trailbell.flows.each import Each, one_by_one
from trailbell.hits.first_seen import HABIT_DAYS, Sighting, days_before, judged, learning_key
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass


class Sightings(Protocol):
    """Where sightings are kept."""

    def begin(self, account: str, learning: str, at: str) -> None:
        """Keep since when something is learned in an account, unless an earlier time is known. Raises TableError."""

    def add(self, account: str, key: str, sighting: Sighting, days: int) -> None:
        """Keep a sighting for some days, unless an earlier one of its day is known. Raises TableError."""

    def between(self, account: str, key: str, first: str, last: str) -> list[Sighting]:
        """The sightings of the days from one to another, by day."""

    def since(self, account: str, learning: str) -> str:
        """Since when something is learned in an account, "" if nobody has begun."""


@dataclass(frozen=True, slots=True)
class FirstSeenJudge:
    """asked: by the ids of rules, what they ask for; each: how hits are judged, side by side or not."""

    sightings: Sightings
    asked: Mapping[str, FirstSeen]
    each: Each = one_by_one
    _begun: set[str] = field(default_factory=set)

    def begin(self, account: str, at: str) -> None:
        """A log file of an account is read, at a time (UTC, ISO 8601): from now on it is known what is new there."""
        if not account or account in self._begun:
            return
        for rule_id, asked in self.asked.items():
            self.sightings.begin(account, learning_key(rule_id, asked), at)
        self._begun.add(account)

    def judge(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits, with what is new and habitual said of those whose rules ask for it, and their levels moved.

        Sightings are written first, of all of them, so that whichever of two detectors reads last sees both. Raises
        TableError or what botocore raises.
        """
        wanted = [hit for hit in hits if self._is_asked_for(hit)]
        if not wanted:
            return [*hits]
        self.keep(wanted)
        between, since = cache(self.sightings.between), cache(self.sightings.since)

        def of(hit: Hit) -> Hit:
            day, asked = hit.event_time[:10], self.asked[hit.rule_id]
            first = days_before(day, self._days(hit))
            seen = {key: between(hit.account, key, first, day) for key in hit.seen_keys}
            return judged(hit, asked, seen, since(hit.account, learning_key(hit.rule_id, asked)))

        done = {hit.identity: new for hit, new in zip(wanted, self.each(of, wanted), strict=True)}
        return [done.get(hit.identity, hit) for hit in hits]

    def keep(self, hits: Sequence[Hit], *, learned: bool = False) -> int:
        """Keep the sightings of hits alone; how many hits had some.

        learned: whether they are history, all of it that is to be known: then learning began with it.
        """
        wanted = [hit for hit in hits if self._is_asked_for(hit)]
        for hit in wanted:
            sighting = Sighting(hit.event_time[:10], hit.event_time, hit.event_id)
            learning = learning_key(hit.rule_id, self.asked[hit.rule_id])
            self.sightings.begin(hit.account, learning, hit.event_time if learned else hit.seen_at)
            for key in hit.seen_keys:
                self.sightings.add(hit.account, key, sighting, self._days(hit))
        return len(wanted)

    def _is_asked_for(self, hit: Hit) -> bool:
        return hit.rule_id in self.asked and bool(hit.seen_keys) and hit.event_time != NO_TIME

    def _days(self, hit: Hit) -> int:
        return max(self.asked[hit.rule_id].days, HABIT_DAYS)


def asked_for(rulebook: Rulebook) -> dict[str, FirstSeen]:
    """By the ids of rules, what they ask for."""
    return {rule.rule_id: rule.first_seen for rule in rulebook.rules if rule.first_seen}
