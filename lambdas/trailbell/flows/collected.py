"""What one log file adds to one group of a correlation, in bounded memory, until the file is through."""

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Any

from trailbell.engine.buckets import bucket_start, cut, essence
from trailbell.engine.correlation import Contribution
from trailbell.flows.correlation_state import BucketPart, CountedGroup
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.episode import EpisodeAct, some_acts
from trailbell.lazy_dataclass import dataclass


PART_ACTS_MAX = 5
"""Acts that are kept of each part."""

_AT_ONCE = 2048  # contributions held before they are cut: a storm takes no more memory


@dataclass(slots=True)
class _Bucket:
    contributions: list[Contribution] = field(default_factory=list)
    acts: list[EpisodeAct] = field(default_factory=list)
    aliases: dict[bytes, Any] = field(default_factory=dict)
    limit: int = _AT_ONCE


@dataclass(slots=True)
class Collected:
    """What one log file adds to one group.

    last:         the latest record that is behind it.
    every_second: whether another correlation counts this one (engine/buckets.py).
    left:         how many contributions were cut, being of no matter.
    """

    of: CountedGroup
    last: BaseMatch
    every_second: bool
    left: int = 0
    _own: dict[int, _Bucket] = field(default_factory=dict)
    _inner: dict[tuple[int, str], _Bucket] = field(default_factory=dict)

    def add(self, match: BaseMatch, contribution: Contribution, alias: bytes = b"") -> None:
        """What a record adds; alias: the other identity by which a live event may know its event."""
        self._is_behind(match)
        start = bucket_start(self.of.correlation, contribution.time)
        bucket = self._own.setdefault(start, _Bucket())
        self._add(bucket, contribution)
        if alias:
            bucket.aliases[alias] = contribution.identity
        bucket.acts.append(match.act)
        if len(bucket.acts) > 4 * PART_ACTS_MAX:
            bucket.acts = [*some_acts(bucket.acts, PART_ACTS_MAX)]

    def add_firings(
        self, match: BaseMatch, inner: str, contributions: Iterable[Contribution], acts: Iterable[EpisodeAct]
    ) -> None:
        """What an episode of another correlation adds, by time; its acts go with the first of it and the last."""
        self._is_behind(match)
        buckets = dict[int, _Bucket]()
        for one in contributions:
            start = bucket_start(self.of.correlation, one.time)
            buckets[start] = self._inner.setdefault((start, inner), _Bucket())
            self._add(buckets[start], one)
        for start in {min(buckets, default=0), max(buckets, default=0)} & {*buckets}:
            buckets[start].acts = [*some_acts([*buckets[start].acts, *acts], PART_ACTS_MAX)]

    def parts(self, source: str) -> Iterator[BucketPart]:
        """What is to be kept, from the name of the log file."""
        for start, bucket in self._own.items():
            self._cut(bucket)
            acts = some_acts(bucket.acts, PART_ACTS_MAX)
            kept = {one.identity for one in bucket.contributions}
            aliases = {alias: identity for alias, identity in bucket.aliases.items() if identity in kept}
            yield BucketPart(self.of, start, source, bucket.contributions, acts, aliases=aliases)
        for (start, inner), bucket in self._inner.items():
            self._cut(bucket)
            yield BucketPart(self.of, start, f"{source}\n{inner}", bucket.contributions, bucket.acts, is_inner=True)

    def times(self) -> list[int]:
        """When what is to be kept was, by time."""
        buckets = (*self._own.values(), *self._inner.values())
        return sorted({one.time for bucket in buckets for one in bucket.contributions})

    def acts(self, first: str, last: str) -> list[EpisodeAct]:
        """Some of the acts between two times (UTC, ISO 8601), and some of inner episodes."""
        own = (act for bucket in self._own.values() for act in bucket.acts if first <= act.at <= last)
        return [*own, *(act for bucket in self._inner.values() for act in bucket.acts)]

    def _is_behind(self, match: BaseMatch) -> None:
        if match.time > self.last.time:
            self.last = match

    def _add(self, bucket: _Bucket, contribution: Contribution) -> None:
        bucket.contributions.append(essence(self.of.correlation, contribution))
        if len(bucket.contributions) >= bucket.limit:
            self._cut(bucket)
            bucket.limit = 2 * max(_AT_ONCE, len(bucket.contributions))

    def _cut(self, bucket: _Bucket) -> None:
        distinct = set(bucket.contributions)
        bucket.contributions = cut(self.of.correlation, distinct, every_second=self.every_second)
        self.left += len(distinct) - len(bucket.contributions)
