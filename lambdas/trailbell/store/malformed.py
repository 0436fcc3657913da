"""Bad records: entries of log files that are no records, kept where a person can look at them.

    row           pk                    sk
    bad record    B#{yyyy-mm-dd}        {bucket}/{key}#{index}

The day is the log file's own (in its key), so that a log file read again writes the same rows again.
"""

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.malformed import outline
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.store.dynamo import Row, decode, encode, write_all


MALFORMED = "bad"

_DAY = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/[^/]+\Z", re.ASCII)
_MAX_SORT_KEY = 1000  # DynamoDB takes 1,024 bytes, as S3 does for a key alone
_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class KeptMalformedRecord:
    """A bad record as it was kept. seen_at: when it was last read, UTC; outline: cloudtrail/malformed.py."""

    bucket: str
    key: str
    index: int
    reason: str
    outline: str
    size: int
    seen_at: str


class DynamoMalformedRecords:
    """Keeps bad records in the hit table; its stream's filter keeps their kind from the notifier."""

    def __init__(self, client: Any, table: str, retention_days: int) -> None:
        self._client, self._table, self._retention = client, table, retention_days * _SECONDS

    def keep(self, ref: ObjectRef, malformed: Sequence[MalformedRecord]) -> None:
        """Keep bad records of a log file, each place once. Raises TableError or what botocore raises."""
        now = int(time.time())
        write_all(self._client, self._table, [_row(ref, one, now, now + self._retention) for one in malformed])


def find_malformed(client: Any, table: str, days: Sequence[str]) -> Iterator[KeptMalformedRecord]:
    """The bad records of log files of some days (yyyy-mm-dd), in this order, read page by page as they are taken."""
    for day in days:
        pages = client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encode({":pk": _partition(day)}),
            ConsistentRead=True,
        )
        for page in pages:
            for row in map(decode, page["Items"]):
                if row["expiresAt"] > time.time():  # DynamoDB removes expired rows late
                    names = ("bucket", "key", "index", "reason", "outline", "size", "seenAt")
                    yield KeptMalformedRecord(*(row[name] for name in names))


def _row(ref: ObjectRef, malformed: MalformedRecord, now: int, expires_at: int) -> Row:
    seen_at = datetime.fromtimestamp(now, UTC)
    found = _DAY.search(ref.key)
    return {
        "pk": _partition("-".join(found.groups()) if found else f"{seen_at:%Y-%m-%d}"),
        "sk": _sort_key(ref, malformed.index),
        "kind": MALFORMED,
        "expiresAt": expires_at,
        "bucket": ref.bucket,
        "key": ref.key,
        "index": malformed.index,
        "reason": malformed.reason,
        "outline": outline(malformed.content),
        "size": len(malformed.content),
        "seenAt": f"{seen_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _partition(day: str) -> str:
    return f"B#{day}"


def _sort_key(ref: ObjectRef, index: int) -> str:
    place = f"{ref.bucket}/{ref.key}"
    if len(place.encode()) > _MAX_SORT_KEY:
        place = "sha256-" + hashlib.sha256(place.encode()).hexdigest()
    return f"{place}#{index:08d}"
