"""The ledger: which log files were read, and the SHA-256 of what was in them, which is what digests list.

    L#{account}#{region}#{yyyy-mm-ddThh}    {file name}                        what was read first
    L#{account}#{region}#{yyyy-mm-ddThh}    {file name}#{SHA-256, 16 digits}   something else was in it later

    L#late                                  {due hour}#{account}#{region}#{hour}   an hour to be judged then: a log file
                                                                               of it is in no digest, was read late, or
                                                                               had something else in it later

The hour is that in the file's name (of other names, the day of its folder), so that what is read again finds its row.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from trailbell.cloudtrail.digest_key import delivery_span, named_minute
from trailbell.hits.ledger import LedgerHour, ReadLog
from trailbell.store.dynamo import Row, encode, put_new, query
from trailbell.text.digests import stand_in
from trailbell.text.times import DAY_SECONDS, iso_time


LEDGER = "ledger"
DOUBTED = "doubted"
LEDGER_DAYS = 30
"""Kept so long: a digest comes within hours, a backfill digest within days."""

JUDGED_AFTER = timedelta(hours=48)
"""So late a log file may still come to be listed, by a backfill digest."""

_LATE = timedelta(hours=1)
"""What is read later than this after its delivery may be read after its digest, and the next one, were audited."""

_DOUBTED_HOURS = "L#late"
_MAX_NAME = 900  # DynamoDB takes 1,024 bytes, as S3 does for a key alone


class DynamoLedger:
    """Writes and reads the ledger."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def keep(self, read: ReadLog) -> None:
        """Keep that a log file was read; again changes nothing. Raises TableError or what botocore raises."""
        row = _row(read)
        there = put_new(self._client, self._table, row)
        is_another = there is not None and there.get("sha256") != read.sha256
        if is_another:
            put_new(self._client, self._table, {**row, "sk": f"{row['sk']}#{read.sha256[:16]}"})
        if is_another or _is_doubtful(read):
            self.doubt(LedgerHour.of(read.key), read.read_at)

    def read(self, keys: Iterable[str], hours: Iterable[LedgerHour] = ()) -> dict[str, list[Row]]:
        """The rows of log files, by key; none for those that were not read. hours: of which there are all others."""
        found: dict[str, list[Row]] = {key: [] for key in keys}
        whole = set(hours)
        for hour in {*map(LedgerHour.of, found), *whole}:
            for row in self.of_hour(hour):
                if row["key"] in found or hour in whole:
                    found.setdefault(row["key"], []).append(row)
        return found

    def of_hour(self, hour: LedgerHour) -> list[Row]:
        """What was read of the log files of an hour."""
        return list(query(self._client, self._table, f"L#{hour}"))

    def doubt(self, hour: LedgerHour, now: str) -> None:
        """Have an hour judged two days later."""
        due = iso_time(datetime.fromisoformat(now) + JUDGED_AFTER)[:13]
        row = {"pk": _DOUBTED_HOURS, "sk": f"{due}#{hour}", "kind": DOUBTED, "expiresAt": _expiry()}
        self._client.put_item(TableName=self._table, Item=encode(row))

    def doubted(self, now: str) -> Iterator[tuple[LedgerHour, str]]:
        """The hours to be judged by now, and since when."""
        for row in query(self._client, self._table, _DOUBTED_HOURS, "0", now[:13]):
            due, account, region, text = row["sk"].split("#")
            yield LedgerHour(account, region, text), due

    def settle(self, hour: LedgerHour, due: str) -> None:
        """An hour was judged."""
        self._client.delete_item(TableName=self._table, Key=encode({"pk": _DOUBTED_HOURS, "sk": f"{due}#{hour}"}))


def _row(read: ReadLog) -> Row:
    return {
        "pk": f"L#{LedgerHour.of(read.key)}",
        "sk": _name(read.key),
        "kind": LEDGER,
        "expiresAt": _expiry(),
        "bucket": read.bucket,
        "key": read.key,
        "sha256": read.sha256,
        "size": read.size,
        "records": read.records,
        "readAt": read.read_at,
        "repaired": read.repaired,
    }


def _expiry() -> int:
    return int(time.time()) + LEDGER_DAYS * DAY_SECONDS


def _is_doubtful(read: ReadLog) -> bool:
    """Whether a log file was read long after its delivery, by its name, and nobody had asked for it; or its name does
    not say when it was delivered, and is none that CloudTrail gives.
    """
    span = None if read.repaired else delivery_span(read.key)
    if not span:
        return False
    return named_minute(read.key) is None or datetime.fromisoformat(read.read_at) - span[1] > _LATE


def _name(key: str) -> str:
    name = key.rpartition("/")[2].replace("#", "-")
    return name if len(name.encode()) <= _MAX_NAME else stand_in(name)
