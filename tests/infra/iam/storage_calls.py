"""Calls on the trail bucket, the hit table and its stream."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.infra.iam.account import ACCOUNT, REGION
from tests.infra.iam.call import Call
from tests.infra.iam.world import Clients, World


_ROW = {"pk": {"S": "N#1#2"}, "sk": {"S": "3"}}


def s3_calls(world: World, role: str) -> Iterator[Call]:
    bucket, reads = world.bucket, role == "Detector"
    key, version = world.put_log_file()
    secret = "elsewhere/secret.json.gz"
    _, elsewhere = world.put_log_file(key=secret)
    file, place = f"arn:aws:s3:::{bucket}/{key}", f"arn:aws:s3:::{bucket}"
    one = {"Bucket": bucket, "Key": key}
    other = {"Bucket": bucket, "Key": secret}

    def call(action: str, on: str, resource: str, run: Callable[[Any], object], allowed: bool = False) -> Call:
        return Call(role, f"s3:{action}", on, resource, allowed, lambda _, clients: run(clients("s3")))

    yield call("GetObject", "a log file", file, lambda s3: s3.get_object(**one), reads)
    yield call("GetObjectVersion", "a log file", file, lambda s3: s3.get_object(**one, VersionId=version), reads)
    yield call("GetObject", "the trail bucket, elsewhere", f"{place}/{secret}", lambda s3: s3.get_object(**other))
    yield call(
        "GetObjectVersion",
        "the trail bucket, elsewhere",
        f"{place}/{secret}",
        lambda s3: s3.get_object(**other, VersionId=elsewhere),
    )
    yield call(
        "GetObject", "another bucket", "arn:aws:s3:::payroll/x", lambda s3: s3.get_object(Bucket="payroll", Key="x")
    )
    yield call("PutObject", "a log file", file, lambda s3: s3.put_object(**one, Body=b""))
    yield call("DeleteObject", "a log file", file, lambda s3: s3.delete_object(**one))
    yield call("DeleteObjectVersion", "a log file", file, lambda s3: s3.delete_object(**one, VersionId=version))
    yield call("ListBucket", "the trail bucket", place, lambda s3: s3.list_objects_v2(Bucket=bucket))
    yield call("ListBucketVersions", "the trail bucket", place, lambda s3: s3.list_object_versions(Bucket=bucket))
    yield call("DeleteBucket", "the trail bucket", place, lambda s3: s3.delete_bucket(Bucket=bucket))
    yield call(
        "PutBucketPolicy", "the trail bucket", place, lambda s3: s3.put_bucket_policy(Bucket=bucket, Policy="{}")
    )
    yield call(
        "PutBucketNotification",
        "the trail bucket",
        place,
        lambda s3: s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={}),
    )
    yield call("ListAllMyBuckets", "the account", "arn:aws:s3:::*", lambda s3: s3.list_buckets())


def table_calls(world: World, role: str) -> Iterator[Call]:
    hits, detects = world.name("HitsTable"), role == "Detector"
    table = world.name("HitsTable.Arn")
    key = {"TableName": hits, "Key": _ROW}
    put = [{"PutRequest": {"Item": _ROW}}]
    delete = [{"DeleteRequest": {"Key": _ROW}}]
    other_table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/payroll"

    def call(
        action: str, on: str, run: Callable[[Any], object], allowed: bool = False, resource: str = table, row: str = ""
    ) -> Call:
        full = f"dynamodb:{action}"
        return Call(role, full, on, resource, allowed, lambda _, clients: run(clients("dynamodb")), row)

    put_it, mark = "the hit table", "the hit table, a row N#"
    marks = {hits: {"Keys": [_ROW]}}
    yield call("PutItem", mark, lambda ddb: ddb.put_item(TableName=hits, Item=_ROW), True)
    yield call("BatchGetItem", mark, lambda ddb: ddb.batch_get_item(RequestItems=marks), not detects)
    yield call("BatchWriteItem", mark, lambda ddb: ddb.batch_write_item(RequestItems={hits: put}), True)
    # IAM has one action for both kinds of request: who may put in batches may delete in batches.
    yield call(
        "BatchWriteItem", f"{mark}, deleting", lambda ddb: ddb.batch_write_item(RequestItems={hits: delete}), True
    )
    for row in ("H#1#2", "T#2026-09-15#0"):
        yield call("BatchGetItem", f"{put_it}, a row {row[:2]}", lambda _: None, row=row)
        yield call("PutItem", f"{put_it}, a row {row[:2]}", lambda _: None, detects, row=row)
        for how in ("", ", deleting"):
            yield call("BatchWriteItem", f"{put_it}, a row {row[:2]}{how}", lambda _: None, detects, row=row)
    yield call("GetItem", put_it, lambda ddb: ddb.get_item(**key))
    yield call("DeleteItem", put_it, lambda ddb: ddb.delete_item(**key))
    yield call("UpdateItem", put_it, lambda ddb: ddb.update_item(**key))
    yield call("Scan", put_it, lambda ddb: ddb.scan(TableName=hits))

    def query(row: str) -> Callable[[Any], object]:
        values = {":pk": {"S": row}}
        return lambda ddb: ddb.query(
            TableName=hits, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=values
        )

    actor = "P#arn:aws:iam::111122223333:role/Deploy#2026-09"
    yield call("Query", f"{put_it}, a row P#", query(actor), not detects, row=actor if detects else "")
    yield call("Query", f"{put_it}, a row H#", query("H#1#2"), detects, row="H#1#2")
    for row in ("N#1#2", "T#2026-09-15#0", "R#r#2026-09", "X#arn", "A#1#2026-09"):
        yield call("Query", f"{put_it}, a row {row[:2]}", query(row), row=row)
    yield call("DeleteTable", put_it, lambda ddb: ddb.delete_table(TableName=hits))
    yield call("UpdateTable", put_it, lambda ddb: ddb.update_table(TableName=hits, DeletionProtectionEnabled=False))
    yield call(
        "UpdateTimeToLive",
        put_it,
        lambda ddb: ddb.update_time_to_live(
            TableName=hits, TimeToLiveSpecification={"Enabled": True, "AttributeName": "seenAt"}
        ),
    )
    for action, run in {
        "PutItem": lambda ddb: ddb.put_item(TableName="payroll", Item=_ROW),
        "BatchWriteItem": lambda ddb: ddb.batch_write_item(RequestItems={"payroll": put}),
        "BatchGetItem": lambda ddb: ddb.batch_get_item(RequestItems={"payroll": {"Keys": [_ROW]}}),
        "Query": lambda ddb: ddb.query(
            TableName="payroll", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "x"}}
        ),
    }.items():
        yield call(action, "another table", run, resource=other_table)


def stream_calls(world: World, role: str) -> Iterator[Call]:
    tells = role == "Notifier"
    runs: dict[str, Callable[[World, Any, str], object]] = {
        "DescribeStream": lambda _, streams, arn: streams.describe_stream(StreamArn=arn),
        "GetShardIterator": lambda world, streams, arn: streams.get_shard_iterator(**world.shard(arn)),
        "GetRecords": lambda world, streams, arn: streams.get_records(ShardIterator=world.iterator(arn)),
        "ListStreams": lambda _, streams, __: streams.list_streams(),
    }
    ours, others = world.name("HitsTable.StreamArn"), world.other_stream
    for on, arn in {"the hit table's stream": ours, "another stream": others, "the account": "*"}.items():
        for action, run in runs.items():
            if (action == "ListStreams") == (arn == "*"):

                def made(world: World, clients: Clients, run: Any = run, arn: str = arn) -> object:
                    return run(world, clients("dynamodbstreams"), arn)

                yield Call(role, f"dynamodb:{action}", on, arn, tells and arn != others, made)
