"""Both functions as Lambda calls them: events in, rows and alerts out, and every object and record accounted for."""

import gzip
import json
import logging
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.unit.log_files import broken_log_file
from trailbell.aws.clients import Clients
from trailbell.engine.rulebook import dump_rulebook
from trailbell.errors import SettingsError
from trailbell.handlers import detector, notifier
from trailbell.rulebook.build import build_rulebook


ReadRows = Callable[[str], list[dict[str, Any]]]
Receive = Callable[[], list[dict[str, Any]]]
PutLogFile = Callable[..., str]
Stream = Callable[[], dict[str, Any]]
Metrics = Callable[[], dict[str, float]]

RULE = Path(__file__).parents[2] / "rules" / "kms" / "aws_kms_key_disabled.yml"
EXCEPTION = """
title: Keys of a robot
logsource: {product: aws, service: cloudtrail}
owner: ops@example.com
reason: It tests what happens.
expires: 2999-12-31
filter:
    rules: [kms-key-disabled]
    robot: {userAgent: robot}
    condition: not robot
"""
FOLDER = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/09/15"
MAX_BYTES = 1_000_000


class RefusingSns:
    """An SNS client that refuses alerts about one account and passes on all others."""

    def __init__(self, client: Any, refused: str) -> None:
        self.client, self.refused = client, refused

    def publish(self, **request: Any) -> Any:
        if self.refused and request["MessageAttributes"]["account"]["StringValue"] == self.refused:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "try later"}}, "Publish")
        return self.client.publish(**request)


def given_record(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A key was disabled, successfully; `fields` replace the record's own."""
    return {
        "eventVersion": "1.11",
        "eventID": f"ca7e0000-0000-4000-8000-{number:012d}",
        "eventTime": "2026-09-15T10:00:00Z",
        "eventType": "AwsApiCall",
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2",
        "requestParameters": {"keyId": f"11111111-2222-3333-4444-{number:012d}"},
        "userIdentity": {
            "type": "IAMUser",
            "userName": "ci",
            "arn": "arn:aws:iam::111122223333:user/ci",
            "accountId": "111122223333",
        },
    } | fields


def given_notification(*keys: str) -> dict[str, Any]:
    records = [
        {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "trail"}, "object": {"key": key, "size": 1}},
        }
        for key in keys
    ]
    return {"Records": records}


def given_batch(*bodies: dict[str, Any] | str) -> dict[str, Any]:
    """An SQS batch whose message ids are m0, m1, …"""
    messages = [
        {
            "eventSource": "aws:sqs",
            "messageId": f"m{number}",
            "body": body if isinstance(body, str) else json.dumps(body),
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": messages}


def failures(*identifiers: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.fixture(scope="session")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rulebook of one rule (a key was disabled, and it worked) and one exception (by a robot)."""
    folder = tmp_path_factory.mktemp("rulebook")
    (folder / "exceptions").mkdir()
    (folder / "exceptions" / "robot.yml").write_text(EXCEPTION, encoding="utf-8")
    book, _ = build_rulebook(RULE, folder / "exceptions", {}, date.today())
    path = folder / "rulebook.json"
    path.write_text(dump_rulebook(book), encoding="utf-8")
    return path


@pytest.fixture
def cold_start() -> None:
    """Forget what an earlier test's functions built: clients of another moto, a logger on a closed stdout."""
    for cached in (detector._detector, detector._metrics, notifier._parts, notifier._metrics):
        cached.cache_clear()
    for service in ("detector", "notifier"):
        logging.Logger.manager.loggerDict.pop(service, None)


@pytest.fixture(autouse=True)
def environment(
    monkeypatch: pytest.MonkeyPatch, cold_start: None, table: str, topic_arn: str, rulebook: Path
) -> pytest.MonkeyPatch:
    """What the stack tells its functions."""
    monkeypatch.setenv("TRAILBELL_TABLE", table)
    monkeypatch.setenv("TRAILBELL_TOPIC_ARN", topic_arn)
    monkeypatch.setenv("TRAILBELL_RETENTION_DAYS", "400")
    monkeypatch.setenv("TRAILBELL_TRAIL_BUCKET", "trail")
    monkeypatch.setenv("TRAILBELL_TRAIL_PREFIX", "AWSLogs/")
    monkeypatch.setenv("TRAILBELL_MAX_INFLATED_BYTES", str(MAX_BYTES))
    monkeypatch.setenv("TRAILBELL_RULEBOOK", str(rulebook))
    return monkeypatch


@pytest.fixture
def put_log_file(aws: None) -> PutLogFile:
    """Put a log file of some entries, or an object of some bytes, into the trail bucket; its key."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def put(content: Sequence[object] | bytes, name: str = "a", folder: str = FOLDER) -> str:
        key = f"{folder}/{name}.json.gz"
        body = content if isinstance(content, bytes) else gzip.compress(json.dumps({"Records": content}).encode())
        s3.put_object(Bucket="trail", Key=key, Body=body)
        return key

    return put


@pytest.fixture
def stream(dynamodb: Any, table: str) -> Stream:
    """Everything that ever happened to the table, as one stream event without the stack's filter."""

    def read() -> dict[str, Any]:
        streams = boto3.client("dynamodbstreams")
        arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        return {"Records": streams.get_records(ShardIterator=iterator)["Records"]}

    return read


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str]) -> Metrics:
    """What the last invocation counted, as CloudWatch reads it from standard output."""

    def read() -> dict[str, float]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        *_, document = [line for line in lines if "counts" in line]
        for sent in document.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert sent["Namespace"] == "trailbell"
            values = {metric["Name"]: sum(document[metric["Name"]]) for metric in sent["Metrics"]}
            assert values == {name: document["counts"][name] for name in values}
            assert all(values.values()), "a metric costs the same when it is zero"
        return dict(document["counts"])

    return read


def sequence_of(event: dict[str, Any], account: str) -> list[str]:
    """The sequence numbers of an account's new hits in a stream event."""
    return [
        entry["dynamodb"]["SequenceNumber"]
        for entry in event["Records"]
        if entry["eventName"] == "INSERT" and entry["dynamodb"]["Keys"]["pk"]["S"].startswith(f"H#{account}#")
    ]


def test_one_corrupt_object_costs_only_its_own_message(
    put_log_file: PutLogFile, read_rows: ReadRows, metrics: Metrics
) -> None:
    """A batch given back whole reads nine good log files five times over and dead-letters them with the bad one."""
    keys = [put_log_file([given_record(number)], f"file-{number}") for number in range(9)]
    keys.insert(4, put_log_file(b"\x1f\x8b this is no gzip", "corrupt"))

    answer = detector.handler(given_batch(*map(given_notification, keys)), None)

    assert answer == failures("m4")
    assert len(read_rows("hit")) == 9
    counted = metrics()
    assert (counted["ObjectsReceived"], counted["ObjectsRead"], counted["ObjectsFailed"]) == (10, 9, 1)
    assert (counted["MessagesFailed"], counted["HitsNew"]) == (1, 9)


def test_one_corrupt_object_does_not_cost_the_others_of_its_message(
    put_log_file: PutLogFile, read_rows: ReadRows
) -> None:
    """CloudTrail's own notification names several log files at once."""
    keys = [put_log_file([given_record(1)], "first"), "gone.json.gz", put_log_file([given_record(2)], "last")]
    keys[1] = f"{FOLDER}/{keys[1]}"

    answer = detector.handler(given_batch(given_notification(*keys)), None)

    assert answer == failures("m0")
    assert len(read_rows("hit")) == 2


def test_log_file_delivered_three_times_is_one_hit(
    put_log_file: PutLogFile, read_rows: ReadRows, metrics: Metrics
) -> None:
    """S3, SQS and Lambda all deliver at least once."""
    event = given_batch(given_notification(put_log_file([given_record()])))
    new, known = [], []

    for _ in range(3):
        assert detector.handler(event, None) == failures()
        counted = metrics()
        new.append(counted["HitsNew"])
        known.append(counted["HitsKnown"])

    assert (new, known) == ([1, 0, 0], [0, 1, 1])
    assert len(read_rows("hit")) == 1


def test_record_in_two_log_files_is_one_hit(put_log_file: PutLogFile, read_rows: ReadRows) -> None:
    """Trails overlap, and global events stand in the files of two regions."""
    first, second = put_log_file([given_record()], "first"), put_log_file([given_record()], "second")

    detector.handler(given_batch(given_notification(first), given_notification(second)), None)

    assert len(read_rows("hit")) == 1


def test_objects_that_are_no_log_files_are_ignored_and_counted(
    put_log_file: PutLogFile, read_rows: ReadRows, metrics: Metrics
) -> None:
    """Digests share the bucket; read as log files they would fill the dead-letter queue every hour."""
    digest = FOLDER.replace("/CloudTrail/", "/CloudTrail-Digest/")
    insight = FOLDER.replace("/CloudTrail/", "/CloudTrail-Insight/")
    keys = [
        put_log_file([given_record(1)], folder=digest),
        put_log_file([given_record(2)]),
        put_log_file([given_record(3)], folder=insight),
        put_log_file([given_record(4)], folder="AWSLogs/111122223333/Config"),
    ]

    answer = detector.handler(given_batch(given_notification(*keys)), None)

    counted = metrics()
    assert answer == failures()
    assert (counted["ObjectsReceived"], counted["ObjectsRead"], counted["ObjectsIgnored"]) == (4, 1, 3)
    assert [row["eventID"] for row in read_rows("hit")] == [given_record(2)["eventID"]]


def test_every_object_and_record_is_accounted_for(put_log_file: PutLogFile, metrics: Metrics) -> None:
    """Promise 1: what is in no number was lost in silence."""
    records = [
        given_record(1),
        given_record(2, errorCode="AccessDenied"),
        given_record(3, eventName="ListKeys"),
        given_record(4, eventSource="s3.amazonaws.com", eventName="PutObject"),
        {},
        "no record",
        None,
        ["no record"],
    ]
    keys = [
        put_log_file(records),
        put_log_file([], "empty"),
        put_log_file(b"corrupt", "corrupt"),
        f"{FOLDER}/gone.json.gz",
        "elsewhere/object.txt",
    ]

    greeting = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})

    detector.handler(given_batch(*map(given_notification, keys), greeting), None)

    counted = metrics()
    assert counted["NotificationsIgnored"] == 1
    assert counted["RecordsFullyParsed"] == counted["RecordsRead"]
    assert counted["ObjectsReceived"] == counted["ObjectsRead"] + counted["ObjectsIgnored"] + counted["ObjectsFailed"]
    assert [counted[f"Objects{name}"] for name in ("Received", "Read", "Ignored", "Failed")] == [5, 2, 1, 2]
    assert counted["RecordsRead"] == (
        counted["RecordsMatchedAgainstRules"] + counted["RecordsNotWatched"] + counted["RecordsMalformed"]
    )
    # The record without any field is none of CloudTrail's.
    names = ("Read", "MatchedAgainstRules", "NotWatched", "Malformed")
    assert [counted[f"Records{name}"] for name in names] == [8, 2, 2, 4]
    assert counted["CountMismatch"] == 0
    assert counted["BytesInflated"] > len(json.dumps(records))


def test_test_notification_is_done(metrics: Metrics) -> None:
    """S3 sends one whenever notifications are set up; as a failure it would end in the dead-letter queue."""
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "trail", "Time": "2026-09-15T10:00:00.000Z"}

    answer = detector.handler(given_batch(body), None)

    assert answer == failures()
    assert metrics()["ObjectsReceived"] == 0


@pytest.mark.parametrize("body", ["no JSON", "[]", '{"what": "is this"}', '{"Records": []}', '{"Records": [{}]}'])
def test_message_nobody_knows_goes_back_to_the_queue(put_log_file: PutLogFile, read_rows: ReadRows, body: str) -> None:
    """It may stand for a log file, so it belongs into the dead-letter queue and not into nothing."""
    good = given_notification(put_log_file([given_record()]))

    answer = detector.handler(given_batch(body, good), None)

    assert answer == failures("m0")
    assert len(read_rows("hit")) == 1


def test_log_file_over_the_limit_goes_back_to_the_queue(
    put_log_file: PutLogFile, read_rows: ReadRows, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bomb of a few kilobytes must not take the function's memory, nor disappear."""
    bomb = put_log_file([given_record(1, userAgent="x" * MAX_BYTES)], "bomb")
    good = put_log_file([given_record(2)], "good")

    answer = detector.handler(given_batch(given_notification(bomb), given_notification(good)), None)

    assert answer == failures("m0")
    assert len(read_rows("hit")) == 1
    assert f"larger than the limit of {MAX_BYTES} bytes" in capsys.readouterr().out


WHOLE = gzip.compress(json.dumps({"Records": [given_record(7)]}).encode())
POISON = {
    "empty": (b"", "Corrupt"),
    "not gzip, not JSON": (b"-----BEGIN something else", "Corrupt"),
    "gzip cut off": (WHOLE[:-20], "Corrupt"),
    "gzip of something else": (gzip.compress(b"no JSON"), "Corrupt"),
    "garbage after the gzip": (WHOLE + b"garbage", "Corrupt"),
    "a list": (gzip.compress(b"[]"), "Corrupt"),
    "no Records": (gzip.compress(b'{"records": []}'), "Corrupt"),
    "Records null": (gzip.compress(b'{"Records": null}'), "Corrupt"),
    "Records an object": (gzip.compress(b'{"Records": {}}'), "Corrupt"),
    "a bomb": (gzip.compress(b'{"Records": [' + b" " * 20_000_000 + b"]}"), "TooLarge"),
    "gone": (None, "Gone"),
}


@pytest.mark.parametrize("name", POISON)
def test_object_that_is_no_log_file_has_a_named_outcome_and_costs_no_neighbour(
    put_log_file: PutLogFile, read_rows: ReadRows, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whoever is called at night reads a metric's name first, and then one line that says who must act."""
    content, outcome = POISON[name]
    keys = [put_log_file([given_record(n)], f"good-{n}") for n in range(2)]
    keys.insert(1, f"{FOLDER}/gone.json.gz" if content is None else put_log_file(content, "poison"))

    answer = detector.handler(given_batch(*map(given_notification, keys)), None)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (notified,) = [line for line in lines if line.get("level") == "ERROR"]
    *_, counted = [line for line in lines if "_aws" in line]
    assert answer == failures("m1")
    assert {row["eventID"] for row in read_rows("hit")} >= {given_record(n)["eventID"] for n in range(2)}
    assert (counted["ObjectsRead"], counted["ObjectsFailed"], counted[f"ObjectsFailed{outcome}"]) == ([2], [1], [1])
    assert counted["counts"]["CountMismatch"] == 0
    assert (notified["error_type"], notified["outcome"]) == ("LogFileError", outcome)
    assert notified["error"]


BROKEN = {
    "null": b"null",
    "a string": b'"text"',
    "deeper than any stack": b'{"eventName": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "invalid UTF-8": b'{"eventName": "\xff\xfe"}',
    "no JSON": b'{"eventName": DisableKey}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_record_is_kept_for_a_person_and_costs_no_neighbour(
    put_log_file: PutLogFile, read_rows: ReadRows, stream: Stream, metrics: Metrics, name: str
) -> None:
    """Promise 1: one bad record does not cost its neighbours, and is not lost in silence itself."""
    good = [json.dumps(given_record(n)).encode() for n in range(2)]
    key = put_log_file(gzip.compress(b'{"Records": [' + b",".join([good[0], BROKEN[name], good[1]]) + b"]}"))

    answer = detector.handler(given_batch(given_notification(key)), None)

    counted = metrics()
    (kept,) = read_rows("bad")
    assert answer == failures()
    assert len(read_rows("hit")) == 2
    assert (counted["RecordsRead"], counted["RecordsMalformed"], counted["CountMismatch"]) == (3, 1, 0)
    assert (kept["pk"], kept["key"], kept["index"]) == ("B#2026-09-15", key, 1)
    assert kept["reason"].startswith("record ")
    assert notifier.handler(stream(), None) == failures()
    assert metrics()["HitsReceived"] == 2


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b'"n": NaN', id="nan"),
        pytest.param(b'"n": ' + b"9" * 400, id="400-digits"),
        pytest.param(b'"n": ' + b"9" * 5000, id="5000-digits"),
        pytest.param(b'"eventName": "DisableKey"', id="duplicate-key"),
    ],
)
def test_odd_record_is_read_all_the_same(put_log_file: PutLogFile, read_rows: ReadRows, odd: bytes) -> None:
    """Python reads what the standard forbids; refusing it would let whoever writes it hide."""
    text = json.dumps(given_record()).encode()[:-1] + b", " + odd + b"}"

    answer = detector.handler(
        given_batch(given_notification(put_log_file(gzip.compress(b'{"Records": [' + text + b"]}")))), None
    )

    assert answer == failures()
    assert len(read_rows("hit")) == 1


class Context:
    """What Lambda hands over, of a function that has so many seconds left."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def test_function_that_is_nearly_out_of_time_gives_everything_back(
    put_log_file: PutLogFile, metrics: Metrics, read_rows: ReadRows
) -> None:
    """Stopped by Lambda, it would say nothing, and every message would wait for the queue's time-out."""
    event = given_batch(given_notification(put_log_file([given_record()])))

    late = detector.handler(event, Context(5))
    counted = metrics()
    in_time = detector.handler(event, Context(60))

    assert (late, in_time) == (failures("m0"), failures())
    assert (counted["ObjectsReceived"], counted["ObjectsDeferred"], counted["CountMismatch"]) == (1, 1, 0)
    assert len(read_rows("hit")) == 1


def test_failure_is_told_in_one_log_line_that_names_the_object(
    put_log_file: PutLogFile, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dead-letter queue holds a notification only; why it is there stands in the log."""
    key = put_log_file(b"corrupt")

    detector.handler(given_batch(given_notification(key)), None)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (notified,) = [line for line in lines if line.get("level") == "ERROR"]
    assert notified["what"] == f"s3://trail/{key}"
    assert notified["error_type"] == "LogFileError"
    assert "exception" not in notified


def test_entries_that_are_no_records_are_told_with_their_position(
    put_log_file: PutLogFile, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counted alone, nobody can look at what was passed over."""
    key = put_log_file([given_record(1), "no record", given_record(2)])

    detector.handler(given_batch(given_notification(key)), None)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (notified,) = [line for line in lines if line.get("level") == "WARNING"]
    assert (notified["object"], notified["index"]) == (f"s3://trail/{key}", 1)


def test_notification_without_a_queue_is_done(put_log_file: PutLogFile, read_rows: ReadRows) -> None:
    """S3 may be told to invoke the function itself."""
    answer = detector.handler(given_notification(put_log_file([given_record()])), None)

    assert answer == failures()
    assert len(read_rows("hit")) == 1


def test_failure_without_a_queue_is_raised(put_log_file: PutLogFile, metrics: Metrics) -> None:
    """Lambda retries an asynchronous invocation that raised; one that answered is over."""
    event = given_notification(put_log_file(b"corrupt"))

    with pytest.raises(RuntimeError, match="could not be done"):
        detector.handler(event, None)

    assert metrics()["ObjectsFailed"] == 1


def test_metrics_of_a_log_file_that_breaks_off_add_up(put_log_file: PutLogFile, table: str, metrics: Metrics) -> None:
    """Its first half is read, its hits are kept and notified: `0 records, 1 hit` looks like a defect."""
    key = put_log_file(broken_log_file(given_record(1), given_record(2, eventName="ListKeys"), given_record(3)))

    counted = []
    for _ in range(2):
        detector.handler(given_batch(given_notification(key)), None)
        counted.append(metrics())

    names = ("ObjectsFailed", "RecordsRead", "RecordsMatchedAgainstRules", "RecordsNotWatched", "CountMismatch")
    assert [[one[name] for name in names] for one in counted] == [[1, 2, 1, 1, 0], [1, 2, 1, 1, 0]]
    assert [(one["HitsNew"], one["HitsKnown"]) for one in counted] == [(1, 0), (0, 1)]


def test_table_that_cannot_be_written_sends_every_message_back(
    put_log_file: PutLogFile, dynamodb: Any, table: str, metrics: Metrics
) -> None:
    """A hit that was found and not kept was not detected at all."""
    keys = [put_log_file([given_record(number)], f"file-{number}") for number in range(2)]
    dynamodb.delete_table(TableName=table)

    answer = detector.handler(given_batch(*map(given_notification, keys)), None)

    counted = metrics()
    assert answer == failures("m0", "m1")
    assert (counted["ObjectsFailed"], counted["ObjectsRead"], counted["HitsNew"]) == (2, 0, 0)
    assert (counted["RecordsRead"], counted["CountMismatch"]) == (2, 0)


@pytest.mark.parametrize(
    ("handle", "missing"),
    [
        pytest.param(
            detector.handler,
            (
                *("TRAILBELL_TABLE", "TRAILBELL_RETENTION_DAYS", "TRAILBELL_MAX_INFLATED_BYTES"),
                *("TRAILBELL_TRAIL_BUCKET", "TRAILBELL_TRAIL_PREFIX"),
            ),
            id="detector",
        ),
        pytest.param(
            notifier.handler,
            ("TRAILBELL_TABLE", "TRAILBELL_RETENTION_DAYS", "TRAILBELL_TOPIC_ARN"),
            id="notifier",
        ),
    ],
)
def test_missing_environment_is_told_at_once(
    environment: pytest.MonkeyPatch, handle: Callable[[dict[str, Any], object], Any], missing: tuple[str, ...]
) -> None:
    """Told one by one, a deployment is mended three times."""
    for name in ("TABLE", "TOPIC_ARN", "RETENTION_DAYS", "MAX_INFLATED_BYTES", "TRAIL_BUCKET", "TRAIL_PREFIX"):
        environment.delenv(f"TRAILBELL_{name}")

    with pytest.raises(SettingsError) as caught:
        handle({"Records": []}, None)

    assert [name for name in missing if f"{name} is not set" in str(caught.value)] == list(missing)
    assert str(caught.value).count("is not set") == len(missing)


def test_environment_that_is_no_number_is_told(environment: pytest.MonkeyPatch) -> None:
    """A traceback about int() does not say which variable."""
    environment.setenv("TRAILBELL_RETENTION_DAYS", "a year")
    environment.setenv("TRAILBELL_MAX_INFLATED_BYTES", "-1")

    with pytest.raises(SettingsError, match=r"RETENTION_DAYS is 'a year'.*MAX_INFLATED_BYTES is '-1'"):
        detector.handler({"Records": []}, None)


def test_act_is_told_once_however_often_it_was_delivered(
    put_log_file: PutLogFile, stream: Stream, subscribe: Callable[..., Receive], metrics: Metrics
) -> None:
    """Promise 2, from the log file to the inbox: nobody is paged twice for one act."""
    receive = subscribe()
    event = given_batch(given_notification(put_log_file([given_record()])))
    for _ in range(3):
        detector.handler(event, None)

    answer = notifier.handler(stream(), None)

    (envelope,) = receive()
    counted = metrics()
    assert answer == failures()
    assert json.loads(envelope["Message"])["count"] == 1
    assert [counted[name] for name in ("HitsReceived", "HitsNotified", "HitsNotifiedBefore", "HitsFailed")] == [
        1,
        1,
        0,
        0,
    ]
    assert (counted["AlertsSent"], counted["CountMismatch"]) == (1, 0)


def test_only_newly_inserted_hits_are_told(
    put_log_file: PutLogFile, stream: Stream, subscribe: Callable[..., Receive], metrics: Metrics
) -> None:
    """Pointers, marks and expired rows go through the stream as well, should its filter be missing.

    A hit's row that was changed may stand in place of a quiet one, so it is told, unless it was before.
    """
    receive = subscribe()
    detector.handler(given_batch(given_notification(put_log_file([given_record()]))), None)
    event = stream()
    (new_hit,) = [entry for entry in event["Records"] if entry["dynamodb"]["Keys"]["pk"]["S"].startswith("H#")]
    changed = {**new_hit, "eventName": "MODIFY"}
    removed = {"eventName": "REMOVE", "dynamodb": {"Keys": new_hit["dynamodb"]["Keys"], "SequenceNumber": "1"}}
    others = [entry for entry in event["Records"] if entry is not new_hit]

    answer = notifier.handler({"Records": [*others, removed]}, None)

    assert len(others) >= 5
    assert answer == failures()
    assert receive() == []
    assert metrics()["HitsReceived"] == 0
    notifier.handler({"Records": [new_hit]}, None)
    notifier.handler({"Records": [changed]}, None)
    assert len(receive()) == 1
    assert metrics()["HitsNotifiedBefore"] == 1


def test_hit_under_an_exception_is_kept_and_not_told(
    put_log_file: PutLogFile, stream: Stream, subscribe: Callable[..., Receive], read_rows: ReadRows, metrics: Metrics
) -> None:
    """Quiet is not blind: whoever looks must find what the exception kept from the inboxes."""
    receive = subscribe()
    key = put_log_file([given_record(1, userAgent="robot"), given_record(2)])

    detector.handler(given_batch(given_notification(key)), None)
    detected = metrics()
    notifier.handler(stream(), None)

    (muted,), (notified,) = read_rows("muted"), read_rows("hit")
    (envelope,) = receive()
    assert (muted["eventID"], muted["mutedOwner"]) == (given_record(1)["eventID"], "ops@example.com")
    assert (detected["HitsNew"], detected["HitsMuted"]) == (2, 1)
    assert json.loads(envelope["Message"])["hitIds"] == [notified["hitId"]]
    assert metrics()["HitsReceived"] == 1


def test_storm_is_one_alert_with_a_count(
    put_log_file: PutLogFile, stream: Stream, subscribe: Callable[..., Receive], metrics: Metrics
) -> None:
    """Forty mails about forty keys are forty mails that nobody reads."""
    receive = subscribe()
    key = put_log_file([given_record(number) for number in range(40)])
    detector.handler(given_batch(given_notification(key)), None)

    notifier.handler(stream(), None)

    (envelope,) = receive()
    counted = metrics()
    assert json.loads(envelope["Message"])["count"] == 40
    assert (counted["HitsNotified"], counted["AlertsSent"]) == (40, 1)


def test_only_what_could_not_be_told_comes_back_and_is_told_then(
    environment: pytest.MonkeyPatch,
    put_log_file: PutLogFile,
    stream: Stream,
    subscribe: Callable[..., Receive],
    metrics: Metrics,
) -> None:
    """Lambda sends the batch again from the first failure on; those told before must not be told twice."""
    receive = subscribe()
    accounts = ("111111111111", "222222222222", "333333333333")
    records = [given_record(number, recipientAccountId=account) for number, account in enumerate(accounts * 2)]
    detector.handler(given_batch(given_notification(put_log_file(records))), None)
    event = stream()
    sns = RefusingSns(boto3.client("sns"), refused="222222222222")
    given_sns(environment, sns)

    answer = notifier.handler(event, None)

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    counted = metrics()
    assert sorted(failed) == sorted(sequence_of(event, "222222222222"))
    assert [counted[name] for name in ("HitsReceived", "HitsNotified", "HitsNotifiedBefore", "HitsFailed")] == [
        6,
        4,
        0,
        2,
    ]
    assert [account_of(envelope) for envelope in receive()] == ["111111111111", "333333333333"]

    sns.refused = ""
    again = notifier.handler(event, None)

    counted = metrics()
    assert again == failures()
    assert [counted[name] for name in ("HitsReceived", "HitsNotified", "HitsNotifiedBefore", "HitsFailed")] == [
        6,
        2,
        4,
        0,
    ]
    assert [account_of(envelope) for envelope in receive()] == ["222222222222"]


def test_topic_that_is_gone_sends_every_hit_back(
    put_log_file: PutLogFile, stream: Stream, topic_arn: str, read_rows: ReadRows, metrics: Metrics
) -> None:
    """A hit marked as told that nobody heard of is lost."""
    records = [given_record(1), given_record(2, recipientAccountId="222222222222")]
    detector.handler(given_batch(given_notification(put_log_file(records))), None)
    event = stream()
    boto3.client("sns").delete_topic(TopicArn=topic_arn)

    answer = notifier.handler(event, None)

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert sorted(failed) == sorted(sequence_of(event, "111122223333") + sequence_of(event, "222222222222"))
    assert len(failed) == 2
    assert read_rows("told") == []
    assert metrics()["HitsFailed"] == 2


def test_marks_that_cannot_be_read_send_the_whole_batch_back(
    put_log_file: PutLogFile, stream: Stream, subscribe: Callable[..., Receive], dynamodb: Any, table: str
) -> None:
    """Without its marks the notifier cannot know whom it told; a raise brings the batch back untold."""
    receive = subscribe()
    detector.handler(given_batch(given_notification(put_log_file([given_record()]))), None)
    event = stream()
    dynamodb.delete_table(TableName=table)

    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        notifier.handler(event, None)

    assert receive() == []


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_impossible_time_costs_nobody_a_hit(put_log_file: PutLogFile, read_rows: ReadRows, time: str) -> None:
    """Promise 1: one bad record does not cost its neighbours."""
    key = put_log_file([given_record(1, eventTime=time), given_record(2)])

    answer = detector.handler(given_batch(given_notification(key)), None)

    assert answer == failures()
    assert len(read_rows("hit")) == 2


@pytest.mark.parametrize("half", [0xD800, 0xDFFF])
def test_half_a_surrogate_pair_costs_nobody_a_hit(
    put_log_file: PutLogFile, stream: Stream, subscribe: Callable[..., Receive], half: int
) -> None:
    """JSON can hold text that UTF-8 cannot; whoever gets it into a record must not silence the alert about it."""
    receive = subscribe()
    hostile = given_record(1)
    for name in ("awsRegion", "sourceIPAddress", "userAgent", "requestID"):
        hostile[name] = f"a{chr(half)}b"
    hostile["requestParameters"] = {"keyId": f"alias/a{chr(half)}b"}
    key = put_log_file([hostile, given_record(2)])

    detected = detector.handler(given_batch(given_notification(key)), None)
    notified = notifier.handler(stream(), None)

    assert (detected, notified) == (failures(), failures())
    (envelope,) = receive()
    assert json.loads(envelope["Message"])["count"] == 2


def given_sns(environment: pytest.MonkeyPatch, sns: object) -> None:
    """The next cold start gets this SNS client, and everything else as ever."""
    make = Clients.client
    environment.setattr(Clients, "client", lambda self, service: sns if service == "sns" else make(self, service))


def account_of(envelope: dict[str, Any]) -> str:
    return str(json.loads(envelope["Message"])["account"])


def test_hits_kept_and_received_are_written_to_one_metric(
    put_log_file: PutLogFile, stream: Stream, subscribe: Callable[..., Receive], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its minimum tells a notifier that is cut off, which itself can tell nothing."""

    def handed_over() -> list[float]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [value for line in lines if line.get("service") == "handover" for value in line["HitsNotReceived"]]

    detector.handler(given_batch(given_notification(put_log_file([given_record()]))), None)
    kept = handed_over()
    notifier.handler(stream(), None)
    received = handed_over()
    notifier.handler({"Records": []}, None)

    assert (kept, received, handed_over()) == ([1], [0], [])
