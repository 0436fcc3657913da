"""DynamoDB's batch calls, retried until every row is through: they may leave any part of a batch undone."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from trailalert.errors import TableError


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_WRITE_LIMIT = 25
_GET_LIMIT = 100
_ATTEMPTS = 8
_FIRST_PAUSE = 0.05  # seconds, doubled each time: 6 s in all at most

_to_dynamo = TypeSerializer().serialize
_from_dynamo = TypeDeserializer().deserialize

Row = dict[str, Any]


def encode(row: Row) -> Row:
    """A row in DynamoDB's typed JSON."""
    return {name: _to_dynamo(value) for name, value in row.items()}


def decode(item: Row) -> Row:
    """A row from DynamoDB's typed JSON; numbers become int."""
    return {name: _plain(_from_dynamo(value)) for name, value in item.items()}


def write_all(client: Any, table: str, rows: Iterable[Row], pause: Callable[[float], None] = time.sleep) -> None:
    """Put rows (distinct keys), 25 at a time. Raises TableError when some are refused to the end."""
    for batch in _chunks(rows, _WRITE_LIMIT):
        request = {table: [{"PutRequest": {"Item": encode(row)}} for row in batch]}
        for wait in _waits():
            if wait:
                pause(wait)
            request = client.batch_write_item(RequestItems=request).get("UnprocessedItems") or {}
            if not request:
                break
        else:
            raise TableError(f"{table}: {len(request[table])} rows not taken after {_ATTEMPTS} attempts (throttled)")


def get_all(client: Any, table: str, keys: Iterable[Row], pause: Callable[[float], None] = time.sleep) -> Iterator[Row]:
    """The rows under distinct keys, strongly consistent, in any order, missing ones left out."""
    for batch in _chunks(keys, _GET_LIMIT):
        request = {table: {"Keys": [encode(key) for key in batch], "ConsistentRead": True}}
        for wait in _waits():
            if wait:
                pause(wait)
            response = client.batch_get_item(RequestItems=request)
            yield from map(decode, response.get("Responses", {}).get(table, ()))
            request = response.get("UnprocessedKeys") or {}
            if not request:
                break
        else:
            raise TableError(f"{table}: rows not given after {_ATTEMPTS} attempts (throttled)")


def _waits() -> Iterator[float]:
    """How long to wait before each attempt: not at all before the first, then twice as long each time."""
    yield 0.0
    for attempt in range(_ATTEMPTS - 1):
        yield _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries, guards nothing)


def _chunks(rows: Iterable[Row], size: int) -> Iterator[Sequence[Row]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield chunk


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value if isinstance(value, str | bool | None) else int(value)
