"""The episodes of a scan: what correlations count is collected from all log files, and judged once they are through.

Only numbers are kept of each record, 48 bytes; the few records that an episode shows are read again.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trailbell.cli.scan.counted import Counted, value_digest
from trailbell.engine.correlation import Contribution, silenced
from trailbell.engine.correlator import Correlated, Correlator
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.base_match import BaseMatch, episode_hit, hit_episode
from trailbell.hits.episode import ACTS_MAX
from trailbell.hits.hit import Hit
from trailbell.text.times import iso_seconds


_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Event:
    """An event, known by its identity; the first of its records that was read, by file and position."""

    identity: int
    time: int = field(compare=False)
    file: int = field(compare=False)
    index: int = field(compare=False)

    def __str__(self) -> str:
        """The same as repr(), but quickly: what is sorted by it are all that correlations count."""
        return f"Event(identity={self.identity}, time={self.time}, file={self.file}, index={self.index})"


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

    def __iter__(self) -> Iterator[Contribution]:
        for at in range(0, len(self._numbers), _COLUMNS):
            time, identity, rule, value, file, index = self._numbers[at : at + _COLUMNS]
            yield Contribution(time, Event(identity, time, file, index), rule, value)
        yield from self._firings


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
        for episode in sorted(episodes, key=lambda one: (one.came_true, one.correlation.correlation_id, one.group)):
            yield self._hit(episode, reread)

    def _hit(self, episode: Correlated, reread: Reread) -> Hit | str:
        own = (one for one in episode.events if isinstance(one, Event))
        events = sorted(own, key=lambda one: (one.time, one.identity))
        half = ACTS_MAX // 2
        shown = events if len(events) <= ACTS_MAX else events[:half] + events[-half:]
        matches = [match for _, match in sorted(_read_again(shown, reread).items())]
        first, last = iso_seconds(episode.first), iso_seconds(episode.last)
        if not matches:
            return (
                f"{episode.correlation.rule.name}: {len(events)} acts from {first} to {last}; they cannot be read again"
            )
        acts = [match.act for match in matches]
        story = hit_episode(episode.correlation, episode.group, first, last, len(events), acts)
        came_true = iso_seconds(episode.came_true)
        return episode_hit(episode.correlation, episode.group, story, came_true, matches[-1], self._roles)


def _read_again(events: Sequence[Event], reread: Reread) -> dict[int, BaseMatch]:
    """What correlations count of some events, by their order in time."""
    positions: dict[int, dict[int, int]] = {}
    for order, event in enumerate(events):
        positions.setdefault(event.file, {})[event.index] = order
    return {
        orders[index]: match
        for file, orders in positions.items()
        for index, match in reread(file, sorted(orders)).items()
    }
