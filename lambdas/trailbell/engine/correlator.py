"""All episodes of a set of events, correlations over correlations included, from memory."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from trailbell.engine.contributing import Contributing, Group
from trailbell.engine.correlation import Contribution, Correlation
from trailbell.engine.episodes import Episode, episodes_of
from trailbell.engine.predicates import Roots


_Groups = defaultdict[Group, set[Contribution]]


class _Inner(NamedTuple):
    """The identity of an episode among what another correlation counts."""

    correlation_id: str
    group: Group
    number: int


@dataclass(frozen=True, slots=True)
class Correlated:
    """An episode of a correlation, with what its members are made of.

    first, last: times of the first and last event; events: the identities of all events.
    """

    correlation: Correlation
    group: Group
    first: Any
    last: Any
    events: frozenset[Hashable]


class Correlator:
    """Collects what events add, in any order, and finds the episodes once all is collected."""

    def __init__(self, correlations: Sequence[Correlation], *, dotted_root: bool = True) -> None:
        self._correlations = sorted(correlations, key=lambda one: (one.depth, one.correlation_id))
        self._contributing = Contributing(correlations, dotted_root=dotted_root)
        self._collected = defaultdict[str, _Groups](lambda: defaultdict(set))

    @property
    def rule_ids(self) -> frozenset[str]:
        """Ids of the rules that are counted."""
        return self._contributing.rule_ids

    def add(self, rule_id: str, roots: Roots, time: Any, identity: Hashable) -> None:
        """An event that matches a rule. Again it changes nothing."""
        for share in self._contributing.shares(rule_id, roots):
            contribution = Contribution(time, identity, share.rule, share.value)
            self._collected[share.correlation.correlation_id][share.group].add(contribution)

    def episodes(self) -> Iterator[Correlated]:
        """Every episode of every correlation: those over rules first, then by id, group and time."""
        events = dict[_Inner, Correlated]()
        for correlation in self._correlations:
            groups = self._collected.pop(correlation.correlation_id, _Groups())
            for group in sorted(groups):
                for number, episode in enumerate(episodes_of(correlation, [*groups[group]])):
                    inner = _Inner(correlation.correlation_id, group, number)
                    events[inner] = found = _correlated(correlation, group, episode, events)
                    self._add_firings(correlation, group, episode, inner)
                    yield found

    def _add_firings(self, correlation: Correlation, group: Group, episode: Episode, inner: _Inner) -> None:
        for share in self._contributing.of_episode(correlation, group):
            collected = self._collected[share.correlation.correlation_id][share.group]
            collected.update(Contribution(time, inner, share.rule, share.value) for time in episode.firings)


def _correlated(
    correlation: Correlation, group: Group, episode: Episode, known: dict[_Inner, Correlated]
) -> Correlated:
    """An episode with the events of the episodes that it counts."""
    inner = [known[one] for one in {one.identity for one in episode.members} if isinstance(one, _Inner)]
    own = [one for one in episode.members if not isinstance(one.identity, _Inner)]
    times = [*(one.time for one in own), *(time for one in inner for time in (one.first, one.last))]
    events = frozenset(one.identity for one in own).union(*(one.events for one in inner))
    return Correlated(correlation, group, min(times), max(times), events)
