"""Reading pointers: many partitions at a time, newest first, no more of them than the answer needs.

A query's partitions come in groups (a day's shards, a month's rules), newest group first. Groups are asked for
in waves, one, two, four groups at a time: an answer in the newest group costs one round trip, a search through a
long window doubles its reach with each, and what was read in vain is never more than what was used.
"""

import heapq
import math
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from typing import Any

from trailbell.hits.query import HitQuery
from trailbell.store.dynamo import decode, encode
from trailbell.store.query.pointer_filter import Pointer, filter_arguments, is_filtered
from trailbell.store.rows import is_alive
from trailbell.text.times import iso_time


WORKERS = 16
"""Requests under way at a time; a client's pool of connections should hold as many."""

_LARGEST_WAVE = 8  # groups
_MARGIN = 1.5  # times a partition's fair share of the answer: hits are not spread evenly over partitions
_SPARE_ROWS = 5  # beyond that, for pointers that lead to nothing, and so that a share of one or two is worth a request
_GROWTH = 4  # times as many rows with each request that found nothing
_FULL_PAGE = 1500  # pointers in the 1 MB that a query answers with at most: from here on a limit limits nothing


@dataclass(frozen=True, slots=True)
class _Page:
    """What one or more requests gave: pointers, and where and how large to go on (start: None at the end)."""

    pointers: Sequence[Pointer]
    limit: int
    start: Any


class PointerReader:
    """Reads the pointers of a query. `want`: how many will be asked for at first; 0 for all there are."""

    def __init__(
        self, client: Any, table: str, pool: Executor, query: HitQuery, want: int = 0, before: str = ""
    ) -> None:
        self._client, self._table, self._pool = client, table, pool
        self._query, self._want, self._before = query, want, before
        self._stopped = threading.Event()

    def read(self, groups: Iterable[list[str]]) -> Generator[Pointer, None, None]:
        """Pointers newest first, each hit once, those left out that cannot answer the query."""
        seen = set[tuple[str, str]]()
        try:
            for group in self._waves(groups):
                for pointer in heapq.merge(*group, key=lambda pointer: str(pointer["sk"]), reverse=True):
                    target = pointer["hitPk"], pointer["hitSk"]
                    if target not in seen:
                        seen.add(target)
                        yield pointer
        finally:
            self._stopped.set()

    def _waves(self, groups: Iterable[list[str]]) -> Iterator[list[Iterator[Pointer]]]:
        remaining, size, first = iter(groups), 1, True
        while wave := list(islice(remaining, size)):
            lanes = [[self._lane(partition, len(group), first=first) for partition in group] for group in wave]
            yield from lanes
            size, first = min(size * 2, _LARGEST_WAVE), False

    def _lane(self, partition: str, lanes: int, *, first: bool) -> Iterator[Pointer]:
        """One partition's pointers, read beside those of `lanes` in all; the first page is asked for now.

        Where a filter leaves rows out, later waves ask for full pages: in the first one too little was found.
        """
        few_will_do = self._want and (first or not is_filtered(self._query))
        limit = _first_limit(self._want, lanes) if few_will_do else _FULL_PAGE
        return self._pages(partition, self._submit(partition, limit, None))

    def _submit(self, partition: str, limit: int, start: Any) -> "Future[_Page]":
        return self._pool.submit(self._fetch, partition, limit, start)

    def _pages(self, partition: str, asked: "Future[_Page]") -> Iterator[Pointer]:
        while True:
            page = asked.result()
            yield from page.pointers
            if not page.start:
                return
            asked = self._submit(partition, page.limit, page.start)

    def _fetch(self, partition: str, limit: int, start: Any) -> "_Page":
        """Query on, with ever larger pages, until some pointer is found or the partition ends."""
        while True:
            response = self._client.query(**self._arguments(partition, limit, start))
            pointers = [pointer for pointer in map(decode, response["Items"]) if self._is_selected(pointer)]
            start, limit = response.get("LastEvaluatedKey"), limit * _GROWTH
            if pointers or not start or self._stopped.is_set():
                return _Page(pointers, limit, start)

    def _is_selected(self, pointer: Pointer) -> bool:
        return is_alive(pointer) and pointer["sk"] != self._before

    def _arguments(self, partition: str, limit: int, start: Any) -> dict[str, Any]:
        query = self._query
        condition, names, values = filter_arguments(query)
        end = iso_time(query.until) + "~"
        until = min(self._before, end) if self._before else end
        keys = {":pk": partition, ":since": iso_time(query.since), ":until": until}
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :since AND :until",
            "ExpressionAttributeValues": encode(keys | values),
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        if condition:
            arguments["FilterExpression"] = condition
        if names:
            arguments["ExpressionAttributeNames"] = names
        if limit < _FULL_PAGE:
            arguments["Limit"] = limit
        if start:
            arguments["ExclusiveStartKey"] = start
        return arguments


def _first_limit(want: int, lanes: int) -> int:
    """How many rows to ask one partition for, when so many lanes together are to give `want` pointers."""
    return math.ceil(want * _MARGIN / lanes) + _SPARE_ROWS
