"""Hits nobody was told of: found by their positions in the stream or in the table, and told once."""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from trailbell.alerts.alert import Alert
from trailbell.cli.main import cli
from trailbell.errors import NotificationError
from trailbell.flows.follow_ups import FollowUpNotifier
from trailbell.flows.notifier import Notifier
from trailbell.handlers.notifier import new_hits
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import ACT, Hit
from trailbell.ops.undelivered import read_dropped
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import encode
from trailbell.store.follow_ups import DynamoFollowUps, follow_up_row
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.periods import DynamoPeriods
from trailbell.store.rows import hit_row
from trailbell.store.states import DynamoHitStates
from trailbell.text.times import iso_time


GivenHit = Callable[..., Hit]
SEEN = "2026-09-15T10:04:00Z"  # when the given hits were read (conftest)


class FakeTopic:
    """Takes alerts, but none about the account that is refused."""

    def __init__(self) -> None:
        self.notified, self.followed, self.refused = list[str](), list[tuple[str, str]](), ""

    def notify(self, alert: Alert) -> None:
        if alert.sample.account == self.refused:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "try later"}}, "Publish")
        said = [(hit.hit_id, one.name) for hit, one in zip(alert.hits, alert.follow_ups, strict=False)]
        self.followed += said
        self.notified += [] if said else [hit.hit_id for hit in alert.hits]


class SilentJournal:
    def failed(self, what: str, error: Exception) -> None:
        """Nothing is looked at."""


class FakeStack:
    """A deployed stack: CloudFormation's and Lambda's answers, a notifier that runs here, all else moto's."""

    def __init__(self, dynamodb: Any) -> None:
        sqs = boto3.client("sqs")
        self.sqs, self.dynamodb = sqs, dynamodb
        self.dead_letters = sqs.create_queue(QueueName="AlertDeadLetters")["QueueUrl"]
        self.dead = sqs.create_queue(QueueName="DeadLetters")["QueueUrl"]
        self.topic, self.invocations, self.trimmed = FakeTopic(), 0, False
        records, log = DynamoDeliveryRecords(dynamodb, "hits", 400), SilentJournal()
        stored = DynamoFollowUps(dynamodb, "hits"), DynamoHitStates(dynamodb, "hits")
        follow_ups = FollowUpNotifier(self.topic, records, *stored, log, lambda: 0.0, lambda: SEEN)
        self.notifier = Notifier(self.topic, records, log, lambda: SEEN, clock=lambda: 0.0, follow_ups=follow_ups)

    def get_shard_iterator(self, **_: str) -> None:
        """What the stream says of positions older than a day."""
        raise ClientError({"Error": {"Code": "TrimmedDataAccessException", "Message": ""}}, "GetShardIterator")

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        outputs = {"HitTable": "hits", "AlertDeadLetters": self.dead_letters, "DeadLetters": self.dead}
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]}]}

    def get_paginator(self, _: str) -> "FakeStack":
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        mappings = [{"ResourceType": "AWS::Lambda::EventSourceMapping", "PhysicalResourceId": x} for x in "ab"]
        yield {"StackResourceSummaries": mappings}

    def get_event_source_mapping(self, UUID: str) -> dict[str, str]:  # noqa: N803 (boto3's names)
        source = {"a": "arn:aws:sqs:r:1:feed", "b": "arn:aws:dynamodb:r:1:table/hits/stream/x"}[UUID]
        return {"EventSourceArn": source, "FunctionArn": {"a": "detector", "b": "notifier"}[UUID]}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "notifier"
        self.invocations += 1
        self.notifier.notify(new_hits(json.loads(Payload)))
        return {"Payload": io.BytesIO(b"{}")}

    def keep(self, *hits: Hit, notified: bool = False) -> None:
        DynamoHitTable(self.dynamodb, "hits", 400).keep(hits)
        if notified:
            DynamoDeliveryRecords(self.dynamodb, "hits", 400).record(hits)

    def follow(self, hit: Hit, name: str, at: str = SEEN) -> None:
        """Write a follow-up, as the detector or the clock does."""
        what = What.UNDONE if name == "undone" else What.REMINDER
        said = FollowUp(what, name, at, word="undone" if name == "undone" else "", by="dana", event_name="EnableKey")
        row = follow_up_row(said, hit, int(time.time()) + 1000, SEEN)
        self.dynamodb.put_item(TableName="hits", Item=encode(row))

    def give_up(self, *, last: str = "", since: str = SEEN, until: str = SEEN) -> None:
        """Say of the whole stream so far that it was given up, as Lambda does."""
        streams = boto3.client("dynamodbstreams")
        arn = self.dynamodb.describe_table(TableName="hits")["Table"]["LatestStreamArn"]
        (only,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = streams.get_shard_iterator(StreamArn=arn, ShardId=only["ShardId"], ShardIteratorType="TRIM_HORIZON")
        records = streams.get_records(ShardIterator=start["ShardIterator"])["Records"]
        batch = {
            "streamArn": arn,
            "shardId": only["ShardId"],
            "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": last or records[-1]["dynamodb"]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": since,
            "approximateArrivalOfLastRecord": until,
            "batchSize": len(records),
        }
        body = {"requestContext": {"condition": "RetryAttemptsExhausted"}, "DDBStreamBatchInfo": batch}
        self.sqs.send_message(QueueUrl=self.dead_letters, MessageBody=json.dumps(body))

    def waiting(self) -> int:
        answer = self.sqs.get_queue_attributes(QueueUrl=self.dead_letters, AttributeNames=["All"])["Attributes"]
        assert answer["ApproximateNumberOfMessagesNotVisible"] == "0", "a message that stays must be seen again"
        return int(answer["ApproximateNumberOfMessages"])


@pytest.fixture
def stack(dynamodb: Any, table: str) -> FakeStack:
    return FakeStack(dynamodb)


@pytest.fixture
def run(stack: FakeStack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    moto = boto3.client

    def client(service: str, **options: Any) -> Any:
        ours = ("cloudformation", "lambda", *(["dynamodbstreams"] if stack.trimmed else []))
        return stack if service in ours else moto(service, **options)

    def invoke(*arguments: str) -> Result:
        monkeypatch.setattr("boto3.client", client)
        result = CliRunner().invoke(cli, [*(["dlq"] if arguments[0] != "undelivered" else []), *arguments])
        monkeypatch.setattr("boto3.client", moto)
        return result

    return invoke


Run = Callable[..., Result]


def test_redrive_tells_what_the_stream_still_holds_once(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """The positions of a batch hold told hits, too (Lambda says so of the whole batch): those are not told again."""
    stack.keep(given_hit(1), given_hit(2))
    stack.keep(given_hit(3), notified=True)
    stack.give_up()
    stack.keep(given_hit(4))  # behind those positions: the stream's own business

    first, second = run("redrive"), run("redrive")

    assert sorted(stack.topic.notified) == [given_hit(1).hit_id, given_hit(2).hit_id]
    assert "2 hits notified now, 1 notified before, 0 undelivered" in first.stdout
    assert (first.exit_code, second.exit_code, stack.waiting()) == (0, 0, 0)
    assert second.stdout == "0 messages given back\n"


@pytest.mark.parametrize("trimmed", [True, False])
def test_redrive_finds_in_the_table_what_the_stream_forgot(
    stack: FakeStack, run: Run, given_hit: GivenHit, trimmed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a day the stream is empty; a hit is found by when it was read, whatever its event's time."""
    monkeypatch.setattr("trailbell.ops.undelivered._EMPTY_PAGES", 3)  # moto's open shard never ends
    late = given_hit(2, event_time="2026-01-01T00:00:00Z")
    stack.keep(given_hit(1), late, given_hit(3, seen_at="2026-09-15T08:00:00Z"))
    stack.give_up(last="9" * 20, since="2026-09-15T10:10:00Z", until="2026-09-15T10:10:02Z")
    stack.trimmed = trimmed  # else its end is not there to be seen

    result = run("redrive")

    assert sorted(stack.topic.notified) == [given_hit(1).hit_id, late.hit_id]
    assert (result.exit_code, stack.waiting()) == (0, 0)


def test_message_stays_until_all_its_hits_are_told(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """Deleting it earlier would lose the rest; telling again what was told would page twice."""
    other = given_hit(2, account="444455556666")
    stack.keep(given_hit(1), other)
    stack.give_up()
    stack.topic.refused = "444455556666"

    refused = run("redrive")

    assert "1 hit notified now, 0 notified before, 1 undelivered" in refused.stdout
    assert other.hit_id in refused.stderr
    assert (refused.exit_code, stack.waiting()) == (1, 1)

    stack.topic.refused = ""
    mended = run("redrive")

    assert stack.topic.notified == [given_hit(1).hit_id, other.hit_id]
    assert (mended.exit_code, stack.waiting()) == (0, 0)


def test_row_that_is_no_hit_costs_only_itself_and_is_named(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """A row that another version wrote must be found by a person, not by nobody."""
    stack.keep(given_hit(1))
    row = {**hit_row(given_hit(2), 2_000_000_000), "level": "apocalyptic"}
    stack.dynamodb.put_item(TableName="hits", Item=encode(row))
    stack.give_up()

    result = run("redrive")
    listed = run("undelivered", "--since", "2026-09-01")

    assert stack.topic.notified == [given_hit(1).hit_id]
    assert given_hit(2).hit_id in result.stderr
    assert (result.exit_code, stack.waiting()) == (1, 1)
    assert f"unreadable: H#111122223333#{given_hit(2).event_id}" in listed.stderr


@pytest.mark.parametrize("body", ["", "[]", "{}", "[" * 100_000, '{"DDBStreamBatchInfo": {"streamArn": 1}}'])
def test_message_that_names_nothing_stays(stack: FakeStack, run: Run, body: str) -> None:
    """It may be somebody's only trace of a hit."""
    with pytest.raises(NotificationError):
        read_dropped(body)
    stack.sqs.send_message(QueueUrl=stack.dead_letters, MessageBody=body or "x")

    result = run("redrive")

    assert "stays" in result.stderr
    assert (result.exit_code, stack.waiting(), stack.invocations) == (1, 1, 0)


def test_untold_finds_every_hit_without_a_mark_and_tells_it(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """The check of the last resort: a hit whose message is gone, too, is found; what is on its way is left alone."""
    young = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    stack.keep(given_hit(1), given_hit(2), given_hit(3, seen_at=young))
    stack.keep(given_hit(4), notified=True)
    stack.keep(given_hit(5, muted_by="robots"))

    shown = run("undelivered", "--since", "2026-09-01", "--format", "jsonl")
    notified = run("undelivered", "--since", "2026-09-01", "--deliver")
    again = run("undelivered", "--since", "2026-09-01")

    assert sorted(json.loads(line)["eventID"] for line in shown.stdout.splitlines()) == [
        given_hit(1).event_id,
        given_hit(2).event_id,
    ]
    assert sorted(stack.topic.notified) == [given_hit(1).hit_id, given_hit(2).hit_id]
    assert [shown.exit_code, notified.exit_code, again.exit_code] == [1, 0, 0]


def followed(given_hit: GivenHit, number: int, **members: Any) -> Hit:
    return replace(given_hit(number), kept_as=ACT, undo_links=("link",), **members)


def test_dropped_follow_ups_are_delivered_by_a_redrive(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """A stream batch that was given up may hold follow-ups as well as hits."""
    act = followed(given_hit, 1)
    stack.keep(act, notified=True)
    stack.follow(act, "undone")
    stack.give_up()

    assert run("redrive").exit_code == 0
    assert (stack.topic.followed, stack.topic.notified, stack.waiting()) == ([(act.hit_id, "undone")], [], 0)


@pytest.mark.parametrize("shared", ["", "5a7e"])
def test_undelivered_follow_ups_are_shown_and_delivered_once(
    stack: FakeStack, run: Run, given_hit: GivenHit, shared: str
) -> None:
    """Those of acts that somebody was notified of; the others come with their acts, or nobody is to know of them."""
    act, another = (followed(given_hit, number, shared_event_id=shared and f"{shared}-{number}") for number in (1, 2))
    muted = followed(given_hit, 3, muted_by="robots")
    stack.keep(act, notified=True)
    stack.keep(another, muted)
    for one in (act, another, muted):
        stack.follow(one, "undone")

    shown = run("undelivered", "--since", "2026-09-01")
    lines = run("undelivered", "--since", "2026-09-01", "--format", "jsonl").stdout.splitlines()
    delivered = run("undelivered", "--since", "2026-09-01", "--deliver")
    again = run("undelivered", "--since", "2026-09-01", "--deliver")
    nothing = run("undelivered", "--since", "2026-09-01")

    assert f"follow-up undone of {act.short_id}, {SEEN}: {act.title}" in shown.stdout
    documents = [json.loads(line) for line in lines]
    assert [(one["eventID"], one.get("followUp", {}).get("name")) for one in documents] == [
        (another.event_id, None),
        (act.event_id, "undone"),
    ]
    assert (shown.exit_code, delivered.exit_code, again.exit_code) == (1, 0, 0)
    assert sorted(stack.topic.followed) == [(act.hit_id, "undone"), (another.hit_id, "undone")]
    assert stack.topic.notified == [another.hit_id]
    assert nothing.stdout == "nothing undelivered\n"


def test_reminder_that_is_no_news_any_more_is_not_undelivered(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """It was skipped, and is not sent when somebody looks for what is missing."""
    act = followed(given_hit, 1, undo_until="2026-09-15 10:00:00 UTC")  # four minutes before it is now
    stack.keep(act, notified=True)
    stack.follow(act, "reminder-24h", "2026-09-14T10:00:00Z")

    delivered = run("undelivered", "--since", "2026-09-01", "--deliver")

    assert (delivered.exit_code, stack.topic.followed) == (0, [])
    assert run("undelivered", "--since", "2026-09-01").stdout == "nothing undelivered\n"


def test_held_hits_are_counted_and_left_to_the_clock(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """They are nobody's failure; once their period is over without a delivery record, they are."""
    first, second = (replace(given_hit(number), kept_as="act", rule_id=f"r-{number}") for number in (1, 2))
    stack.keep(first, second)
    periods, now = DynamoPeriods(stack.dynamodb, "hits"), datetime.now(UTC)
    for ago, hit in ((timedelta(minutes=5), first), (timedelta(hours=3), second)):
        opener = replace(hit, event_id=f"opener of {hit.event_id}")
        assert periods.receive(Alert((opener,)), iso_time(now - ago)) == (opener,)
        assert periods.receive(Alert((hit,)), iso_time(now - ago)) == ()

    result = run("undelivered", "--since", "2026-09-01", "--format", "jsonl")

    assert "1 more are held in quiet periods" in result.stderr
    assert [json.loads(line)["eventID"] for line in result.stdout.splitlines()] == [second.event_id]


def test_hit_that_is_over_is_not_told_again(stack: FakeStack, run: Run, given_hit: GivenHit) -> None:
    """DynamoDB removes expired rows late and in any order: the mark of a told hit may be gone before the hit."""
    stack.dynamodb.put_item(TableName="hits", Item=encode(hit_row(given_hit(1), int(time.time()) - 60)))

    result = run("undelivered", "--since", "2026-09-01", "--deliver")

    assert (result.exit_code, stack.topic.notified) == (0, [])


def test_many_hits_are_told_in_calls_that_lambda_takes(
    stack: FakeStack, run: Run, given_hit: GivenHit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An invocation takes 6 MB."""
    monkeypatch.setattr("trailbell.ops.undelivered._HITS_A_CALL", 10)
    row_bytes = len(json.dumps(encode(hit_row(given_hit(1), 1))))
    monkeypatch.setattr("trailbell.ops.undelivered._BYTES_A_CALL", 5 * row_bytes)
    stack.keep(*(given_hit(number) for number in range(21)))

    run("undelivered", "--since", "2026-09-01", "--deliver")

    assert len(stack.topic.notified) == len(set(stack.topic.notified)) == 21
    assert stack.invocations == 6
