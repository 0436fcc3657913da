"""DynamoDB's calls: batches repeated until every row is done, for each call may leave any part of one undone; queries
read page by page.

Rows are typed JSON there. boto3 can read and write it, but importing that takes a tenth of a cold start.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from trailbell.errors import TableError
from trailbell.store.workers import Workers


# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_WRITE_LIMIT = 25
GET_LIMIT = 100
_ATTEMPTS = 8
_FIRST_PAUSE = 0.05  # seconds, doubled each time: 6 s in all at most

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
THROTTLED = {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"}
"""Errors that ask to come again later."""

Row = dict[str, Any]
T = TypeVar("T")


def encode(row: Row) -> Row:
    """A row in DynamoDB's typed JSON. Raises TypeError for what our rows never hold (fractions, sets, bytes)."""
    return {name: _typed(value) for name, value in row.items()}


def decode(item: Row) -> Row:
    """A row from DynamoDB's typed JSON; numbers become int."""
    return {name: _plain(value) for name, value in item.items()}


def write_all(
    client: Any,
    table: str,
    rows: Iterable[Row],
    pause: Callable[[float], None] = time.sleep,
    workers: Workers | None = None,
) -> None:
    """Put rows (distinct keys), 25 at a time, side by side with workers. Raises TableError when some are refused
    to the end.
    """

    def write(batch: Sequence[Row]) -> None:
        _write(client, table, batch, pause)

    if workers:
        workers.each(write, batches(rows, _WRITE_LIMIT))
    else:
        for batch in batches(rows, _WRITE_LIMIT):
            write(batch)


def put_new(
    client: Any,
    table: str,
    row: Row,
    pause: Callable[[float], None] = time.sleep,
    *,
    replacing: str = "",
    values: Row | None = None,
    names: Mapping[str, str] | None = None,
) -> Row | None:
    """Put a row if there is none under its key, or one for which `replacing` holds; None, or the row that stays.

    replacing, values, names: a condition on the row that is there, the values it names, and the attributes whose names
    are words of DynamoDB's own. Raises TableError when refused to the end.
    """
    condition: dict[str, Any] = {
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if replacing:
        condition["ConditionExpression"] += f" OR {replacing}"
        condition["ExpressionAttributeValues"] = encode(values or {})
    if names:
        condition["ExpressionAttributeNames"] = dict(names)
    for wait in waits():
        if wait:
            pause(wait)
        try:
            client.put_item(TableName=table, Item=encode(row), **condition)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                return decode(error.response.get("Item", {}))
            if code not in THROTTLED:
                raise
        else:
            return None
    raise TableError(f"{table}: a row not taken after {_ATTEMPTS} attempts (throttled)")


def _write(client: Any, table: str, batch: Sequence[Row], pause: Callable[[float], None]) -> None:
    request = {table: [{"PutRequest": {"Item": encode(row)}} for row in batch]}
    for wait in waits():
        if wait:
            pause(wait)
        try:
            request = client.batch_write_item(RequestItems=request).get("UnprocessedItems") or {}
        except ClientError as error:  # raised when not one row of the batch was taken
            if error.response["Error"]["Code"] not in THROTTLED:
                raise
        if not request:
            return
    raise TableError(f"{table}: {len(request[table])} rows not taken after {_ATTEMPTS} attempts (throttled)")


def get_all(client: Any, table: str, keys: Iterable[Row], pause: Callable[[float], None] = time.sleep) -> Iterator[Row]:
    """The rows under distinct keys, strongly consistent, in any order, missing ones left out."""
    for batch in batches(keys, GET_LIMIT):
        request = {table: {"Keys": [encode(key) for key in batch], "ConsistentRead": True}}
        for wait in waits():
            if wait:
                pause(wait)
            response = client.batch_get_item(RequestItems=request)
            yield from map(decode, response.get("Responses", {}).get(table, ()))
            request = response.get("UnprocessedKeys") or {}
            if not request:
                break
        else:
            raise TableError(f"{table}: rows not given after {_ATTEMPTS} attempts (throttled)")


def query(
    client: Any,
    table: str,
    partition: str,
    since: str = "",
    until: str = "",
    *,
    limit: int = 0,
    page: int = 0,
    backward: bool = False,
) -> Iterator[Row]:
    """The rows of a partition, or those from one sort key to another, both included, in order; strongly consistent, and
    read as they are asked for. Raises what botocore raises.

    limit: how many at most, 0 for all; page: how many are read at once, 0 for as many as fit into an answer (1 MB).
    """
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk" + (" AND sk BETWEEN :since AND :until" if until else ""),
        "ExpressionAttributeValues": encode(
            {":pk": partition, **({":since": since, ":until": until} if until else {})}
        ),
        "ConsistentRead": True,
        "ScanIndexForward": not backward,
    }
    if limit or page:
        request["Limit"] = limit or page
    left = limit
    while True:
        answer = client.query(**request)
        yield from map(decode, answer["Items"])
        left -= len(answer["Items"])
        if "LastEvaluatedKey" not in answer or (limit and left <= 0):
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def get_row(client: Any, table: str, key: Row) -> Row | None:
    """The row under a key, strongly consistent, None if there is none. Raises what botocore raises.

    By a query: whoever may query a partition needs no further right.
    """
    return next(query(client, table, key["pk"], key["sk"], key["sk"]), None)


def waits() -> Iterator[float]:
    """Seconds to wait before each attempt: not at all before the first, then twice as long each time."""
    yield 0.0
    for attempt in range(_ATTEMPTS - 1):
        yield _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311 (spreads retries, guards nothing)


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """The rows, some at a time."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def _typed(value: Any) -> Row:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if value is None:
        return {"NULL": True}
    if isinstance(value, Mapping):
        return {"M": {name: _typed(member) for name, member in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [_typed(member) for member in value]}
    raise TypeError(f"a row cannot hold a {type(value).__name__}")


def _plain(typed: Row) -> Any:
    ((kind, value),) = typed.items()
    if kind == "N":
        return int(value)
    if kind == "M":
        return {name: _plain(member) for name, member in value.items()}
    if kind == "L":
        return [_plain(member) for member in value]
    if kind in ("S", "BOOL"):
        return value
    if kind == "NULL":
        return None
    raise TypeError(f"a row cannot hold DynamoDB's type {kind}")
