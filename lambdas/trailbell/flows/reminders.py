"""Reminders: what the clock does when a deadline is near or over. An act that is still open is written as a follow-up,
which the notifier brings to those who were notified of the act. One that was undone, resolved or answered is left
alone: of one whose deletion was cancelled, "too late" would be wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from trailbell.hits.due import Due
from trailbell.hits.follow_up import FollowUp
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import UNRESOLVED, HitState
from trailbell.hits.reminders import follow_up_of
from trailbell.hits.undoing import ANSWERED


class KeptHits(Protocol):
    """Hits as they are kept, with what became of them."""

    def act(self, account: str, event_id: str) -> tuple[Hit, HitState, int] | None:
        """The hit of an act, its state, and when its row expires (epoch seconds); None where it is gone."""


class FollowUps(Protocol):
    """Where follow-ups are written, to be notified."""

    def add(self, follow_up: FollowUp, hit: Hit, expires_at: int) -> bool:
        """Write one, if it is not there; whether it was not."""

    def of(self, hits: Sequence[Hit]) -> list[tuple[FollowUp, Hit]]:
        """Those that there are of some hits."""


@dataclass(frozen=True, slots=True)
class Reminders:
    """Does due rows of reminders. done: called with each follow-up that was written for the first time."""

    hits: KeptHits
    follow_ups: FollowUps

    def judge(self, due: Due, now: str) -> bool:
        """Remind of a hit, if it is open; always done then. Raises what reading or writing raises."""
        del now  # what is due is said, however late: an outage of days costs no reminder
        account, event_id, follow_up = follow_up_of(due)
        found = self.hits.act(account, event_id)
        if found:
            hit, state, expires_at = found
            if hit.is_to_notify and state.word in UNRESOLVED and not self._is_answered(hit):
                self.follow_ups.add(follow_up, hit, expires_at)
        return True

    def _is_answered(self, hit: Hit) -> bool:
        return any(follow_up.word == ANSWERED for follow_up, _ in self.follow_ups.of([hit]))
