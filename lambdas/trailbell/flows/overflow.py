"""What is too much for a correlation in one log file or live event: who caused it, and what is told of it.

A single record may name more than is followed. It comes twice where live events are on, by itself and in its log file,
so what it causes is known by the record, and told once. What only many records come to is known by their log file.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import field

from trailbell.engine.contributing import Group, Share
from trailbell.engine.correlation import Correlation
from trailbell.hits.base_match import BaseMatch, overflow_hit
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass


GROUPS_MAX = 200
"""Groups of one correlation that a log file adds to; names in requests are the caller's choice."""


@dataclass(slots=True)
class LeftOut:
    """What a log file has of a correlation beyond GROUPS_MAX groups, or one record beyond SHARES_MAX shares: in no
    episode, so that somebody is to be told.

    contributions: how many. alone: the first record that is too much by itself, None if there is none; first: of the
    others that have something left out. groups: of the others, up to one more than are followed.
    """

    correlation: Correlation
    contributions: int = 0
    alone: BaseMatch | None = None
    first: BaseMatch | None = None
    groups: set[Group] = field(default_factory=set)

    def hits(self, source: str) -> Iterator[Hit]:
        """The hits that say so. Where one record took the room of the others, it is the cause of what they lack."""
        if self.alone:
            yield overflow_hit(self.correlation, self.alone, self.contributions, self.alone.record.event_id, GROUPS_MAX)
        if self.first and (self.alone is None or len(self.groups) > GROUPS_MAX):
            yield overflow_hit(self.correlation, self.first, self.contributions, source, GROUPS_MAX)


class Overflows:
    """Collects what a log file has too much of, by correlation."""

    def __init__(self) -> None:
        self._found = dict[str, LeftOut]()

    def record(self, match: BaseMatch) -> set[str]:
        """Ids of the correlations for which a record is too much by itself; the groups of others are remembered."""
        groups, cut = defaultdict[str, set[Group]](set), set[str]()
        for share in match.shares:
            groups[share.correlation.correlation_id].add(share.group)
            if share.is_cut:
                cut.add(share.correlation.correlation_id)
        alone = {one for one, named in groups.items() if one in cut or len(named) > GROUPS_MAX}
        for share in match.shares:
            left = self._left(share.correlation)
            if share.correlation.correlation_id not in alone and len(left.groups) <= GROUPS_MAX:
                left.groups.add(share.group)
        return alone

    def left_out(self) -> dict[str, LeftOut]:
        """By the correlation's id, of what has something left out."""
        return {name: one for name, one in self._found.items() if one.contributions}

    def leave_out(self, share: Share, match: BaseMatch, *, alone: bool) -> None:
        """One contribution is left out. alone: of a record that is too much by itself."""
        left = self._left(share.correlation)
        left.contributions += 1
        if alone:
            left.alone = left.alone or match
        else:
            left.first = left.first or match

    def _left(self, correlation: Correlation) -> LeftOut:
        return self._found.setdefault(correlation.correlation_id, LeftOut(correlation))
