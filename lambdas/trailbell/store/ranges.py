"""Rows of one partition between two sort keys, page by page."""

from collections.abc import Iterator
from typing import Any

from trailbell.store.dynamo import Row, decode, encode


AFTER = "$"
"""Follows `#`: at the end of a sort key it is after everything that continues the key."""


def read_range(
    client: Any, table: str, partition: str, since: str, until: str, *, backward: bool = False, page: int = 0
) -> Iterator[Row]:
    """Rows from one sort key to another, both included, strongly consistent; read as far as the caller goes.

    page: how many are read at once; 0 for as many as fit into an answer (1 MB).
    """
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :since AND :until",
        "ExpressionAttributeValues": encode({":pk": partition, ":since": since, ":until": until}),
        "ConsistentRead": True,
        "ScanIndexForward": not backward,
        **({"Limit": page} if page else {}),
    }
    while True:
        answer = client.query(**request)
        yield from map(decode, answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
