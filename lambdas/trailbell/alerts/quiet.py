"""The quiet period: a group's first alert goes out at once, what follows within the period is gathered into one message
at its end. A critical hit that names a resource which the period has not named yet is never held.

Where something was gathered the next period begins at once: who polls by the minute costs one message a period. The
notifier (store/periods.py) and `scan` decide by this code.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trailbell.engine.rulebook import Level


_MAX_OPENERS = 50
_MAX_NAMED = 1000  # a row of them stays below 50 KB; what is beyond counts as not named, and is not held
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class QuietMinutes:
    """How long periods are: for a rule by its name, else for a level, else `otherwise`; 0 gathers nothing."""

    otherwise: int = 60
    by_name: Mapping[str, int] = field(default_factory=dict)

    def seconds(self, rule: str, level: str) -> int:
        """The period of a rule's hits of a level."""
        return _MINUTE * self.by_name.get(rule, self.by_name.get(level, self.otherwise))


@dataclass(frozen=True, slots=True)
class Arrival:
    """A hit as gathering sees it: what it goes by, and the resources it names."""

    id: str
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Period:
    """A group's period, in epoch seconds.

    openers: digests of hits of the alert that opened it: they are not held when they come again, undelivered.
    named:   digests of resources that it has named, each with the digest of the hit that named it ("" if gathered).
    """

    begins: int
    ends: int
    openers: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)


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
    if period is None or period.ends <= now:
        if seconds <= 0:
            return everything, [], None
        openers = tuple(digest(one) for one in everything[:_MAX_OPENERS])
        return everything, [], _with_names(Period(now, now + seconds, openers), arrivals, level)
    if any(digest(one) in period.openers for one in everything):
        return everything, [], _with_names(period, arrivals, level)
    at_once = [one for one in arrivals if level == Level.CRITICAL.word and _names_another(period, one)]
    ids = {one.id for one in at_once}
    held = [one.id for one in arrivals if one.id not in ids]
    return [one.id for one in at_once], held, _with_names(period, at_once, level)


def following(period: Period, gathered: Sequence[Arrival], level: str) -> Period:
    """The period after one at whose end something was gathered."""
    after = Period(period.ends, 2 * period.ends - period.begins)
    return _with_names(after, [Arrival("", one.resources) for one in gathered], level)


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
            period, held = following(period, held, level), []
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
    """Whether a hit names a resource that no other hit has named before it."""
    own = digest(arrival.id)
    return any(period.named.get(digest(resource), own) == own for resource in arrival.resources)


def _with_names(period: Period, arrivals: Iterable[Arrival], level: str) -> Period:
    if level != Level.CRITICAL.word:
        return period
    named = dict(period.named)
    for one in arrivals:
        by = digest(one.id) if one.id else ""
        for resource in one.resources[: _MAX_NAMED - len(named)]:
            named.setdefault(digest(resource), by)
    return Period(period.begins, period.ends, period.openers, named)
