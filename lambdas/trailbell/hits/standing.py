"""Where a hit stands at a moment: in which state, by whom and how soon it was undone, and how long it still can be."""

from trailbell.hits.hit import Hit, seconds_between
from trailbell.hits.hit_state import UNDONE, UNRESOLVED, HitState, is_in
from trailbell.hits.undo_plan import undo_plan
from trailbell.lazy_dataclass import dataclass


_SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is to say of a hit's state and of its deadline.

    until:   the deadline as text, "" for none; a call that did not succeed has none.
    seconds: seconds left until then, negative if it has passed, None if there is none or it is no time.
    waits:   whether somebody is still to look at it: neither resolved, undone, nor muted.
    """

    hit: Hit
    state: HitState
    until: str
    seconds: int | None
    waits: bool

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed, whatever became of the hit."""
        return self.seconds is not None and self.seconds <= 0

    @property
    def undone_after(self) -> int | None:
        """Seconds from the act to the call that undid it; None for one that is not in this state."""
        return seconds_between(self.hit.event_time, self.state.at) if self.state.word == UNDONE else None


def standing_of(hit: Hit, state: HitState, now: str, *, notified_later: bool = False) -> Standing:
    """Where a hit in a state stands at a moment (UTC, ISO 8601 with Z).

    notified_later: it was muted when it was found, and somebody was notified of it since.
    """
    plan = undo_plan(hit, now)
    counts = hit.outcome == _SUCCESS
    waits = is_in(state, bool(hit.muted_by) and not notified_later, UNRESOLVED)
    return Standing(hit, state, plan.until if counts else "", plan.seconds if counts else None, waits)
