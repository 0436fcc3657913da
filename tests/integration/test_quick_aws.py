"""What tests change of moto (tests/quick_aws.py) is as moto has it: a transaction that is refused leaves no trace."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from trailbell.store.dynamo import encode


def put(number: int, **more: object) -> dict[str, Any]:
    return {"Put": {"TableName": "hits", "Item": encode({"pk": "p", "sk": str(number), **more})}}


def test_refused_transaction_leaves_rows_and_stream_as_they_were(
    dynamodb: Any, table: str, read_rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    for number in (1, 2):
        dynamodb.put_item(TableName=table, Item=encode({"pk": "p", "sk": str(number), "kind": "hit", "count": 1}))
    before, told = read_rows(""), _stream(dynamodb)
    update = {
        "TableName": table,
        "Key": encode({"pk": "p", "sk": "1"}),
        "UpdateExpression": "SET #count = :two",
        "ExpressionAttributeNames": {"#count": "count"},
        "ExpressionAttributeValues": encode({":two": 2}),
    }
    delete = {"TableName": table, "Key": encode({"pk": "p", "sk": "2"})}
    refused = {"ConditionExpression": "attribute_exists(pk)", "TableName": table, "Key": encode({"pk": "q", "sk": "1"})}
    changes = [put(3, kind="hit"), {"Update": update}, {"Delete": delete}]

    with pytest.raises(ClientError, match="TransactionCanceled"):
        dynamodb.transact_write_items(TransactItems=[*changes, {"ConditionCheck": refused}])
    assert read_rows("") == before
    assert _stream(dynamodb) == told

    dynamodb.transact_write_items(TransactItems=changes)
    after = {(row["sk"], row.get("count")) for row in read_rows("")}
    assert after == {("1", 2), ("3", None)}
    assert [one["eventName"] for one in _stream(dynamodb)[len(told) :]] == ["INSERT", "MODIFY", "REMOVE"]


def _stream(dynamodb: Any) -> list[Any]:
    """What the table's stream holds."""
    streams: Any = boto3.client("dynamodbstreams")
    arn = dynamodb.describe_table(TableName="hits")["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    return list(streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"])
