"""Dead letters: shown without being taken, and given back without being lost."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from tests.unit.live_events import envelope, record
from trailbell.cli.dead_letters.dlq import failure_says, find_dead_letters, notification_says, redrive_dead_letters
from trailbell.cli.main import cli
from trailbell.errors import SettingsError


ACCOUNT, REGION = "123456789012", "eu-central-1"
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/x.json.gz"
BODY = json.dumps(
    {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "b"}, "object": {"key": KEY}},
            }
        ]
    }
)
FAILURE = {
    "requestContext": {"condition": "RetryAttemptsExhausted"},
    "DDBStreamBatchInfo": {
        "approximateArrivalOfFirstRecord": "2026-09-01T10:00:00Z",
        "approximateArrivalOfLastRecord": "2026-09-01T10:00:02Z",
        "batchSize": 3,
    },
}


class FakeCloudFormation:
    """Knows one stack with the queues given."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.urls = urls

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        outputs = [{"OutputKey": name, "OutputValue": self.urls[name]} for name in self.urls if "Dead" in name]
        return {"Stacks": [{"StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/s/1", "Outputs": outputs}]}

    def get_paginator(self, name: str) -> "FakeCloudFormation":
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        entries = [
            {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": url} for url in reversed(self.urls.values())
        ]
        return [{"StackResourceSummaries": entries}]


class FakeSqs:
    """moto's SQS with move tasks: refused with an error code, or done in steps."""

    def __init__(self, refusal: str = "", steps: tuple[dict[str, Any], ...] = ()) -> None:
        self._real, self._refusal, self._steps = boto3.client("sqs"), refusal, iter(steps)
        self.calls = list[str]()

    def start_message_move_task(self, SourceArn: str) -> None:  # noqa: N803
        if self._refusal:
            raise ClientError({"Error": {"Code": self._refusal, "Message": ""}}, "StartMessageMoveTask")

    def list_message_move_tasks(self, **_: Any) -> dict[str, Any]:
        return {"Results": [next(self._steps)]}

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._real, name)


class Stack:
    """Its queues, and what the commands are given to talk to it."""

    def __init__(self) -> None:
        sqs = boto3.client("sqs")
        names = ("DeadLetters", "AlertDeadLetters", "IngestQueue")
        self.urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}
        target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:DeadLetters"
        redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 5})
        sqs.set_queue_attributes(QueueUrl=self.urls["IngestQueue"], Attributes={"RedrivePolicy": redrive})
        self.sqs: Any = FakeSqs("InvalidAction")

    def clients(self, service: str, **_: Any) -> Any:
        return {"sqs": self.sqs, "cloudformation": FakeCloudFormation(self.urls)}[service]

    def send(self, name: str, body: str, **attributes: str) -> None:
        given = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
        self.sqs.send_message(QueueUrl=self.urls[name], MessageBody=body, MessageAttributes=given)

    def take(self, name: str) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.urls[name], MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))


@pytest.fixture
def stack(aws: None) -> Stack:
    return Stack()


@pytest.fixture
def run(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Any:
    def invoke(*arguments: str) -> Result:
        monkeypatch.setattr("boto3.client", stack.clients)
        return CliRunner().invoke(cli, ["dlq", *arguments], catch_exceptions=False)

    return invoke


def test_list_names_the_objects_and_takes_nothing_away(stack: Stack, run: Any) -> None:
    """Looking must not change what is looked at."""
    for body in (BODY, "garbage\x1b[2J" * 2000):
        stack.send("DeadLetters", body.replace("\x1b", "\u202e"))
    stack.send("AlertDeadLetters", json.dumps(FAILURE))

    result = run("list", "--format", "jsonl")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["queue"] for line in lines] == ["DeadLetters", "DeadLetters", "AlertDeadLetters"]
    assert sorted(line["says"][0].partition(":")[0] for line in lines) == [
        "3 changes of the table, 2026-09-01T10",
        "s3",
        "unreadable",
    ]
    assert all(line["message"] and line["sent"] and line["receives"] == 1 for line in lines)
    assert "\u202e" not in result.stdout
    assert len(stack.take("DeadLetters")) == 2
    assert len(stack.take("AlertDeadLetters")) == 1
    assert "delete_message" not in stack.sqs.calls


@pytest.mark.parametrize("refusal", ["", "InvalidAction"])
def test_digests_that_were_not_audited_are_shown_and_given_back(refusal: str, stack: Stack, run: Any) -> None:
    """Only a stack with the setting audit has them; they go back to the audit's own queue."""
    for name in ("AuditDeadLetters", "AuditQueue"):
        stack.urls[name] = stack.sqs.create_queue(QueueName=name)["QueueUrl"]
    target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:AuditDeadLetters"
    redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 5})
    stack.sqs.set_queue_attributes(QueueUrl=stack.urls["AuditQueue"], Attributes={"RedrivePolicy": redrive})
    stack.send("AuditDeadLetters", json.dumps({"bucket": "b", "key": "d\u202e.json.gz", "tries": 0}))
    steps = ({"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 1},)
    stack.sqs = FakeSqs(refusal, steps)

    lines = [json.loads(line) for line in run("list", "--format", "jsonl").stdout.splitlines()]
    result = run("redrive")

    assert [(line["queue"], line["says"][0].startswith("s3://b/d")) for line in lines] == [("AuditDeadLetters", True)]
    assert "\u202e" not in lines[0]["says"][0]
    assert "1 messages given back" in result.output
    assert len(stack.take("AuditQueue")) == (1 if refusal else 0), "SQS moves them itself where it can"


def test_list_as_a_table_says_what_undelivered_hits_mean(stack: Stack, run: Any) -> None:
    """The second queue holds positions in a stream, which mean nothing to a person."""
    stack.send("DeadLetters", BODY)
    stack.send("AlertDeadLetters", json.dumps(FAILURE))

    result = run("list")

    assert f"s3://b/{KEY}" in result.stdout
    assert "nobody was notified" in result.stderr


def test_live_event_is_named_and_given_back_like_any_message(stack: Stack, run: Any) -> None:
    """What it is about is what decides whether somebody minds that it waits."""
    body = json.dumps(envelope(record(eventName="Disable\u202eKey")))
    stack.send("DeadLetters", body)

    (line,) = [json.loads(line) for line in run("list", "--format", "jsonl").stdout.splitlines()]
    run("redrive")

    assert line["says"] == [
        r"live event Disable\u202eKey (kms.amazonaws.com), event e-1 of account 111122223333, us-east-1, from aws.kms"
    ]
    assert [message["Body"] for message in stack.take("IngestQueue")] == [body]


def test_list_stops_at_its_limit_and_hides_nothing(stack: Stack) -> None:
    """A full queue is looked at in part; the rest stays visible, too."""
    for _ in range(25):
        stack.send("DeadLetters", BODY)

    assert len(find_dead_letters(stack.clients, "trailbell", 12)) == 12
    assert len(find_dead_letters(stack.clients, "trailbell", 100)) == 25


@pytest.mark.parametrize("body", ["", "[]", '{"DDBStreamBatchInfo": 1, "requestContext": 2}', "{}", "[" * 100_000])
def test_whatever_waits_is_shown(body: str) -> None:
    """What cannot be read is the very thing that ends in a dead-letter queue."""
    assert notification_says(body)[0].startswith("unreadable")
    assert failure_says(body)[0].startswith("unreadable")


def test_redrive_by_hand_sends_before_it_deletes(stack: Stack, run: Any) -> None:
    """A crash in between makes a duplicate, which is harmless, and no loss, which is not."""
    for number in range(12):
        stack.send("DeadLetters", BODY, number=str(number))
    stack.sqs.calls.clear()

    result = run("redrive")

    assert result.stdout == "12 messages given back\n"
    moving = [call for call in stack.sqs.calls if call in ("send_message", "delete_message")]
    assert moving == ["send_message", "delete_message"] * 12
    messages = stack.take("IngestQueue") + stack.take("IngestQueue")
    assert {message["MessageAttributes"]["number"]["StringValue"] for message in messages} == set(map(str, range(12)))
    assert {message["Body"] for message in messages} == {BODY}
    assert stack.take("DeadLetters") == []


def test_redrive_of_an_empty_queue_asks_for_nothing(stack: Stack) -> None:
    """The usual case, in scripts."""
    stack.sqs = FakeSqs("AccessDenied")

    assert redrive_dead_letters(stack.clients, "trailbell") == 0


def test_redrive_prefers_the_services_own_move(stack: Stack) -> None:
    """SQS moves by itself, to wherever each message came from; we wait and report."""
    stack.send("DeadLetters", BODY)
    running = {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 1}
    stack.sqs = FakeSqs(steps=(running, {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 7}))
    pauses = list[float]()

    assert redrive_dead_letters(stack.clients, "trailbell", pauses.append) == 7
    assert pauses == [1]
    assert "receive_message" not in stack.sqs.calls


def test_redrive_says_when_the_service_gives_up_or_takes_long(stack: Stack) -> None:
    """Neither may look like success."""
    stack.send("DeadLetters", BODY)
    stack.sqs = FakeSqs(steps=({"Status": "FAILED", "FailureReason": "AccessDenied"},))
    with pytest.raises(SettingsError, match="AccessDenied"):
        redrive_dead_letters(stack.clients, "trailbell")
    stack.sqs = FakeSqs(steps=({"Status": "RUNNING"},) * 200)
    with pytest.raises(SettingsError, match="SQS goes on"):
        redrive_dead_letters(stack.clients, "trailbell", lambda _: None)


def test_redrive_that_is_denied_is_not_tried_by_hand(stack: Stack, run: Any) -> None:
    """Who may not move may not copy either."""
    stack.send("DeadLetters", BODY)
    stack.sqs = FakeSqs("AccessDenied")

    with pytest.raises(SettingsError, match="AccessDenied"):
        run("redrive")
    assert "send_message" not in stack.sqs.calls
