"""The hit table as the detector writes it (rows: store/rows.py)."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from trailbell.engine.rulebook import Level
from trailbell.hits.hit import Hit, raised
from trailbell.store.dynamo import Row, get_row, put_new, query, write_all
from trailbell.store.log_places import keep_log_place
from trailbell.store.rows import HIT, MUTED, QUIET, hit_key, hit_row, log_place_key, pointer_rows, read_hit
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
        """Keep hits, each act once; how many were new. Raises TableError or what botocore raises."""
        distinct = {hit.identity: hit for hit in sorted(hits, key=_strength)}.values()
        expires_at = int(time.time()) + self._retention
        pointers = {(row["pk"], row["sk"]): row for hit in distinct for row in pointer_rows(hit, expires_at)}
        write_all(self._client, self._table, pointers.values(), workers=self._workers)
        return sum(self._workers.each(lambda hit: self._keep(hit, expires_at), distinct))

    def _keep(self, hit: Hit, expires_at: int) -> bool:
        there = self._kept_before(hit, expires_at)
        if there is None:
            row = hit_row(hit, expires_at)
            there = put_new(self._client, self._table, row, **_gives_way(row, replay=hit.replayed))
            if there and self._overrules(hit, there):
                there = put_new(self._client, self._table, row, **_gives_way_to_log_file(row))
        if there is None:
            return True
        self._keep_place(hit, there, expires_at)
        if _is_stronger(hit, there):
            stronger = raised(hit, str(there["level"]), str(there.get("name", "")))
            raised_before = put_new(self._client, self._table, hit_row(stronger, expires_at))
            if raised_before:
                self._keep_place(stronger, raised_before, expires_at)
        return False

    def _kept_before(self, hit: Hit, expires_at: int) -> Row | None:
        """The row under which a version before this one kept the same act, by the id of whichever rule, if any.

        Read and not only conditioned on: the rule that reported it then may be gone, and its id with it. Of a row that
        gives way to what a live event brings, the place in a log file is kept.
        """
        if not (hit.kept_as or hit.live):
            return None
        rows = [*query(self._client, self._table, hit_key(*hit.identity)["pk"])]
        quiet = next((read_hit(row) for row in rows if _hands_its_place_on(row, hit)), None)
        if quiet:
            keep_log_place(self._client, self._table, hit.identity, quiet.place, quiet.seen_at, expires_at)
        if not hit.kept_as:
            return None
        return next((row for row in rows if not row.get("keptAs") and row["kind"] in (HIT, MUTED)), None)

    def _overrules(self, hit: Hit, there: Row) -> bool:
        """Whether a log file's hit takes the place of one that is muted because its live event lacked something.

        Once a log file's record was muted, too, its place is known, and that stays: the same log file may come again
        after the exception has expired.
        """
        if not (hit.is_to_notify and hit.place.is_known) or there["kind"] != MUTED or not _is_same_live(hit, there):
            return False
        return get_row(self._client, self._table, log_place_key(*hit.identity)) is None

    def _keep_place(self, hit: Hit, there: Row, expires_at: int) -> None:
        """Keep where the record stands of a hit that a live event brought first, if this is the same record's hit."""
        if hit.place.is_known and _is_same_live(hit, there):
            keep_log_place(self._client, self._table, hit.identity, hit.place, hit.seen_at, expires_at)


def _is_same_live(hit: Hit, there: Mapping[str, Any]) -> bool:
    """Whether a live event has brought the row's hit, and it is of the same record (not of the same day alone)."""
    return bool(there.get("live")) and there["eventID"] == hit.event_id


def _hands_its_place_on(row: Row, hit: Hit) -> bool:
    """Whether a row gives way to what a live event brings, and knows where that record stands in a log file."""
    if row["kind"] != QUIET or hit.quiet or not hit.live or row["eventID"] != hit.event_id:
        return False
    is_same_rule = bool(hit.kept_as) or row["sk"] == hit.identity[2]  # rules with a dedup window have a day's key alike
    return is_same_rule and bool(row["place"].get("key"))


def _strength(hit: Hit) -> tuple[bool, Level]:
    """Of one act's hits in a chunk the strongest that is not muted is kept."""
    return not hit.muted_by, hit.severity


def _is_stronger(hit: Hit, there: Mapping[str, Any]) -> bool:
    """Whether a hit raises the level of an act that was reported before; one that is muted or replayed does not."""
    if hit.muted_by or hit.quiet or not hit.kept_as or there.get("kind") != HIT:
        return False
    return hit.severity > Level[str(there["level"]).upper()]


def _gives_way(row: Row, *, replay: bool) -> dict[str, Any]:
    """Which row that is there already gives way to a hit's row (the arguments of put_new).

    What is quiet never replaces a row; a true delivery replaces a quiet one, and is notified. A replay that notifies
    also replaces a muted one: its exception is gone, or it would be muted again. With a dedup window of a day, a muted
    hit gives way to a hit of another event that is not muted.
    """
    if row["kind"] == QUIET:
        return {}
    if row["kind"] == HIT and replay:
        return {"replacing": "kind IN (:quiet, :muted)", "values": {":quiet": QUIET, ":muted": MUTED}}
    if row["kind"] == HIT and row.get("once"):
        condition = "kind = :quiet OR (kind = :muted AND eventID <> :event)"
        return {"replacing": condition, "values": {":quiet": QUIET, ":muted": MUTED, ":event": row["eventID"]}}
    return {"replacing": "kind = :quiet", "values": {":quiet": QUIET}}


def _gives_way_to_log_file(row: Row) -> dict[str, Any]:
    """The same for a log file's hit that overrules: what a live event brought of the same record, if it is muted."""
    condition = "kind = :muted AND attribute_exists(live) AND eventID = :event"
    return {"replacing": condition, "values": {":muted": MUTED, ":event": row["eventID"]}}
