"""What is kept of correlations between log files, and what the flow asks of the table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple, Protocol

from trailbell.engine.contributing import Group
from trailbell.engine.correlation import Contribution, Correlation
from trailbell.hits.episode import EpisodeAct
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass


class CountedGroup(NamedTuple):
    """One group of one correlation: what episodes are made in."""

    correlation: Correlation
    group: Group


@dataclass(frozen=True, slots=True)
class BucketPart:
    """What one source adds to one bucket of a group.

    start:   when the bucket begins, in seconds.
    source:  the log file, and the inner group where its episodes are what is counted: a part is known by it.
    contributions: with short identities and values, cut to what can matter.
    acts:    some of the acts that are behind them.
    aliases: of short identities the other ones by which live events may know the same events.
    is_inner: whether the acts are those of an inner episode, which may lie outside of the bucket.
    """

    of: CountedGroup
    start: int
    source: str
    contributions: Sequence[Contribution]
    acts: Sequence[EpisodeAct]
    is_inner: bool = False
    aliases: Mapping[bytes, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FoundEpisode:
    """An episode as far as it was seen. It may be a piece of a longer one.

    first, last: times of its first and last contribution; came_true: of the first firing; count: of distinct events.
    acts:        those at hand.
    """

    of: CountedGroup
    first: int
    last: int
    came_true: int
    count: int
    acts: Sequence[EpisodeAct]


class Merged(NamedTuple):
    """What became of found episodes: how many were new, and how many were joined into others."""

    new: int = 0
    joined: int = 0

    def plus(self, more: "Merged") -> "Merged":
        """Both together."""
        return Merged(self.new + more.new, self.joined + more.joined)


MakeHit = Callable[[str, str, str], Hit]
"""Makes the hit of an episode that is not notified yet: from the partition and the sort key of the row that says what
becomes of it, and the time at which it came true (UTC, ISO 8601), which stays.
"""


class Contributions(Protocol):
    """Where contributions are kept."""

    def write(self, parts: Sequence[BucketPart]) -> None:
        """Keep parts, each in place of what its source wrote before. Raises TableError."""

    def read(self, of: CountedGroup, since: int, until: int) -> list[Contribution]:
        """All contributions of the buckets of a time and another, those written before this among them."""

    def acts(self, of: CountedGroup, first: int, last: int) -> list[EpisodeAct]:
        """Some acts of an episode, of its beginning and of its end."""


class Episodes(Protocol):
    """Where episodes are kept."""

    def merge(self, found: FoundEpisode, make_hit: MakeHit) -> Merged:
        """Keep an episode: as a new one with its hit, or as a part of those that it touches. Raises TableError."""
