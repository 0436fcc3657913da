"""A canary goes the whole way through the real adapters, is never a hit, and reaches nobody but its own queue."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from tests.unit.live_events import envelope
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.aws.canary_call import canary_call
from trailbell.aws.canary_queue import SqsCanaryQueue
from trailbell.aws.operations_topic import SnsOperationsTopic
from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.cloudtrail.notification import Item, ObjectRef
from trailbell.engine.rulebook import Rulebook
from trailbell.flows.canary import CanaryRelay, CanaryWatch, StreamCanary
from trailbell.flows.detector import Detector
from trailbell.handlers import clock
from trailbell.hits.canary import Canary, seen_after
from trailbell.hits.detect import HitDetector
from trailbell.hits.due import Due
from trailbell.ops.canary import newest_canary
from trailbell.ops.checks.canary import canary_findings
from trailbell.rulebook.canary import canary_rule
from trailbell.store.canaries import DynamoCanaries
from trailbell.store.due import DynamoDueRows, due_key
from trailbell.store.dynamo import encode
from trailbell.store.hit_table import DynamoHitTable


NOW = "2026-11-20T09:00:00Z"
KEY = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20/111122223333_CloudTrail_eu-central-1_x.json.gz"

Receive = Callable[[], list[dict[str, Any]]]


def call_record(parameter: str) -> dict[str, Any]:
    """What CloudTrail writes of the canary's call."""
    role = "arn:aws:iam::111122223333:role/trailbell-ClockRole"
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/trailbell-ClockRole/trailbell-clock",
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role, "userName": "trailbell-ClockRole"}},
        },
        "eventTime": NOW,
        "eventSource": "ssm.amazonaws.com",
        "eventName": "DeleteParameter",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.1",
        "userAgent": "Botocore",
        "errorCode": "ParameterNotFound",
        "errorMessage": f"Parameter {parameter} not found.",
        "requestParameters": {"name": parameter},
        "responseElements": None,
        "eventID": "ca7e0000-0000-4000-8000-00000000000c",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


@dataclass
class _Noted:
    """The operations topic, whose subjects are noted."""

    topic: SnsOperationsTopic
    subjects: list[str]

    def notify(self, subject: str, text: str) -> None:
        self.subjects.append(subject)
        self.topic.notify(subject, text)


class Chain:
    """The chain, link by link, on moto."""

    def __init__(self, table: str, topic_arn: str) -> None:
        self.table, self.topic_arn = table, topic_arn
        dynamodb, sns, sqs = boto3.client("dynamodb"), boto3.client("sns"), boto3.client("sqs")
        self.dynamodb = dynamodb
        self.canaries = DynamoCanaries(dynamodb, table)
        url = sqs.create_queue(QueueName="canaries")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        only = {"FilterPolicy": json.dumps({"kind": ["canary"]})}
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=only)
        self.topic = SnsAlertTopic(sns, topic_arn)
        self.queue = SqsCanaryQueue(sqs, url)
        operations = sns.create_topic(Name="operations")["TopicArn"]
        self.notified: list[str] = []
        self.watch = CanaryWatch(
            self.canaries,
            self.queue,
            _Noted(SnsOperationsTopic(sns, operations), self.notified),
            DynamoDueRows(dynamodb, table),
            canary_call(boto3.client("ssm")),
            30,
        )
        self.errors: list[str] = []

    def failed(self, what: str, error: Exception) -> None:
        self.errors.append(f"{what}: {error}")

    def foreign(self, ref: ObjectRef) -> None:
        raise AssertionError(str(ref))

    def refused(self, event: Envelope, reason: Refusal) -> None:
        raise AssertionError(f"{event}: {reason}")

    def malformed_record(self, item: Item, index: int, reason: str) -> None:
        self.errors.append(reason)

    def read(self, ref: ObjectRef) -> Iterator[bytes]:
        yield self.log_file

    def detect(self, *parameters: str, live: bool = False) -> Any:
        """Give the detector a log file with a canary's calls, or their live events."""
        records = [call_record(parameter) for parameter in parameters]
        self.log_file = gzip.compress(json.dumps({"Records": records}).encode())
        table = DynamoHitTable(self.dynamodb, self.table, 400)
        finder = HitDetector(Rulebook((canary_rule(),)))
        at = "2026-11-20T09:00:03Z" if live else "2026-11-20T09:05:00Z"
        given: dict[str, Any] = {"canaries": self.canaries, "live_accounts": frozenset[str]()}
        detector = Detector(finder, self, table, self, lambda: at, 10**6, **given)
        if live:
            bodies = [json.dumps(envelope(record, region="eu-central-1")) for record in records]
            return detector.detect_batch([{"messageId": body, "body": body} for body in bodies])[1]
        notification = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
            "bucket": {"name": "trail"}, "object": {"key": KEY, "size": 1}}}]}  # fmt: skip
        return detector.detect(notification, "message")

    def relay(self, canary: Canary) -> list[str]:
        """Give the notifier what the stream holds of a canary."""
        return CanaryRelay(self.topic, self.canaries, self, lambda: "2026-11-20T09:05:02Z").relay(
            [StreamCanary("1", canary, NOW)]
        )


@pytest.fixture
def chain(table: str, topic_arn: str) -> Chain:
    return Chain(table, topic_arn)


def test_canary_goes_the_whole_way_and_comes_back(chain: Chain) -> None:
    """Each link leaves its row, which is what tells operations where one was lost."""
    canary = chain.watch.send("2026-11-20T09", NOW)
    assert canary
    counters = chain.detect(canary.parameter)
    assert chain.relay(canary) == []
    chain.watch.collect("2026-11-20T09:10:00Z")

    assert chain.errors == []
    assert (counters.canaries, counters.hits_new, counters.balanced) == (1, 0, True)
    assert set(chain.canaries.steps("2026-11-20T09")) == {
        "sent", "seen in a log file", "detected", "published", "returned"
    }  # fmt: skip
    assert chain.watch.counters.returned == 1
    assert list(chain.queue.receive()) == []


def given_canary(chain: Chain) -> Canary:
    canary = chain.watch.send("2026-11-20T09", NOW)
    assert canary
    return canary


def test_canary_is_timed_by_each_source_and_comes_back_once(chain: Chain) -> None:
    """The first of the two is published; both are measured, in whichever order they come."""
    canary = given_canary(chain)
    by_live, by_file = chain.detect(canary.parameter, live=True), chain.detect(canary.parameter)
    chain.detect(canary.parameter, live=True)
    chain.relay(canary)
    chain.watch.collect("2026-11-20T09:00:10Z")

    steps = chain.canaries.steps(canary.name)
    assert (by_live.canaries, by_file.canaries, by_file.balanced) == (1, 0, True)
    assert steps["detected"]["at"] == "2026-11-20T09:00:03Z"
    assert seen_after(steps) == "live 3 s, in a log file 300 s"
    measured = newest_canary(chain.canaries, datetime(2026, 11, 20, 10, 30, tzinfo=UTC))
    assert measured
    assert (measured.name, measured.seen) == (canary.name, "live 3 s, in a log file 300 s")
    (finding,) = canary_findings(measured)
    assert finding.meaning.endswith("seen live 3 s, in a log file 300 s after it. This is measured, and not promised.")
    assert newest_canary(chain.canaries, datetime(2026, 11, 21, tzinfo=UTC)) is None
    assert list(canary_findings(None)) == []


def test_canary_that_comes_live_alone_is_reported_at_its_deadline(chain: Chain) -> None:
    """Alerts come, and what EventBridge drops would be lost: that the other source is dead must not go unsaid."""
    canary = given_canary(chain)
    chain.detect(canary.parameter, live=True)
    chain.relay(canary)
    chain.watch.collect("2026-11-20T09:00:10Z")
    due = Due(NOW, "canary", canary.name)

    early = chain.watch.judge(due, "2026-11-20T09:00:10Z"), [*chain.notified]
    assert chain.watch.judge(due, "2026-11-20T09:30:00Z")
    assert chain.watch.judge(due, "2026-11-20T09:35:00Z")

    assert early == (True, [])
    (subject,) = chain.notified
    assert subject == "trailbell: the canary of 2026-11-20T09 came live, and not by a log file"


@pytest.mark.parametrize("comes_after_all", [False, True])
def test_forged_canary_in_a_log_file_stands_for_no_log_file(chain: Chain, comes_after_all: bool) -> None:
    """Its hour can be guessed, its nonce cannot; nor does it keep the true one from being seen."""
    canary = given_canary(chain)
    chain.detect(canary.parameter, live=True)
    chain.relay(canary)
    chain.watch.collect("2026-11-20T09:00:10Z")
    chain.detect(Canary(canary.name, "f" * 32).parameter)
    if comes_after_all:
        chain.detect(canary.parameter)
    assert chain.watch.judge(Due(NOW, "canary", canary.name), "2026-11-20T09:30:00Z")

    assert len(chain.notified) == (0 if comes_after_all else 1)


def test_canary_of_both_sources_is_reported_to_nobody(chain: Chain) -> None:
    canary = given_canary(chain)
    chain.detect(canary.parameter, live=True)
    chain.detect(canary.parameter)
    chain.relay(canary)
    chain.watch.collect("2026-11-20T09:00:10Z")

    assert chain.watch.judge(Due(NOW, "canary", canary.name), "2026-11-20T09:30:00Z")
    assert chain.notified == []


def test_canary_is_no_hit(chain: Chain, read_rows: Callable[[str], list[dict[str, Any]]]) -> None:
    """It must neither be listed, nor mailed, nor counted among what people did."""
    chain.detect(Canary("2026-11-20T09", "0" * 32).parameter)

    assert {row["pk"] for row in read_rows("")} == {"K#2026-11-20T09"}


def test_canary_reaches_no_inbox_that_filters_by_level(chain: Chain, subscribe: Callable[..., Receive]) -> None:
    """Every mail subscription filters by level; a mail an hour would be muted within a day."""
    inbox = subscribe(level=["informational", "low", "medium", "high", "critical"])

    chain.relay(Canary("2026-11-20T09", "0" * 32))

    assert inbox() == []


@pytest.mark.parametrize("name", ["/trailbell/canary/x", "/trailbell/canary/2026-11-20T09/short", "/other/parameter"])
def test_name_that_the_clock_never_gave_is_no_canary(chain: Chain, name: str) -> None:
    """Anybody may call DeleteParameter with any name."""
    counters = chain.detect(name)

    assert counters.canaries == 0
    assert chain.errors == []


def test_due_rows_are_read_from_where_the_clock_ended(chain: Chain) -> None:
    """Hours in between are read one by one, the last one up to now."""

    rows = DynamoDueRows(chain.dynamodb, chain.table)
    due = [Due("2026-11-20T09:30:00Z", "canary", "a"), Due("2026-11-22T10:00:00Z", "canary", "b")]
    later = Due("2026-11-22T10:00:01Z", "canary", "c")
    rows.read_to("2026-11-20T09:00:00Z", "")
    for one in (*due, later):
        rows.add(one)

    found = list(rows.until("2026-11-22T10:00:00Z"))
    assert [replace(one, written="") for one in found] == due
    assert rows.done(found[0])
    rows.read_to("2026-11-22T10:00:00Z", due[1].due_at)
    assert [one.id for one in rows.until("2026-11-22T11:00:00Z")] == ["b", "c"]


def test_due_row_is_deleted_as_it_was_read_or_not_at_all(chain: Chain) -> None:
    """Whoever writes it while the clock is at it asks for something that the clock has not seen."""
    rows, due = DynamoDueRows(chain.dynamodb, chain.table), Due(NOW, "gathered", "g")
    rows.read_to(NOW, "")
    rows.add(due)
    (read,) = rows.until(NOW)
    rows.add_all([due])
    (again,) = rows.until(NOW)

    assert read.written != again.written
    assert not rows.done(read)
    assert list(rows.until(NOW)) == [again]
    assert rows.done(again)
    assert rows.done(again), "another run of the clock was faster, and nothing is left"
    assert list(rows.until(NOW)) == []


def test_due_row_of_a_version_before_is_deleted_too(chain: Chain) -> None:
    """It says nothing of its writing."""
    rows, due = DynamoDueRows(chain.dynamodb, chain.table), Due(NOW, "gathered", "g")
    row = {**due_key(due), "kind": "due", "dueAt": due.due_at, "what": due.kind, "id": due.id}
    chain.dynamodb.put_item(TableName=chain.table, Item=encode(row))
    rows.read_to(NOW, "")

    assert list(rows.until(NOW)) == [due]
    assert rows.done(due)
    assert list(rows.until(NOW)) == []


def test_clock_sends_takes_back_and_counts(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function as Lambda calls it: a schedule's run, one by hand, and one that only takes what has come back."""
    queue = boto3.client("sqs").get_queue_url(QueueName="canaries")["QueueUrl"]
    operations = boto3.client("sns").create_topic(Name="operations")["TopicArn"]
    for name, value in {"TABLE": chain.table, "OPERATIONS_TOPIC_ARN": operations, "CANARY_QUEUE_URL": queue}.items():
        monkeypatch.setenv(f"TRAILBELL_{name}", value)
    monkeypatch.setenv("TRAILBELL_CANARY_MINUTES", "30")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "trailbell")
    clock._parts.cache_clear()

    clock.handler({"time": NOW}, None)
    clock.handler({"time": NOW}, None)
    sent = chain.canaries.steps("2026-11-20T09")["sent"]
    chain.relay(Canary("2026-11-20T09", sent["nonce"]))
    fired = clock.handler({"fire": True}, None)["canary"]
    clock.handler({"collect": True}, None)
    clock._parts.cache_clear()

    assert set(chain.canaries.steps("2026-11-20T09")) >= {"sent", "published", "returned"}
    assert set(chain.canaries.steps(fired)) == {"sent"}
