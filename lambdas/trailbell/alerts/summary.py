"""What the hits of one alert have in common, and in what they differ: actors, accounts, regions, resources.

Most alerts have one of each. A storm of one rule may come from many actors, and then the alert must say so.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit


@dataclass(frozen=True, slots=True)
class Summary:
    """The hits of one alert (at least one) seen together.

    actors:    each with the number of its hits, busiest first; the one of the first hit stands for all of a key.
    accounts, regions: each once, in order of appearance; a hit without region has "".
    resources: each once, in order of appearance.
    outcomes:  each with its number, most frequent first.
    first, last: event times.
    """

    actors: tuple[tuple[Actor, int], ...]
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    resources: tuple[str, ...]
    outcomes: tuple[tuple[str, int], ...]
    first: str
    last: str


def summary_of(hits: Sequence[Hit]) -> Summary:
    """Look at all hits of an alert."""
    times = sorted(hit.event_time for hit in hits)
    return Summary(
        actors=_actors(hits),
        accounts=_each(hits, lambda hit: (hit.account,)),
        regions=_each(hits, lambda hit: (hit.region,)),
        resources=_each(hits, lambda hit: hit.resources),
        outcomes=tuple(Counter(hit.outcome for hit in hits).most_common()),
        first=times[0],
        last=times[-1],
    )


def _actors(hits: Sequence[Hit]) -> tuple[tuple[Actor, int], ...]:
    actors = dict[str, Actor]()
    for hit in hits:
        actors.setdefault(hit.actor.key, hit.actor)
    counts = Counter(hit.actor.key for hit in hits)
    return tuple((actors[key], count) for key, count in counts.most_common())


def _each(hits: Sequence[Hit], values: Callable[[Hit], Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for hit in hits for value in values(hit)))
