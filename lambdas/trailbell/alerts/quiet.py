"""The quiet period: a group's first alert goes out at once, what follows within the period is gathered into one message
at its end. A critical hit that names a resource which the period has not named yet is never held.

Where something was gathered the next period begins at once: who polls by the minute costs one message a period. It
begins at the end of the one before, and not when the clock sends the message: what comes in between is held, too. The
notifier (store/periods.py) and `scan` decide by this code.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from trailbell.engine.rulebook import Level
from trailbell.lazy_dataclass import dataclass


_MAX_OPENERS = 50
_MAX_NAMED = 1000  # a row of them stays below 50 KB; what is beyond counts as not named, and is not held
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class QuietMinutes:
    """How long periods are: for a rule by its name, else for a level, else `otherwise`; 0 gathers nothing."""

    otherwise: int = 60
    by_name: Mapping[str, int] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """The longest of all periods, in minutes."""
        return max(self.otherwise, *self.by_name.values()) if self.by_name else self.otherwise

    def seconds(self, rule: str, level: str) -> int:
        """The period of a rule's hits of a level."""
        return _MINUTE * self.by_name.get(rule, self.by_name.get(level, self.otherwise))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A hit as gathering sees it: what it goes by, and what it is about (alerts/over_time.py)."""

    id: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """A group's period, in epoch seconds, from its beginning to before its end.

    openers: digests of hits of the alert that opened it: they are not held when they come again, undelivered.
    named:   digests of what critical hits have named in it, each with the digest of the hit that named it ("" if that
             was gathered before).
    again:   those of them that hits which it holds have named again: what the message at its end will name.
    holds:   whether it holds hits.
    """

    begins: int
    ends: int
    openers: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    again: tuple[str, ...] = ()
    holds: bool = False

    def at(self, now: int) -> "Period | None":
        """The period that is on at a moment: this one until its end, then, if it holds hits, the one that follows it,
        whether or not its message went out by then; otherwise none.
        """
        if now < self.ends:
            return self
        return self.following(now) if self.holds else None

    def following(self, now: int) -> "Period":
        """The period after one that held hits: as long, on at a moment, and knowing what the message named."""
        seconds = self.ends - self.begins
        begins = self.ends + max(now - self.ends, 0) // seconds * seconds
        return Period(begins, begins + seconds, named=dict.fromkeys(self.again, ""))


def group_of(rule_id: str, level: str, account: str, actors: Iterable[str]) -> str:
    """What a group's periods are kept under: hits of one rule, level, account and actor; of several actors if they
    came as one alert.
    """
    several = tuple(dict.fromkeys(actors))
    named = "\n".join((rule_id, level, account, several[0] if len(several) == 1 else "\n"))
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def receive(
    period: Period | None, arrivals: Sequence[Arrival], now: int, seconds: int, level: str
) -> tuple[list[str], list[str], Period | None]:
    """Of the hits of one alert: the ids of those to notify of at once, of those to hold, and the period after that.

    period: the group's last one, None if it never had any; seconds: how long a new one is.
    """
    everything = [one.id for one in arrivals]
    on = period.at(now) if period else None
    if on is None:
        if seconds <= 0:
            return everything, [], None
        openers = tuple(digest(one) for one in everything[:_MAX_OPENERS])
        return everything, [], _with_names(Period(now, now + seconds, openers), arrivals, level)
    if any(digest(one) in on.openers for one in everything):
        return everything, [], _with_names(on, arrivals, level)
    at_once = [one for one in arrivals if level == Level.CRITICAL.word and _names_another(on, one)]
    ids = {one.id for one in at_once}
    held = [one for one in arrivals if one.id not in ids]
    after = _holding(_with_names(on, at_once, level), held, level)
    return [one.id for one in at_once], [one.id for one in held], after


def messages(
    batches: Iterable[tuple[int, Sequence[Arrival]]], seconds: int, level: str
) -> Iterator[tuple[list[str], bool]]:
    """What a group's hits come to: the ids of each message, in order, and whether it was gathered; batches: when they
    arrive, in order.
    """
    period, held = None, list[Arrival]()
    for now, arrivals in batches:
        if period and period.ends <= now and held:
            yield [one.id for one in held], True
            period, held = period.following(period.ends), []
        at_once, waiting, period = receive(period, arrivals, now, seconds, level)
        if at_once:
            yield at_once, False
        ids = set(waiting)
        held += [one for one in arrivals if one.id in ids]
    if held:
        yield [one.id for one in held], True


def digest(text: str) -> str:
    """A name or an id, short: periods hold many."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _names_another(period: Period, arrival: Arrival) -> bool:
    """Whether a hit names something that no other hit has named before it."""
    own = digest(arrival.id)
    return any(period.named.get(digest(name), own) == own for name in arrival.names)


def _with_names(period: Period, arrivals: Iterable[Arrival], level: str) -> Period:
    if level != Level.CRITICAL.word:
        return period
    named = dict(period.named)
    for one in arrivals:
        for name in one.names[: _MAX_NAMED - len(named)]:
            named.setdefault(digest(name), digest(one.id))
    return replace(period, named=named)


def _holding(period: Period, held: Sequence[Arrival], level: str) -> Period:
    """A period that holds some hits more."""
    if not held:
        return period
    again = dict.fromkeys(period.again)
    if level == Level.CRITICAL.word:
        again |= dict.fromkeys(digest(name) for one in held for name in one.names)
    return replace(period, again=tuple(again), holds=True)
