"""When to remind of a hit's deadline: some hours before it, half-way where time is short, and once it is over."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from trailbell.cloudtrail.record import NO_TIME
from trailbell.hits.due import Due
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.undo import deadline_time
from trailbell.text.times import iso_time


DUE_KIND = "reminder"
HALF_WAY = "reminder-half"
TOO_LATE = "too-late"

_SHORT = timedelta(days=7, hours=1)
_APART = timedelta(hours=6)  # nobody is reminded twice within this


def reminders_of(hit: Hit, hours: Sequence[int], now: str) -> list[Due]:
    """What the clock is to do about a hit later than `now`, none where it has no deadline or nobody is notified of it,
    and none of an episode: of each of its acts that is a hit itself the clock reminds already.

    hours: before the deadline; none for no reminders at all.
    """
    deadline = deadline_time(hit.undo_until)
    if not (hours and deadline and hit.is_to_notify) or hit.kept_as != ACT or hit.outcome != "success" or hit.episode:
        return []
    return [
        Due(at, DUE_KIND, f"{hit.account}/{hit.event_id}/{name}")
        for moment, name in _moments(hit, deadline, hours)
        if (at := iso_time(moment)) > now
    ]


def follow_up_of(due: Due) -> tuple[str, str, FollowUp]:
    """Of a due row: the account and the event's id of its hit, and what is to be said about it.

    Raises ValueError for a row that `reminders_of` has not made.
    """
    account, _, rest = due.id.partition("/")
    event_id, _, name = rest.rpartition("/")
    if not event_id:
        raise ValueError(f"{due.id!r} names no hit")
    what = What.TOO_LATE if name == TOO_LATE else What.REMINDER
    return account, event_id, FollowUp(what, name, due.due_at)


def asked_again(due: Due, hit: Hit, now: str) -> Due | None:
    """When to ask again about a reminder of a hit that is not open, because it may be reopened; None if too late."""
    deadline = deadline_time(hit.undo_until)
    later = datetime.fromisoformat(now) + _APART
    if not deadline or later >= deadline or due.id.endswith(f"/{TOO_LATE}"):
        return None
    return Due(iso_time(later), due.kind, due.id)


def _moments(hit: Hit, deadline: datetime, hours: Sequence[int]) -> Iterator[tuple[datetime, str]]:
    yield deadline, TOO_LATE
    if hit.event_time == NO_TIME:
        return
    began = datetime.fromisoformat(hit.event_time)
    window = deadline - began
    before = {timedelta(hours=one): f"reminder-{one}h" for one in hours}
    fitting = {early: name for early, name in before.items() if early + _APART <= window}
    for early, name in fitting.items():
        yield deadline - early, name
    if window <= _SHORT and all(abs(early - window / 2) >= _APART for early in fitting):
        yield began + window / 2, HALF_WAY
