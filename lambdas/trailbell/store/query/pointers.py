"""Reading pointers: many partitions at a time, newest first, no more of them than the answer needs.

A question's partitions come in groups (a day's shards, a month's rules), newest group first. Groups are asked for
in waves, one, two, four groups at a time: an answer in the newest group costs one round trip, a search through a
long window doubles its reach with each, and what was read for nothing is never more than what was read for use.
"""

import heapq
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import islice
from typing import Any

from trailbell.hits.query import HitQuery
from trailbell.store.dynamo import decode, encode
from trailbell.store.query.pointer_filter import Pointer, filter_arguments, is_filtered


WORKERS = 16
"""Requests under way at a time; a client's pool of connections should hold as many."""

_LARGEST_WAVE = 8
_LEAST_ROWS = 5
_GROWTH = 4
_ALL = 1500  # pointers of a full page (1 MB): asking for fewer is no limit from here on
_ISO = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class _Page:
    """What one or more requests gave: pointers, and where and how large to go on (start: None at the end)."""

    pointers: Sequence[Pointer]
    limit: int
    start: Any


class PointerReader:
    """Reads the pointers of a question. `want`: how many will be asked for at first; 0 for all there are."""

    def __init__(
        self, client: Any, table: str, pool: Executor, query: HitQuery, want: int = 0, before: str = ""
    ) -> None:
        self._client, self._table, self._pool = client, table, pool
        self._query, self._want, self._before = query, want, before
        self._stopped = threading.Event()

    def read(self, groups: Iterable[list[str]]) -> Generator[Pointer, None, None]:
        """Pointers newest first, each hit once, those left out that cannot answer the question."""
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
        """One partition's pointers; the first page is asked for now, further ones when they are needed."""
        share = -(-self._want * 3 // (2 * lanes)) + _LEAST_ROWS if self._want else _ALL
        limit = share if first or not is_filtered(self._query) else _ALL
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
            found = [pointer for pointer in map(decode, response["Items"]) if self._is_selected(pointer)]
            start, limit = response.get("LastEvaluatedKey"), limit * _GROWTH
            if found or not start or self._stopped.is_set():
                return _Page(found, limit, start)

    def _is_selected(self, pointer: Pointer) -> bool:
        alive = pointer["expiresAt"] > time.time()  # DynamoDB removes expired rows late
        return alive and pointer["sk"] != self._before

    def _arguments(self, partition: str, limit: int, start: Any) -> dict[str, Any]:
        query = self._query
        condition, names, values = filter_arguments(query)
        end = query.until.strftime(_ISO) + "~"
        until = min(self._before, end) if self._before else end
        keys = {":pk": partition, ":since": query.since.strftime(_ISO), ":until": until}
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
        if limit < _ALL:
            arguments["Limit"] = limit
        if start:
            arguments["ExclusiveStartKey"] = start
        return arguments
