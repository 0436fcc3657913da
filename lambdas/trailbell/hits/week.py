"""What a week came to, as the weekly report says it: plain counts and short lists, whoever read them."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from trailbell.engine.rulebook import RuleException
from trailbell.lazy_dataclass import dataclass


DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RuleCount:
    """Hits of a rule at a level that somebody was or is to be notified of, and the alerts they were in."""

    level: str
    title: str
    hits: int
    alerts: int


@dataclass(frozen=True, slots=True)
class WaitingHit:
    """An open hit with a deadline; seconds: left as of now, negative if it has passed."""

    short_id: str
    level: str
    title: str
    account: str
    actor: str
    until: str
    seconds: int


@dataclass(frozen=True, slots=True)
class UndoneHit:
    """A hit that a later call undid: by whom, and after how many seconds."""

    short_id: str
    level: str
    title: str
    by: str
    after: int


@dataclass(frozen=True, slots=True)
class Mutes:
    """How many hits an exception muted; name "" where that is not known any more."""

    name: str
    owner: str
    hits: int


@dataclass(frozen=True, slots=True)
class Deliveries:
    """waiting: hits to be notified of without a delivery record, and the time of the oldest, "" for none; replayed:
    those that a replay found and nobody was to be notified of.
    """

    waiting: int = 0
    oldest: str = ""
    replayed: int = 0


@dataclass(frozen=True, slots=True)
class CanaryWeek:
    """seconds: from act to publication of those that came back, in any order; reported: those missing at some time."""

    sent: int = 0
    reported: int = 0
    seconds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpiringException:
    """An exception whose last day is near or over."""

    name: str
    owner: str
    expires: str
    expired: bool


@dataclass(frozen=True, slots=True)
class Week:
    """A week's days, `since` to before `until` (yyyy-mm-dd, UTC), as of `now` (ISO 8601 with Z).

    open_hits: how many wait for somebody, by level, with and without a deadline; waiting: those with one, the next
    deadline first, also of weeks before; unread: whether there were more hits than are counted here.
    """

    since: str
    until: str
    now: str
    rules: tuple[RuleCount, ...] = ()
    open_hits: tuple[tuple[str, int], ...] = ()
    waiting: tuple[WaitingHit, ...] = ()
    undone: tuple[UndoneHit, ...] = ()
    mutes: tuple[Mutes, ...] = ()
    deliveries: Deliveries = Deliveries()
    canaries: CanaryWeek = CanaryWeek()
    unread: bool = False

    @property
    def hits(self) -> int:
        """How many hits there were, muted ones left out."""
        return sum(rule.hits for rule in self.rules)


def expiring(exceptions: Iterable[RuleException], today: str) -> Sequence[ExpiringException]:
    """Those that expire within 30 days of a day, or have expired; each once, however many rules it is on."""
    soon = (date.fromisoformat(today) + _SOON).isoformat()
    found = {(one.expires, one.name, one.owner) for one in exceptions if one.expires <= soon}
    return [ExpiringException(name, owner, expires, expires < today) for expires, name, owner in sorted(found)]
