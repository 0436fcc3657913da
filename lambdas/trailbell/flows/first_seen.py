"""What is new and what is habitual: sightings are kept, then each hit is judged by those before it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailbell.cloudtrail.record import NO_TIME
from trailbell.engine.rulebook import FirstSeen, Rulebook
from trailbell.hits.first_seen import HABIT_DAYS, Sighting, days_before, judged
from trailbell.hits.hit import Hit


class Sightings(Protocol):
    """Where sightings are kept."""

    def add(self, account: str, key: str, sighting: Sighting, days: int) -> None:
        """Keep a sighting for some days, unless an earlier one of its day is known. Raises TableError."""

    def between(self, account: str, key: str, first: str, last: str) -> list[Sighting]:
        """The sightings of the days from one to another, by day."""

    def since(self, account: str) -> str:
        """The time of the earliest sighting in an account, "" if there is none."""


@dataclass(frozen=True, slots=True)
class FirstSeenJudge:
    """asked: by the ids of rules, what they ask for."""

    sightings: Sightings
    asked: Mapping[str, FirstSeen]

    def judge(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits, with what is new and habitual said of those whose rules ask for it, and their levels moved.

        Sightings are written first, of all of them, so that whichever of two detectors reads last sees both. Raises
        TableError or what botocore raises.
        """
        self.keep(hits)
        return [self._judged(hit) if self._is_asked_for(hit) else hit for hit in hits]

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep the sightings of hits alone; how many hits had some."""
        wanted = [hit for hit in hits if self._is_asked_for(hit)]
        for hit in wanted:
            sighting = Sighting(hit.event_time[:10], hit.event_time, hit.event_id)
            for key in hit.seen_keys:
                self.sightings.add(hit.account, key, sighting, self._days(hit))
        return len(wanted)

    def _is_asked_for(self, hit: Hit) -> bool:
        return hit.rule_id in self.asked and bool(hit.seen_keys) and hit.event_time != NO_TIME

    def _judged(self, hit: Hit) -> Hit:
        day = hit.event_time[:10]
        first = days_before(day, self._days(hit))
        seen = {key: self.sightings.between(hit.account, key, first, day) for key in hit.seen_keys}
        return judged(hit, self.asked[hit.rule_id], seen, self.sightings.since(hit.account))

    def _days(self, hit: Hit) -> int:
        return max(self.asked[hit.rule_id].days, HABIT_DAYS)


def asked_for(rulebook: Rulebook) -> dict[str, FirstSeen]:
    """By the ids of rules, what they ask for."""
    return {rule.rule_id: rule.first_seen for rule in rulebook.rules if rule.first_seen}
