"""Malformed records, kept in the hit table, where a person can look at them (store/query/malformed.py).

    row                 pk                    sk
    malformed record    B#{yyyy-mm-dd}        {bucket}/{key}#{index}

The day is the log file's own (in its key), so that a log file read again writes the same rows again.
"""

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.malformed import outline
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.store.dynamo import Row, write_all
from trailbell.text.digests import stand_in
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.times import DAY_SECONDS, iso_time


MALFORMED = "bad"

_DAY = lazy_pattern(r"/(\d{4})/(\d{2})/(\d{2})/[^/]+\Z", re.ASCII)
_MAX_SORT_KEY = 1000  # DynamoDB takes 1,024 bytes, as S3 does for a key alone


class DynamoMalformedRecords:
    """Keeps malformed records in the hit table; the filter of its stream keeps this kind of row from the notifier."""

    def __init__(self, client: Any, table: str, retention_days: int) -> None:
        self._client, self._table, self._retention = client, table, retention_days * DAY_SECONDS

    def keep(self, ref: ObjectRef, malformed: Sequence[MalformedRecord]) -> None:
        """Keep malformed records of a log file, each place once. Raises TableError or what botocore raises."""
        now = int(time.time())
        write_all(self._client, self._table, [_row(ref, one, now, now + self._retention) for one in malformed])


def _row(ref: ObjectRef, malformed: MalformedRecord, now: int, expires_at: int) -> Row:
    seen_at = datetime.fromtimestamp(now, UTC)
    day = _DAY.search(ref.key)
    return {
        "pk": malformed_partition("-".join(day.groups()) if day else f"{seen_at:%Y-%m-%d}"),
        "sk": _sort_key(ref, malformed.index),
        "kind": MALFORMED,
        "expiresAt": expires_at,
        "bucket": ref.bucket,
        "key": ref.key,
        "index": malformed.index,
        "reason": malformed.reason,
        "outline": outline(malformed.content),
        "size": len(malformed.content),
        "seenAt": iso_time(seen_at),
    }


def malformed_partition(day: str) -> str:
    """The malformed records of log files of one day (yyyy-mm-dd)."""
    return f"B#{day}"


def _sort_key(ref: ObjectRef, index: int) -> str:
    place = f"{ref.bucket}/{ref.key}"
    if len(place.encode()) > _MAX_SORT_KEY:
        place = stand_in(place)
    return f"{place}#{index:08d}"
