"""The episodes of a scan: what correlations count is collected from all log files, and judged once they are through.

Only numbers are kept of each record, 48 bytes; the few records that an episode shows are read again.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from trailbell.cli.scan.counted import Counted, value_digest
from trailbell.engine.correlation import Contribution, silenced
from trailbell.engine.correlator import Correlated, Correlator
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.base_match import BaseMatch, episode_hit, hit_episode
from trailbell.hits.episode import ACTS_MAX
from trailbell.hits.hit import Hit
from trailbell.text.times import iso_seconds


_COLUMNS = 6
_TOGETHER = 50  # episodes whose records are read again in one go


class Event(int):
    """An event: the number by which it is known; the first of its records that was read, by file and position.

    A number, and no dataclass: one is made for each record that is counted, and then compared and ordered by it.
    """

    time: int
    file: int
    index: int

    def __new__(cls, identity: int, time: int, file: int, index: int) -> "Event":
        """An event of that identity."""
        event = super().__new__(cls, identity)
        event.time, event.file, event.index = time, file, index
        return event

    @property
    def place(self) -> "Place":
        """Where its record is."""
        return self.file, self.index


Place = tuple[int, int]
"""The number of a log file, and a position in it."""

Reread = Callable[[int, Sequence[int]], Mapping[int, BaseMatch]]
"""From the number of a log file, and positions in it, to what correlations count there; what is gone is left out."""


class ScannedBag:
    """The contributions to one group, as numbers."""

    __slots__ = ("_firings", "_numbers")

    def __init__(self) -> None:
        self._numbers = array("q")
        self._firings = list[Contribution]()

    def add_counted(self, counted: Counted, file: int) -> None:
        """What a record of a log file adds."""
        self._numbers.extend((counted.time, counted.identity, counted.rule, counted.value, file, counted.position))

    def add(self, contribution: Contribution) -> None:
        """What an episode of another correlation adds."""
        value = contribution.value
        number = value_digest(value) if isinstance(value, tuple) else 0
        self._firings.append(contribution._replace(value=number))

    def __len__(self) -> int:
        return len(self._numbers) // _COLUMNS + len(self._firings)

    def __iter__(self) -> Iterator[Contribution]:
        times, identities, rules, values, files, indexes = (self._numbers[at::_COLUMNS] for at in range(_COLUMNS))
        events = map(Event, identities, times, files, indexes)
        return chain(map(Contribution, times, events, rules, values), self._firings)


class ScanEpisodes:
    """Collects what the log files of a scan give, and makes the hits of its episodes."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._correlator = Correlator(rulebook.correlations, ScannedBag)
        self._silenced = silenced(rulebook.rules, rulebook.correlations)
        self._roles = rulebook.automation_roles

    def add(self, counted: Iterable[Counted], file: int) -> None:
        """What was found in the log file of that number."""
        for one in counted:
            self._correlator.bag(one.correlation_id, one.group).add_counted(one, file)

    def hits(self, reread: Reread) -> Iterator[Hit | str]:
        """A hit for each episode, in the order in which they came true; of one none of whose records can be read again
        what can be said without. Empties what was collected.
        """
        episodes = [one for one in self._correlator.episodes() if one.correlation.correlation_id not in self._silenced]
        ordered = sorted(episodes, key=lambda one: (one.came_true, one.correlation.correlation_id, one.group))
        for start in range(0, len(ordered), _TOGETHER):
            together = [(episode, _shown(episode)) for episode in ordered[start : start + _TOGETHER]]
            matches = _read_again((event for _, shown in together for event in shown), reread)
            for episode, shown in together:
                yield self._hit(episode, [match for event in shown if (match := matches.get(event.place))])

    def _hit(self, episode: Correlated, matches: Sequence[BaseMatch]) -> Hit | str:
        """The hit of an episode; matches: of the events that it shows, by time, those that can be read again."""
        first, last = iso_seconds(episode.first), iso_seconds(episode.last)
        count = sum(isinstance(one, Event) for one in episode.events)
        if not matches:
            return f"{episode.correlation.rule.name}: {count} acts from {first} to {last}; they cannot be read again"
        acts = [match.act for match in matches]
        story = hit_episode(episode.correlation, episode.group, first, last, count, acts)
        came_true = iso_seconds(episode.came_true)
        return episode_hit(episode.correlation, episode.group, story, came_true, matches[-1], self._roles)


def _shown(episode: Correlated) -> list[Event]:
    """The events that an episode's hit shows, by time: the first and the last of many."""
    own = (one for one in episode.events if isinstance(one, Event))
    events = sorted(own, key=lambda one: (one.time, one))
    half = ACTS_MAX // 2
    return events if len(events) <= ACTS_MAX else events[:half] + events[-half:]


def _read_again(events: Iterable[Event], reread: Reread) -> dict[Place, BaseMatch]:
    """What correlations count of some events, by where they are; each log file is read once."""
    by_file: dict[int, set[int]] = {}
    for event in events:
        by_file.setdefault(event.file, set()).add(event.index)
    return {
        (file, index): match
        for file, indexes in by_file.items()
        for index, match in reread(file, sorted(indexes)).items()
    }
