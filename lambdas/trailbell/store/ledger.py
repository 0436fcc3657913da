"""The ledger: which log files were read, and the SHA-256 of what was in them, which is what digests list.

    L#{account}#{region}#{yyyy-mm-ddThh}    {file name}                        what was read first
    L#{account}#{region}#{yyyy-mm-ddThh}    {file name}#{SHA-256, 16 digits}   something else was in it later

The hour is that in the file's name (of other names, the day of its folder), so that what is read again finds its row.
"""

import time
from collections.abc import Iterable
from typing import Any

from trailbell.cloudtrail.digest_key import delivery_span
from trailbell.cloudtrail.object_key import classify_key
from trailbell.hits.ledger import ReadLog
from trailbell.store.dynamo import Row, put_new, query
from trailbell.text.digests import stand_in
from trailbell.text.times import DAY_SECONDS, iso_time


LEDGER = "ledger"
LEDGER_DAYS = 30
"""Kept so long: a digest comes within hours, a backfill digest within days."""

_MAX_NAME = 900  # DynamoDB takes 1,024 bytes, as S3 does for a key alone


class DynamoLedger:
    """Writes and reads the ledger."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def keep(self, read: ReadLog) -> None:
        """Keep that a log file was read; again changes nothing. Raises TableError or what botocore raises."""
        row = _row(read)
        there = put_new(self._client, self._table, row)
        if there is not None and there.get("sha256") != read.sha256:
            put_new(self._client, self._table, {**row, "sk": f"{row['sk']}#{read.sha256[:16]}"})

    def read(self, keys: Iterable[str]) -> dict[str, list[Row]]:
        """The rows of log files, by key; none for those that were not read."""
        found: dict[str, list[Row]] = {}
        names: dict[str, dict[str, str]] = {}
        for key in keys:
            found[key] = []
            names.setdefault(_partition(key), {})[_name(key)] = key
        for partition, by_name in names.items():
            for row in query(self._client, self._table, partition):
                name = row["sk"].partition("#")[0]
                if name in by_name and row["key"] == by_name[name]:
                    found[row["key"]].append(row)
        return found


def _row(read: ReadLog) -> Row:
    return {
        "pk": _partition(read.key),
        "sk": _name(read.key),
        "kind": LEDGER,
        "expiresAt": int(time.time()) + LEDGER_DAYS * DAY_SECONDS,
        "bucket": read.bucket,
        "key": read.key,
        "sha256": read.sha256,
        "size": read.size,
        "records": read.records,
        "readAt": read.read_at,
        "repaired": read.repaired,
    }


def _partition(key: str) -> str:
    place, span = classify_key(key), delivery_span(key)
    hour = iso_time(span[0])[:13] if span else "-".join(key.split("/")[-4:-1])
    return f"L#{place.account}#{place.region}#{hour}"


def _name(key: str) -> str:
    name = key.rpartition("/")[2].replace("#", "-")
    return name if len(name.encode()) <= _MAX_NAME else stand_in(name)
