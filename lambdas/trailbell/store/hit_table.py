"""The hit table as the functions write it: the detector hits, the notifier delivery records (rows: store/rows.py)."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from trailbell.hits.hit import Hit
from trailbell.store.dynamo import Row, get_all, put_new, write_all
from trailbell.store.rows import HIT, MUTED, QUIET, delivery_key, delivery_row, hit_row, pointer_rows
from trailbell.store.workers import Workers
from trailbell.text.times import DAY_SECONDS


WRITERS = 8
"""Requests at once, over all log files of a batch. More gain nothing: a request is mostly our own CPU time."""


class DynamoHitTable:
    """Keeps hits: pointers first, then the hit's row on condition that it is not there yet.

    In this order a crash in between leaves pointers without a hit, which readers skip and the redelivery
    completes; and only the first INSERT of a hit's row reaches the notifier. Within each of the two
    steps requests are made side by side.
    """

    def __init__(self, client: Any, table: str, retention_days: int) -> None:
        self._client, self._table, self._retention = client, table, retention_days * DAY_SECONDS
        self._workers = Workers(WRITERS)

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new. Raises TableError or what botocore raises."""
        muted_first = sorted(hits, key=lambda hit: not hit.muted_by)  # of one identity, one that is not muted stays
        distinct = {hit.identity: hit for hit in muted_first}.values()
        expires_at = int(time.time()) + self._retention
        pointers = {(row["pk"], row["sk"]): row for hit in distinct for row in pointer_rows(hit, expires_at)}
        write_all(self._client, self._table, pointers.values(), workers=self._workers)
        hit_rows = (hit_row(hit, expires_at) for hit in distinct)
        return sum(self._workers.each(self._put, hit_rows))

    def _put(self, row: Row) -> bool:
        return put_new(self._client, self._table, row, **_gives_way(row))


def _gives_way(row: Row) -> dict[str, Any]:
    """Which row that is there already gives way to a hit's row (the arguments of put_new).

    A quiet replay never replaces a row; a true delivery replaces a quiet one, and is notified. With a dedup window of a
    day, a muted hit gives way to a hit of another event that is not muted.
    """
    if row["kind"] == QUIET:
        return {}
    if row["kind"] == HIT and row.get("once"):
        condition = "kind = :quiet OR (kind = :muted AND eventID <> :event)"
        return {"replacing": condition, "values": {":quiet": QUIET, ":muted": MUTED, ":event": row["eventID"]}}
    return {"replacing": "kind = :quiet", "values": {":quiet": QUIET}}


class DynamoDeliveryRecords:
    """Remembers which hits were notified, in rows of their own, so that a hit's row is written once and never again."""

    def __init__(self, client: Any, table: str, retention_days: int) -> None:
        self._client, self._table, self._retention = client, table, retention_days * DAY_SECONDS

    def notified(self, hits: Sequence[Hit]) -> set[tuple[str, str, str]]:
        """The identities among `hits` that have a delivery record."""
        return delivered_among(self._client, self._table, (hit.identity for hit in hits))

    def record(self, hits: Sequence[Hit]) -> None:
        """Record that hits were notified."""
        expires_at = int(time.time()) + self._retention
        write_all(self._client, self._table, (delivery_row(hit, expires_at) for hit in hits))


def delivered_among(client: Any, table: str, identities: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Those of some hits' identities that have a delivery record. Raises TableError or what botocore raises."""
    keys = {tuple(delivery_key(*identity).items()): identity for identity in identities}
    records = get_all(client, table, map(dict, keys))
    return {keys[("pk", row["pk"]), ("sk", row["sk"])] for row in records}
