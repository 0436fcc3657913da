"""The rows of episodes, read and written (keys: store/rows.py).

Of one group the live episodes are apart: no two have a second in common. Each row's key is a time inside of its own
episode, and a joined episode lies inside of the one that it was joined into. So what touches an interval is found
among the rows with a key inside of it, and the next one on either side.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trailbell.flows.correlation_state import FoundEpisode
from trailbell.hits.episode import EpisodeAct, act_document, act_from_document, some_acts
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass
from trailbell.store.contributions import sortable
from trailbell.store.dynamo import Row, query
from trailbell.store.rows import AFTER, hit_key


EPISODE = "episode"
EPISODES_VERSION = "episodes-version"

HEAD = "E"
"""The sort key of the row that every change of a group's episodes changes."""

_ACTS_MAX = 5  # a change writes them again; more are in the hit
_ONWARD = 25


@dataclass(frozen=True, slots=True)
class KeptEpisode:
    """An episode as its row has it.

    key:       its row's sort key.
    joined:    the key of the earlier episode that it was joined into; "" while it is live.
    is_quiet:  whether its hit is there for a replay of history, and nobody was notified of it.
    hit:       the key of its hit's row.
    """

    key: str
    first: int
    last: int
    count: int
    acts: tuple[EpisodeAct, ...] = ()
    joined: str = ""
    is_quiet: bool = False
    hit: Mapping[str, str] | None = None

    @property
    def came_true(self) -> str:
        """When it first was true, as far as was known when it was made."""
        return self.key.removeprefix(f"{HEAD}#")

    def with_hit(self, hit: Hit) -> "KeptEpisode":
        """The same, of which this hit says."""
        return replace(self, is_quiet=hit.quiet, hit=hit_key(*hit.identity))


def episode_key(came_true: int) -> str:
    """The sort key of an episode's row, from the time of its first firing when it was made."""
    return f"{HEAD}#{sortable(came_true)}"


def kept_row(partition: str, episode: KeptEpisode, expires_at: int) -> Row:
    """The row of an episode."""
    return {
        "pk": partition,
        "sk": episode.key,
        "kind": EPISODE,
        "first": episode.first,
        "last": episode.last,
        "count": episode.count,
        "acts": [act_document(one) for one in episode.acts],
        "joined": episode.joined,
        "isQuiet": episode.is_quiet,
        "hit": episode.hit,
        "expiresAt": expires_at,
    }


def kept_from(row: Row) -> KeptEpisode:
    """Read `kept_row` back."""
    return KeptEpisode(
        key=row["sk"],
        first=row["first"],
        last=row["last"],
        count=row["count"],
        acts=tuple(map(act_from_document, row["acts"])),
        joined=row["joined"],
        is_quiet=row["isQuiet"],
        hit=row["hit"],
    )


def grown(kept: Sequence[KeptEpisode], found: FoundEpisode, *, up_to: int) -> KeptEpisode:
    """The earliest of live episodes with all of them, and with what was found of it up to a time."""
    return replace(
        kept[0],
        first=min(found.first, kept[0].first),
        last=max(up_to, kept[-1].last),
        count=max(found.count, *(one.count for one in kept)),
        acts=some_acts([*(act for one in kept for act in one.acts), *found.acts], _ACTS_MAX),
        is_quiet=all(one.is_quiet for one in kept),
    )


def begun(found: FoundEpisode) -> KeptEpisode:
    """A new episode."""
    acts = some_acts(found.acts, _ACTS_MAX)
    return KeptEpisode(episode_key(found.came_true), found.first, found.last, found.count, acts)


class EpisodeRows:
    """Reads the episodes of one group, strongly consistent."""

    def __init__(self, client: Any, table: str, partition: str) -> None:
        self._client, self._table, self._partition = client, table, partition

    def version(self) -> int:
        """How often the group's episodes have been changed."""
        return next((int(row["version"]) for row in self._rows(HEAD, HEAD)), 0)

    def touching(self, first: int, last: int) -> list[KeptEpisode]:
        """The live episodes that have a second in common with an interval, by time."""
        found = [*self._before(episode_key(first)), *self._from(episode_key(first), episode_key(last))]
        return [one for one in found if not one.joined and one.first <= last and first <= one.last]

    def _before(self, key: str) -> Iterator[KeptEpisode]:
        """The live episode at the nearest key before one."""
        rows = self._rows(f"{HEAD}#", key, page=2, backward=True)
        at = next((one for one in map(kept_from, rows) if one.key < key), None)
        while at and at.joined:
            at = next(map(kept_from, self._rows(at.joined, at.joined)), None)
        if at:
            yield at

    def _from(self, key: str, last: str) -> Iterator[KeptEpisode]:
        """The episodes from a key to another, and the next."""
        for episode in map(kept_from, self._rows(key, HEAD + AFTER, page=_ONWARD)):
            yield episode
            if episode.key > last:
                return

    def _rows(self, since: str, until: str, **how: Any) -> Iterator[Row]:
        return query(self._client, self._table, self._partition, since, until, **how)
