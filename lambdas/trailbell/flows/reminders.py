"""Reminders: what the clock does when a deadline is near or over. An act that is still open is written as a follow-up,
which the notifier brings to those who were notified of the act.

One that was undone or resolved is left alone, unless it is reopened in time; and so is one that was answered: of one
whose deletion was cancelled, "too late" would be wrong.
"""

from collections.abc import Sequence
from typing import Protocol

from trailbell.hits.due import Due
from trailbell.hits.follow_up import FollowUp, still_news
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import UNRESOLVED, HitState
from trailbell.hits.reminders import asked_again, follow_up_of
from trailbell.hits.undoing import ANSWERED
from trailbell.lazy_dataclass import dataclass


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


class DueRows(Protocol):
    """Where the clock finds what is to be done later."""

    def add(self, due: Due) -> None:
        """Have something done at its time."""


@dataclass(frozen=True, slots=True)
class Reminders:
    """Does due rows of reminders."""

    hits: KeptHits
    follow_ups: FollowUps
    due: DueRows

    def judge(self, due: Due, now: str) -> bool:
        """Remind of a hit, if it is open and there is time left, or say that there is none; always done then. One that
        is not open is asked about again while there is time: it may be reopened. Raises what reading or writing raises.
        """
        account, event_id, follow_up = follow_up_of(due)
        found = self.hits.act(account, event_id)
        if not found:
            return True
        hit, state, expires_at = found
        if self._is_answered(hit):
            return True
        if hit.is_to_notify and still_news(follow_up, hit, state.word, "", now):
            self.follow_ups.add(follow_up, hit, expires_at)
        elif hit.is_to_notify and state.word not in UNRESOLVED and (later := asked_again(due, hit, now)):
            self.due.add(later)
        return True

    def _is_answered(self, hit: Hit) -> bool:
        return any(follow_up.word == ANSWERED for follow_up, _ in self.follow_ups.of([hit]))
