"""The hit table as the detector writes it and the notifier marks it (rows: store/rows.py)."""

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

    In this order a crash in between leaves pointers without a hit, which readers pass over and the
    redelivery completes; and only the first INSERT of a hit's row reaches the notifier. Within each of the two
    steps requests are made side by side.
    """

    def __init__(self, client: Any, table: str, retention_days: int) -> None:
        self._client, self._table, self._retention = client, table, retention_days * DAY_SECONDS
        self._workers = Workers(WRITERS)

    def keep(self, hits: Sequence[Hit]) -> int:
        """Keep hits, each identity once; how many were new. Raises TableError or what botocore raises."""
        notified_last = sorted(hits, key=lambda hit: not hit.muted_by)  # of one identity, one that is to be told stays
        distinct = {hit.identity: hit for hit in notified_last}.values()
        expires_at = int(time.time()) + self._retention
        pointers = {(row["pk"], row["sk"]): row for hit in distinct for row in pointer_rows(hit, expires_at)}
        write_all(self._client, self._table, pointers.values(), workers=self._workers)
        hit_rows = (hit_row(hit, expires_at) for hit in distinct)
        return sum(self._workers.each(self._put, hit_rows))

    def _put(self, row: Row) -> bool:
        return put_new(self._client, self._table, row, **_gives_way(row))


def _gives_way(row: Row) -> dict[str, Any]:
    """Which row that is there already gives way to a hit's row (the arguments of put_new).

    A quiet replay never takes a row's place; a true delivery takes that of a quiet one, and is told. Where one hit
    stands for a whole day, an act under an exception gives way to another one that is to be told.
    """
    if row["kind"] == QUIET:
        return {}
    if row["kind"] == HIT and row.get("once"):
        condition = "kind = :quiet OR (kind = :muted AND eventID <> :event)"
        return {"replacing": condition, "values": {":quiet": QUIET, ":muted": MUTED, ":event": row["eventID"]}}
    return {"replacing": "kind = :quiet", "values": {":quiet": QUIET}}


class DynamoDeliveryRecords:
    """Remembers which hits were told, in rows of their own, so that the hit's row is written once and never again."""

    def __init__(self, client: Any, table: str, retention_days: int) -> None:
        self._client, self._table, self._retention = client, table, retention_days * DAY_SECONDS

    def notified(self, hits: Sequence[Hit]) -> set[tuple[str, str, str]]:
        """The identities among `hits` that carry a mark."""
        return delivered_among(self._client, self._table, (hit.identity for hit in hits))

    def mark(self, hits: Sequence[Hit]) -> None:
        """Mark hits as told."""
        expires_at = int(time.time()) + self._retention
        write_all(self._client, self._table, (delivery_row(hit, expires_at) for hit in hits))


def delivered_among(client: Any, table: str, identities: Iterable[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    """Those of some hits' identities that carry a mark. Raises TableError or what botocore raises."""
    keys = {tuple(delivery_key(*identity).items()): identity for identity in identities}
    found = get_all(client, table, map(dict, keys))
    return {keys[("pk", row["pk"]), ("sk", row["sk"])] for row in found}
