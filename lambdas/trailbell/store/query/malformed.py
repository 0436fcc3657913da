"""Malformed records of log files, as a person asks for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trailbell.store.dynamo import decode, encode
from trailbell.store.malformed import malformed_partition
from trailbell.store.rows import is_alive


@dataclass(frozen=True, slots=True)
class KeptMalformedRecord:
    """A malformed record as it was kept. seen_at: when it was last read, UTC; outline: cloudtrail/malformed.py."""

    bucket: str
    key: str
    index: int
    reason: str
    outline: str
    size: int
    seen_at: str


def find_malformed(client: Any, table: str, days: Sequence[str]) -> Iterator[KeptMalformedRecord]:
    """The malformed records of log files of some days (yyyy-mm-dd), in this order, read page by page as taken."""
    for day in days:
        pages = client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encode({":pk": malformed_partition(day)}),
            ConsistentRead=True,
        )
        for page in pages:
            for row in filter(is_alive, map(decode, page["Items"])):
                names = ("bucket", "key", "index", "reason", "outline", "size", "seenAt")
                yield KeptMalformedRecord(*(row[name] for name in names))
