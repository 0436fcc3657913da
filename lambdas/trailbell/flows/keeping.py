"""What was found is kept, whatever source it comes from: judged, planned for, in the table, tracked, correlated."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from trailbell.flows.canary import Canaries, keep_canary
from trailbell.flows.correlating import Correlating
from trailbell.flows.counters import DetectorCounters
from trailbell.flows.first_seen import FirstSeenJudge
from trailbell.flows.source import Deadline
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.canary import is_canary
from trailbell.hits.detect import Detected
from trailbell.hits.hit import Hit
from trailbell.hits.undoing import Undoing
from trailbell.lazy_dataclass import dataclass


CHUNK = 250
"""Hits kept together: whole batches of pointer rows, and one log file of 40,000 hits takes no more memory."""

_NEWS_SECONDS = 86_400

_Found = TypeVar("_Found")


class HitTable(Protocol):
    """Where hits are kept."""

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new. After a TableError any part of them may have been kept."""


class Tracking(Protocol):
    """Where acts are tracked until they are undone, and what is to be done about them later."""

    def plan(self, hits: Sequence[Hit]) -> None:
        """What is to be done later about hits that are not kept yet. Raises TableError."""

    def track(self, hits: Sequence[Hit], undoings: Sequence[Undoing]) -> None:
        """Follow up hits that are kept, and what undoes some. Raises TableError."""


def unchanged(hit: Hit) -> Hit:
    """A hit as it was found."""
    return hit


def quiet_unless_news(hit: Hit) -> Hit:
    """A hit that comes by a replay, or late, as it is kept: nobody is notified of what happened over a day ago."""
    return replace(hit, quiet=True) if hit.delay > _NEWS_SECONDS else hit


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where everything is kept; None for what there is not."""

    table: HitTable
    canaries: Canaries | None = None
    tracking: Tracking | None = None
    first_seen: FirstSeenJudge | None = None
    correlating: Correlating | None = None

    def of(
        self, name: str, counters: DetectorCounters, deadline: Deadline, shaped: Callable[[Hit], Hit] = unchanged
    ) -> "ItemKeeping":
        """For what is found in one item.

        name: the same whenever the item is read, and no other item's; shaped: what becomes of its hits before they are
        kept.
        """
        return ItemKeeping(self, name, counters, deadline, shaped)


class ItemKeeping:
    """Keeps what is found in one item, counts it, and collects what correlations count until the item is through."""

    def __init__(
        self,
        keeping: Keeping,
        name: str,
        counters: DetectorCounters,
        deadline: Deadline,
        shaped: Callable[[Hit], Hit],
    ) -> None:
        self._our, self._counters, self._deadline, self._shaped = keeping, counters, deadline, shaped
        self._correlation = keeping.correlating.source(name, shaped) if keeping.correlating else None

    def keep(self, found: Iterable[Detected]) -> None:
        """Keep what is found, as it comes. Raises TableError, OutOfTimeError where time is nearly over, and what
        reading raises, after what was found before.
        """
        for chunk in _in_chunks(self._without_canaries(found)):
            self._keep(chunk)
            self._deadline.check()

    def finish(self, *, is_whole: bool = True) -> None:
        """Keep what the item adds to correlations, and the episodes that follow. Raises TableError, or OutOfTimeError.

        is_whole: whether it was read to its end.
        """
        if not self._correlation:
            return
        counts = self._correlation.finish(self._deadline.check, is_whole=is_whole)
        self._counters.correlated(counts)
        for part in _apart(counts.overflows):
            self._counters.kept(part, self._our.table.keep(part))

    def _keep(self, chunk: Sequence[Detected]) -> None:
        """Plan for the hits of a chunk, keep them, then track them: who finds an act must find its hit.

        What correlations count is collected.
        """
        for one in chunk:
            if self._correlation and isinstance(one, BaseMatch):
                self._correlation.add(one)
        hits = [one for one in chunk if isinstance(one, Hit)]
        if self._our.first_seen:
            hits = self._our.first_seen.judge(hits)
        hits = [self._shaped(hit) for hit in hits]
        if self._our.tracking:
            self._our.tracking.plan(hits)
        for part in _apart(hits):
            self._counters.kept(part, self._our.table.keep(part))
        if self._our.tracking:
            self._our.tracking.track(hits, [one for one in chunk if isinstance(one, Undoing)])

    def _without_canaries(self, found: Iterable[Detected]) -> Iterator[Detected]:
        """What was found; canaries are kept apart and counted."""
        for one in found:
            if not isinstance(one, Hit) or not is_canary(one):
                yield one
            elif self._our.canaries:
                self._counters.canaries += keep_canary(self._our.canaries, one)


def _in_chunks(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    """What was found, in chunks. When reading fails or time is over, what is before that place still comes, as the
    last chunk."""
    chunk: list[_Found] = []
    try:
        for one in found:
            chunk.append(one)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
    except Exception:  # whatever it is goes on to the boundary, after them
        if chunk:
            yield chunk
        raise
    if chunk:
        yield chunk


def _apart(chunk: Sequence[Hit]) -> Iterator[list[Hit]]:
    """A chunk's hits that somebody is to be notified of, then the others: the table says how many of each are new.

    In this order, because where both are of one identity, the one that is not muted stays.
    """
    for to_notify in (True, False):
        if part := [hit for hit in chunk if hit.is_to_notify is to_notify]:
            yield part
