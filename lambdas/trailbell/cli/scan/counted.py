"""What correlations count, as the processes of a scan hand it on: numbers, however long names and ids are."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from trailbell.engine.contributing import Group, Values
from trailbell.hits.base_match import BaseMatch


class Counted(NamedTuple):
    """What one record adds to one group of one correlation.

    time: in seconds; identity, value: 64 bits of the SHA-256 of the event's id, and of what is counted.
    rule: position in the correlation's rules; position: of the record in its log file.
    """

    correlation_id: str
    group: Group
    time: int
    identity: int
    rule: int
    value: int
    position: int


def counted_of(match: BaseMatch) -> Iterator[Counted]:
    """What a record adds to all correlations."""
    identity = digest(match.identity)
    for share in match.shares:
        value = value_digest(share.value)
        yield Counted(
            share.correlation.correlation_id, share.group, match.time, identity, share.rule, value, match.record.index
        )


def counted_from(entry: Sequence[Any]) -> Counted:
    """Read what JSON made of it."""
    correlation_id, group, time, identity, rule, value, position = entry
    return Counted(correlation_id, tuple(group), time, identity, rule, value, position)


@lru_cache(1024)  # a record adds the same to several correlations
def value_digest(value: Values) -> int:
    """64 bits that stand for what is counted; 0 for nothing. By JSON: joined, two tuples might be one text."""
    return digest(json.dumps(value)) if value else 0


def digest(text: str) -> int:
    """64 bits that stand for a text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True)
