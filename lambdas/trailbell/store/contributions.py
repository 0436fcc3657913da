"""Contributions to correlations, in the partition of their group (keys: store/rows.py).

A row's key follows from the bucket and from what the row comes from, so it may be written again at any time. Acts are
in rows of their own, a hundred times as large and read only for the hit of a new episode; they are written first.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from trailbell.engine.buckets import bucket_seconds, bucket_start, reach_seconds
from trailbell.engine.contribution_code import (
    decoded,
    decoded_aliases,
    encoded,
    encoded_aliases,
    group_code,
    version_of,
)
from trailbell.engine.correlation import Contribution, Correlation
from trailbell.flows.correlation_state import BucketPart, CountedGroup
from trailbell.hits.episode import EpisodeAct, act_document, act_from_document
from trailbell.store.dynamo import Row, batches, query, write_all
from trailbell.store.rows import AFTER, group_partition
from trailbell.store.workers import Workers
from trailbell.text.times import DAY_SECONDS, iso_seconds


CONTRIBUTIONS = "contributions"
ACTS = "contributed-acts"

KEPT_SECONDS = 15 * DAY_SECONDS
"""How much longer than they can decide anything contributions are kept: a message may wait in the dead letters for 14
days (infra/ingest_queue.py), and what it brings then is counted with what came in time."""

_ENTRIES_A_ROW = 5000  # of up to 25 characters: below half of what a row takes
_ACT_ROWS = 4  # read from either end of an episode
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999, which have a text


class DynamoContributions:
    """Keeps contributions."""

    def __init__(self, client: Any, table: str, workers: Workers) -> None:
        self._client, self._table, self._workers = client, table, workers

    def write(self, parts: Sequence[BucketPart]) -> None:
        """Keep parts, each in place of what its source wrote before. Raises TableError or what botocore raises."""
        for rows in (_act_rows(parts), _contribution_rows(parts)):
            write_all(self._client, self._table, rows, workers=self._workers)

    def read(self, of: CountedGroup, since: int, until: int) -> list[Contribution]:
        """All contributions of the buckets of a time and another; one that came twice is there twice.

        An event that a live event and its log file know by different identities has that of the log file.
        """
        found, aliases = list[Contribution](), dict[Any, bytes]()
        for row in self._rows(of, "B", since, until):
            found += decoded(of.correlation, row["start"], row["entries"])
            aliases |= decoded_aliases(row.get("aliases", ""))
        if not aliases:
            return found
        return [one._replace(identity=aliases.get(one.identity, one.identity)) for one in found]

    def acts(self, of: CountedGroup, first: int, last: int) -> list[EpisodeAct]:
        """Some acts of an episode, of its beginning and of its end."""
        since, until = sortable(first), sortable(last)
        found = list[EpisodeAct]()
        for backward in (False, True):
            rows = self._rows(of, "A", first, last, backward=backward, page=_ACT_ROWS)
            for row in islice(rows, _ACT_ROWS):
                acts = map(act_from_document, row["acts"])
                found += [one for one in acts if row["isInner"] or since <= one.at <= until]
        return found

    def _rows(self, of: CountedGroup, letter: str, since: int, until: int, **how: Any) -> Iterator[Row]:
        """The rows of the buckets of a time and another."""
        low, high = (f"{letter}#{sortable(bucket_start(of.correlation, time))}" for time in (since, until))
        return query(self._client, self._table, partition_of(of), low, high + AFTER, **how)


def partition_of(of: CountedGroup) -> str:
    """The partition of everything that is kept of a group."""
    correlation = of.correlation
    return group_partition(correlation.correlation_id, version_of(correlation), group_code(of.group))


def sortable(seconds: int) -> str:
    """A time as part of a sort key."""
    return iso_seconds(min(max(seconds, _EARLIEST), _LATEST))


def kept_until(correlation: Correlation, at_least_seconds: int = 0) -> int:
    """When a row of a correlation that is written now expires."""
    needed = reach_seconds(correlation) + bucket_seconds(correlation) + KEPT_SECONDS
    return int(time.time()) + max(needed, at_least_seconds)


def _contribution_rows(parts: Iterable[BucketPart]) -> Iterator[Row]:
    for part in parts:
        for number, entries in enumerate(batches(part.contributions, _ENTRIES_A_ROW)):
            identities = {one.identity for one in entries}
            aliases = {alias: one for alias, one in part.aliases.items() if one in identities}
            yield {
                **_key("B", part, f"#{number}" if number else ""),
                "kind": CONTRIBUTIONS,
                "start": part.start,
                "entries": encoded(part.of.correlation, part.start, entries),
                **({"aliases": encoded_aliases(aliases)} if aliases else {}),
                "expiresAt": kept_until(part.of.correlation),
            }


def _act_rows(parts: Iterable[BucketPart]) -> Iterator[Row]:
    for part in parts:
        if part.acts:
            yield {
                **_key("A", part),
                "kind": ACTS,
                "isInner": part.is_inner,
                "acts": [act_document(one) for one in part.acts],
                "expiresAt": kept_until(part.of.correlation),
            }


def _key(letter: str, part: BucketPart, end: str = "") -> Row:
    start = sortable(part.start)
    source = hashlib.sha256(f"{start}\n{part.source}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return {"pk": partition_of(part.of), "sk": f"{letter}#{start}#{source}{end}"}
