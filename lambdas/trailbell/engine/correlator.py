"""All episodes of a set of events, correlations over correlations included, from memory."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from trailbell.engine.contributing import Contributing, Group
from trailbell.engine.correlation import Contribution, Correlation
from trailbell.engine.episodes import Episode, episodes_of
from trailbell.engine.predicates import Roots


class Bag(Protocol):
    """The contributions to one group, however they are kept."""

    def add(self, contribution: Contribution, /) -> None:
        """Add one; again it changes nothing."""

    def __len__(self) -> int:
        """How many there are, or more where one came repeatedly."""

    def __iter__(self) -> Iterator[Contribution]:
        """All of them, in any order; one may come repeatedly."""


_Bag = TypeVar("_Bag", bound=Bag)


class _Inner(NamedTuple):
    """The identity of an episode among what another correlation counts."""

    correlation_id: str
    group: Group
    number: int


@dataclass(frozen=True, slots=True)
class Correlated:
    """An episode of a correlation, with what its members are made of.

    first, last: times of the first and last event; events: the identities of all events.
    came_true:   when it first was true.
    """

    correlation: Correlation
    group: Group
    first: Any
    last: Any
    came_true: Any
    events: frozenset[Hashable]


class Correlator(Generic[_Bag]):
    """Collects what events add, in any order, and finds the episodes once all is collected.

    new_bag: makes what keeps the contributions to one group.
    """

    def __init__(
        self, correlations: Sequence[Correlation], new_bag: Callable[[], _Bag], *, dotted_root: bool = True
    ) -> None:
        self._correlations = sorted(correlations, key=lambda one: (one.depth, one.correlation_id))
        self._contributing = Contributing(correlations, dotted_root=dotted_root)
        self._bags = defaultdict[str, defaultdict[Group, _Bag]](lambda: defaultdict(new_bag))

    @property
    def rule_ids(self) -> frozenset[str]:
        """Ids of the rules that are counted."""
        return self._contributing.rule_ids

    def add(self, rule_id: str, roots: Roots, time: Any, identity: Hashable) -> None:
        """An event that matches a rule. Again it changes nothing."""
        for share in self._contributing.shares(rule_id, roots):
            bag = self.bag(share.correlation.correlation_id, share.group)
            bag.add(Contribution(time, identity, share.rule, share.value))

    def bag(self, correlation_id: str, group: Group) -> _Bag:
        """What keeps the contributions to a group."""
        return self._bags[correlation_id][group]

    def episodes(self) -> Iterator[Correlated]:
        """Every episode of every correlation: those over rules first, then by id, group and time."""
        events = dict[_Inner, Correlated]()
        for correlation in self._correlations:
            bags: Mapping[Group, _Bag] = self._bags.pop(correlation.correlation_id, {})
            for group in sorted(group for group, bag in bags.items() if len(bag) >= correlation.threshold):
                for number, episode in enumerate(episodes_of(correlation, bags[group])):
                    inner = _Inner(correlation.correlation_id, group, number)
                    events[inner] = found = _correlated(correlation, group, episode, events)
                    self._add_firings(correlation, group, episode, inner)
                    yield found

    def _add_firings(self, correlation: Correlation, group: Group, episode: Episode, inner: _Inner) -> None:
        for share in self._contributing.of_episode(correlation, group):
            bag = self.bag(share.correlation.correlation_id, share.group)
            for time in episode.firings:
                bag.add(Contribution(time, inner, share.rule, share.value))


def _correlated(
    correlation: Correlation, group: Group, episode: Episode, known: dict[_Inner, Correlated]
) -> Correlated:
    """An episode with the events of the episodes that it counts."""
    inner = [known[one] for one in {one.identity for one in episode.members} if isinstance(one, _Inner)]
    own = [one for one in episode.members if not isinstance(one.identity, _Inner)]
    times = [*(one.time for one in own), *(time for one in inner for time in (one.first, one.last))]
    events = frozenset(one.identity for one in own).union(*(one.events for one in inner))
    return Correlated(correlation, group, min(times), max(times), episode.firings[0], events)
