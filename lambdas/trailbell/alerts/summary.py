"""What the hits of one alert have in common, and in what they differ: actors, accounts, regions, resources, errors.

Most alerts have one of each. A storm of one rule may come from many actors, and then the alert must say so: what only
some of the hits have is never said of all of them.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

from trailbell.cloudtrail.record import NO_TIME
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass


_Value = TypeVar("_Value", bound=Hashable)

Counts = tuple[tuple[_Value, int], ...]
"""Distinct values, each with the number of hits that have it, most frequent first."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The hits of one alert (at least one) seen together.

    actors:    each with the number of its hits, busiest first; the one of the first hit stands for all of a key.
    people:    the same, but told apart also where one key has several sessions or ways to come.
    accounts, regions: each once, in order of appearance; a hit without region has "".
    shown_accounts: the accounts, with the deployer's names for them.
    resources: each once, in order of appearance.
    acted_on:  those of them that a call of these acted upon; the others only occur.
    outcomes:  each with its number, most frequent first.
    errors:    code and message of the hits that were denied or failed, each with its number.
    first, last: the earliest and the latest valid event time; NO_TIME if no hit has one.
    """

    actors: Counts[Actor]
    people: Counts[Actor]
    accounts: tuple[str, ...]
    shown_accounts: tuple[str, ...]
    regions: tuple[str, ...]
    resources: tuple[str, ...]
    acted_on: tuple[str, ...]
    outcomes: Counts[str]
    errors: Counts[tuple[str, str]]
    first: str
    last: str


def summary_of(hits: Sequence[Hit]) -> Summary:
    """Look at all hits of an alert."""
    times = sorted(hit.event_time for hit in hits if hit.event_time != NO_TIME) or [NO_TIME]
    failed = [hit for hit in hits if hit.error_code and hit.outcome != "dryrun"]  # whose error says what a dry run is
    return Summary(
        actors=_actors(hits, lambda actor: (actor.key,)),
        people=_actors(hits, lambda actor: (actor.key, actor.text)),
        accounts=each(hits, lambda hit: (hit.account,)),
        shown_accounts=each(hits, lambda hit: (hit.shown_account,)),
        regions=each(hits, lambda hit: (hit.region,)),
        resources=each(hits, lambda hit: hit.resources),
        acted_on=each(hits, lambda hit: hit.main_resources),
        outcomes=counts(hits, lambda hit: hit.outcome),
        errors=counts(failed, lambda hit: (hit.error_code, hit.error_message)),
        first=times[0],
        last=times[-1],
    )


def counts(hits: Iterable[Hit], value: Callable[[Hit], _Value]) -> Counts[_Value]:
    """The values that hits have, each with the number of hits."""
    return tuple(Counter(map(value, hits)).most_common())


def each(hits: Iterable[Hit], values: Callable[[Hit], Iterable[_Value]]) -> tuple[_Value, ...]:
    """The values that hits have, each once, in order of appearance."""
    return tuple(dict.fromkeys(value for hit in hits for value in values(hit)))


def shown_values(hits: Sequence[Hit]) -> Iterator[tuple[str, Counts[str]]]:
    """Each label of what hits show of their requests, with its values."""
    for label in each(hits, lambda hit: [name for name, _ in hit.shown]):
        yield label, tuple(Counter(dict(hit.shown).get(label, "") for hit in hits).most_common())


def _actors(hits: Sequence[Hit], known_by: Callable[[Actor], tuple[str, ...]]) -> Counts[Actor]:
    actors = dict[tuple[str, ...], Actor]()
    for hit in hits:
        actors.setdefault(known_by(hit.actor), hit.actor)
    return tuple((actors[key], count) for key, count in counts(hits, lambda hit: known_by(hit.actor)))
