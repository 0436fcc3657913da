"""`trailbell explain --event`: the step at which an event stopped is named, with what to do, for each such step."""

import gzip
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from tests.unit.conftest import RULE
from trailbell.alerts.alert import Alert
from trailbell.alerts.quiet import QuietMinutes
from trailbell.cli.main import cli
from trailbell.cloudtrail.origin import NO_PLACE, LiveEvent, Place
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook, RuleException
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.ledger import ReadLog
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.ops.walk.step import State
from trailbell.ops.walk.walk import Asked, EventWalk, Walk
from trailbell.rulebook.canary import canary_rule
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.ledger import DynamoLedger
from trailbell.store.periods import DynamoPeriods
from trailbell.text.times import iso_time


Run = Callable[..., Result]
BUCKET, REGION = "trail", "eu-central-1"
FOLDER = f"AWSLogs/111122223333/CloudTrail/{REGION}/2026/09/15"
FILE = f"{FOLDER}/111122223333_CloudTrail_{REGION}_20260915T1005Z_abcdefghijklmnop.json.gz"
EVENT, AT = "ca7e0000-0000-4000-8000-000000000001", "2026-09-15T10:00:00Z"
SEEN = "2026-09-15T10:09:00Z"
NOW = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)
NIGHTLY = RuleException(
    "nightly", "ops@example.com", "Planned.", "2099-12-31", ["not", ["field", "userAgent", ["any"]]]
)
ONCE = replace(RULE, once_per_day=True)


def record(event_id: str = EVENT, **changes: Any) -> dict[str, Any]:
    members = {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey", "eventTime": AT, "awsRegion": REGION}
    return {**BASE_RECORD, **members, "eventID": event_id, **changes}


class Deployment:
    """A deployed stack: what CloudFormation and Lambda say of it is here, all else is moto's."""

    def __init__(self) -> None:
        sqs, sns, s3 = boto3.client("sqs"), boto3.client("sns"), boto3.client("s3")
        self.queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("Ingest", "Dead", "AlertDead")}
        self.arns = {
            name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            for name, url in self.queues.items()
        }
        self.topic = sns.create_topic(Name="alerts")["TopicArn"]
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.audited, self.states, self.refused = False, {"a": "Enabled", "b": "Enabled"}, set[str]()
        self.variables = {"TRAILBELL_TRAIL_BUCKET": BUCKET, "TRAILBELL_TRAIL_PREFIX": "AWSLogs/"}
        self.rulebook: Rulebook | None = Rulebook((RULE,))

    def clients(self, service: str) -> Any:
        ours = service in ("cloudformation", "lambda")
        return self if ours else _Refusing(boto3.client(service), self.refused)

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        outputs = {
            "HitTable": "hits",
            "TrailBucket": BUCKET,
            "IngestQueue": self.queues["Ingest"],
            "DeadLetters": self.queues["Dead"],
            "AlertDeadLetters": self.queues["AlertDead"],
            "AlertTopic": self.topic,
            **({"AuditDeadLetters": self.queues["Dead"]} if self.audited else {}),
        }
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]}]}

    def get_paginator(self, name: str) -> "_Pages":
        if name == "list_stack_resources":
            kind = "AWS::Lambda::EventSourceMapping"
            return _Pages(StackResourceSummaries=[{"ResourceType": kind, "PhysicalResourceId": one} for one in "ab"])
        assert name == "list_event_source_mappings"
        return _Pages(EventSourceMappings=[self.get_event_source_mapping("a")])

    def get_event_source_mapping(self, UUID: str) -> dict[str, str]:  # noqa: N803 (boto3's names)
        source = {"a": self.arns["Ingest"], "b": "arn:aws:dynamodb:r:1:table/hits/stream/x"}[UUID]
        function = {"a": "detector", "b": "notifier"}[UUID]
        return {"UUID": UUID, "EventSourceArn": source, "FunctionArn": function, "State": self.states[UUID]}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName in ("detector", "notifier")
        return {"Environment": {"Variables": self.variables}}

    def walk(self, event_id: str = EVENT, to: str = "", now: datetime = NOW) -> Walk:
        walker = EventWalk(self.clients, DeployedStack(self.clients, "trailbell"), self.rulebook, now)
        near = datetime.fromisoformat(AT)
        return walker.walk(Asked(event_id, Selection(since=near, until=near), near, to))

    def put(self, *records: dict[str, Any], key: str = FILE, body: bytes = b"") -> None:
        content = body or gzip.compress(json.dumps({"Records": [*records]}).encode())
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)

    def trail(self, *, logging: bool = True) -> None:
        client = boto3.client("cloudtrail")
        client.create_trail(Name="main", S3BucketName=BUCKET)
        if logging:
            client.start_logging(Name="main")

    def deliver(self, **changes: Any) -> Hit:
        """The record's log file comes, is read, and its hit is kept."""
        self.put(record(**changes))
        assert self.rulebook
        hit = HitDetector(self.rulebook).detect_record(record(**changes), SEEN, Place(BUCKET, FILE, 0))
        assert hit
        DynamoHitTable(boto3.client("dynamodb"), "hits", 400).keep([hit])
        return hit

    def publish(self, *hits: Hit) -> None:
        DynamoDeliveryRecords(boto3.client("dynamodb"), "hits", 400).record(hits)

    def subscribe(self, address: str, policy: Mapping[str, Any] | None = None, *, confirmed: bool = True) -> None:
        sns, sqs = boto3.client("sns"), boto3.client("sqs")
        attributes = {"FilterPolicy": json.dumps(policy)} if policy else {}
        if not confirmed:
            sns.subscribe(TopicArn=self.topic, Protocol="email", Endpoint=address)
            return
        arn = sqs.get_queue_attributes(
            QueueUrl=sqs.create_queue(QueueName=address)["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)


class _Pages:
    def __init__(self, **page: Any) -> None:
        self._page = page

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [self._page]


class _Refusing:
    """A client that is not allowed some operations."""

    def __init__(self, client: Any, refused: set[str]) -> None:
        self._client, self._refused = client, refused

    def __getattr__(self, name: str) -> Any:
        if name in self._refused:
            return self._refuse
        if name == "get_paginator" and {"list_objects_v2"} & self._refused:
            return self._refuse
        return getattr(self._client, name)

    def _refuse(self, *_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "Operation")


@pytest.fixture
def stack(table: str) -> Deployment:
    return Deployment()


def ended(walk: Walk) -> tuple[str, str]:
    """Where a walk ended, and its state; every step before it was passed or cannot be seen."""
    step = walk.ended_at
    assert step is walk.steps[-1] if step else True
    assert all(one.state in (State.PASSED, State.UNKNOWN) for one in walk.steps if one is not step)
    if step and step.state is State.STOPPED:
        assert step.action
    return (step.name, str(step.state)) if step else ("", "")


def test_no_trail_writes_into_the_bucket(stack: Deployment) -> None:
    """Without a trail nothing can come."""
    assert ended(stack.walk()) == ("trail", "stopped")


def test_trail_that_is_stopped(stack: Deployment) -> None:
    """The command that starts it is named."""
    stack.trail(logging=False)

    walk = stack.walk()

    assert ended(walk) == ("trail", "stopped")
    assert "aws cloudtrail start-logging --name" in walk.steps[-1].action


def test_no_log_file_holds_it(stack: Deployment) -> None:
    """How many log files were read is said, so that a wrong time is seen."""
    stack.trail()
    stack.put(record("ca7e0000-0000-4000-8000-000000000009"))

    walk = stack.walk()

    assert ended(walk) == ("log file", "stopped")
    assert "not in 1 log file of that time" in walk.steps[-1].said
    assert f"AttributeValue={EVENT}" in walk.steps[-1].action


def test_event_of_just_now_is_waited_for(stack: Deployment) -> None:
    """CloudTrail takes minutes."""
    stack.trail()

    assert ended(stack.walk(now=datetime(2026, 9, 15, 10, 5, tzinfo=UTC))) == ("log file", "waits")


def test_log_files_that_cannot_be_read_are_named(stack: Deployment) -> None:
    """A file that nobody may read may be the one."""
    stack.trail()
    stack.put(body=b"\x1f\x8bbroken")

    (*_, step) = stack.walk().steps

    assert (step.name, step.state) == ("log file", State.UNKNOWN)
    assert FILE in step.said


def test_bucket_that_may_not_be_listed_is_unknown_and_says_what_is_needed(stack: Deployment) -> None:
    """A refusal is no answer, and not the reason either."""
    stack.trail()
    stack.refused = {"list_objects_v2"}

    walk = stack.walk()

    assert ended(walk) == ("", "")
    assert (walk.steps[-1].name, walk.steps[-1].state) == ("log file", State.UNKNOWN)
    assert "s3:ListBucket" in walk.steps[-1].action


def test_object_of_another_prefix_is_ignored(stack: Deployment) -> None:
    """Two trails may share a bucket; only one is the deployment's."""
    stack.put(record(), key=f"other/{FILE}")

    walk = stack.walk()

    assert ended(walk) == ("reading", "stopped")
    assert "trail_prefix" in walk.steps[-1].action


def test_log_file_in_the_dead_letters(stack: Deployment) -> None:
    """It is found by its key, and the message is visible again afterwards."""
    stack.put(record())
    sqs = boto3.client("sqs")
    for key in ("other.json.gz", FILE):
        body = {"s3Bucket": BUCKET, "s3ObjectKey": [key]}
        sqs.send_message(QueueUrl=stack.queues["Dead"], MessageBody=json.dumps(body))

    walk = stack.walk()

    assert ended(walk) == ("reading", "stopped")
    assert "trailbell dlq redrive" in walk.steps[-1].action
    hidden = sqs.get_queue_attributes(QueueUrl=stack.queues["Dead"], AttributeNames=["All"])["Attributes"]
    assert hidden["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_detector_that_is_switched_off(stack: Deployment) -> None:
    """Its messages wait until somebody enables the event source mapping."""
    stack.put(record())
    stack.states["a"] = "Disabled"

    walk = stack.walk()

    assert ended(walk) == ("reading", "stopped")
    assert "--uuid a --enabled" in walk.steps[-1].action


def test_ledger_knows_what_was_not_read(stack: Deployment) -> None:
    """With the audit on it is known; without a message nothing will read it."""
    stack.put(record())
    stack.audited = True

    walk = stack.walk()

    assert ended(walk) == ("reading", "stopped")
    assert "trailbell replay" in walk.steps[-1].action


def test_ledger_and_a_queue_that_is_not_empty(stack: Deployment) -> None:
    """Its message may be one of those."""
    stack.put(record())
    stack.audited = True
    boto3.client("sqs").send_message(QueueUrl=stack.queues["Ingest"], MessageBody="{}")

    assert ended(stack.walk()) == ("reading", "waits")


def test_record_that_is_malformed(stack: Deployment) -> None:
    """A record that is no JSON object costs itself alone, and is matched against nothing."""
    stack.put(body=gzip.compress(b'{"Records": [{"eventID": "' + EVENT.encode() + b'", "x": tru}]}'))

    walk = stack.walk()

    assert ended(walk) == ("record", "stopped")
    assert "trailbell malformed" in walk.steps[-1].action


def test_no_rule_matches(stack: Deployment) -> None:
    """The nearest rules are explained, and how near."""
    stack.rulebook = Rulebook((replace(RULE, detection=["and", [RULE.detection, ["field", "x", ["any"]]]]),))
    stack.put(record())

    walk = stack.walk()

    assert ended(walk) == ("rule", "stopped")
    assert "kms-key-disabled is 1 condition short" in walk.steps[-1].said
    assert walk.explained
    assert [one.condition.obstacles[0].path for one in walk.explained.rules] == ["x"]


def test_no_rule_is_about_the_call(stack: Deployment) -> None:
    """A call that nothing watches leads to alert_on."""
    stack.put(record(eventName="ListKeys"))

    walk = stack.walk()

    assert ended(walk) == ("rule", "stopped")
    assert "alert_on" in walk.steps[-1].action


def test_record_that_repeats_another(stack: Deployment) -> None:
    """The call's own record is the one that alerts."""
    stack.put(record(eventCategory="NetworkActivity"))

    walk = stack.walk()

    assert ended(walk) == ("rule", "stopped")
    assert "repeats" in walk.steps[-1].said


def test_canary_alerts_nobody(stack: Deployment) -> None:
    """It is told as what it is."""
    stack.rulebook = Rulebook((canary_rule(),))
    name = "/trailbell/canary/2026-11-29T01/" + "0" * 32
    members = {"eventSource": "ssm.amazonaws.com", "eventName": "DeleteParameter", "errorCode": "ParameterNotFound"}
    stack.put(record(**members, requestParameters={"name": name}))

    walk = stack.walk()

    assert ended(walk) == ("rule", "stopped")
    assert "canary" in walk.steps[-1].said


def test_rule_is_newer_than_the_reading(stack: Deployment) -> None:
    """Today's rules match it, and it was read by others: a replay makes the hit."""
    stack.put(record())

    walk = stack.walk()

    assert ended(walk) == ("hit", "stopped")
    assert f"trailbell replay s3://{BUCKET}/{FILE} --notify" in walk.steps[-1].action


def test_message_may_still_wait(stack: Deployment) -> None:
    """Without a ledger nobody knows which messages are whose; while some wait, nothing is said to be lost."""
    stack.put(record())
    boto3.client("sqs").send_message(QueueUrl=stack.queues["Ingest"], MessageBody="{}")

    assert ended(stack.walk()) == ("hit", "waits")


def test_hit_of_a_day_is_found_under_the_day(stack: Deployment) -> None:
    """A rule with a window of a day keeps one hit, under the day and not the event."""
    stack.rulebook = Rulebook((ONCE,))
    first = stack.deliver()
    second = "ca7e0000-0000-4000-8000-000000000002"
    stack.put(record(), record(second))

    walk = stack.walk(second)

    assert walk.hit
    assert walk.hit.hit_id == first.hit_id
    assert ended(walk) == ("delivery", "stopped")
    assert any("one hit a day" in step.said for step in walk.steps)


def test_exception_that_mutes_it(stack: Deployment) -> None:
    """Its name, owner and reason."""
    stack.rulebook = Rulebook((replace(RULE, exceptions=(NIGHTLY,)),))
    stack.deliver()

    walk = stack.walk()

    assert ended(walk) == ("exception", "stopped")
    assert all(word in walk.steps[-1].said for word in ("nightly", "ops@example.com", "Planned."))


def test_hit_that_a_live_event_brought_says_so_until_its_log_file_is_read(stack: Deployment, dynamodb: Any) -> None:
    """It has no place in a log file yet; an address of none would send a reader nowhere."""
    hit = stack.deliver()
    other = "ca7e0000-0000-4000-8000-000000000009"
    live = replace(hit, event_id=other, place=NO_PLACE, live=LiveEvent("id", hit.account, hit.region))
    DynamoHitTable(dynamodb, "hits", 400).keep([live])

    walk = stack.walk(other)

    said = {step.name: step.said for step in walk.steps}
    assert "live event" in said["log file"]
    assert "no log file yet" in said["reading"]
    assert not any("s3:///" in text for text in said.values())


def test_quiet_replay(stack: Deployment, dynamodb: Any) -> None:
    """History that is replayed notifies nobody unless asked."""
    stack.put(record())
    hit = HitDetector(Rulebook((RULE,))).detect_record(record(), SEEN, Place(BUCKET, FILE, 0))
    assert hit
    DynamoHitTable(dynamodb, "hits", 400).keep([replace(hit, quiet=True)])

    walk = stack.walk()

    assert ended(walk) == ("exception", "stopped")
    assert "--notify" in walk.steps[-1].action


def test_hit_that_a_quiet_period_holds(stack: Deployment, dynamodb: Any) -> None:
    """When the message goes out is said."""
    periods = DynamoPeriods(dynamodb, "hits", QuietMinutes(60))
    hit = stack.deliver()
    before = replace(hit, event_id="ca7e0000-0000-4000-8000-000000000003")
    now = iso_time(datetime.now(UTC))
    assert periods.receive(Alert((before,)), now) == (before,)
    assert periods.receive(Alert((hit,)), now) == ()

    walk = stack.walk()

    assert ended(walk) == ("delivery", "waits")
    assert "gathered" in walk.steps[-1].said


@pytest.mark.parametrize(("ago", "state"), [(0, "waits"), (3600, "stopped")])
def test_hit_that_a_notifier_has_claimed(stack: Deployment, dynamodb: Any, ago: int, state: str) -> None:
    """A claim is a matter of seconds; one whose lease is over came to nothing."""
    hit = stack.deliver()
    DynamoDeliveryRecords(dynamodb, "hits", 400, clock=lambda: time.time() - ago).claim([hit])

    walk = stack.walk()

    assert ended(walk) == ("delivery", state)
    assert "claimed" in walk.steps[-1].said


def test_notifier_that_is_switched_off(stack: Deployment) -> None:
    """The hit is kept and waits in the stream."""
    stack.deliver()
    stack.states["b"] = "Disabled"

    walk = stack.walk()

    assert ended(walk) == ("delivery", "stopped")
    assert "--uuid b --enabled" in walk.steps[-1].action


def test_alert_in_the_dead_letters(stack: Deployment) -> None:
    """What the stream gave up after its retries is redriven."""
    stack.deliver()
    boto3.client("sqs").send_message(QueueUrl=stack.queues["AlertDead"], MessageBody="{}")

    walk = stack.walk()

    assert ended(walk) == ("delivery", "stopped")
    assert "trailbell dlq redrive" in walk.steps[-1].action


def test_hit_that_nobody_was_notified_of(stack: Deployment) -> None:
    """The last resort."""
    stack.deliver()

    walk = stack.walk()

    assert ended(walk) == ("delivery", "stopped")
    assert walk.steps[-1].action == "trailbell undelivered --deliver"


def test_hit_that_was_no_news_any_more(stack: Deployment, dynamodb: Any) -> None:
    """A record says that it was left out on purpose."""
    DynamoDeliveryRecords(dynamodb, "hits", 400).skip([stack.deliver()])

    assert ended(stack.walk()) == ("delivery", "stopped")


def test_nobody_is_subscribed(stack: Deployment) -> None:
    """The setting that subscribes an address is named."""
    stack.publish(stack.deliver())

    walk = stack.walk()

    assert ended(walk) == ("subscription", "stopped")
    assert "alert_emails" in walk.steps[-1].action


def test_subscription_that_is_not_confirmed(stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """SNS sends nothing before its link was followed."""
    stack.publish(stack.deliver())
    pending = [{"SubscriptionArn": "PendingConfirmation", "Endpoint": "dana@example.com", "Protocol": "email"}]
    monkeypatch.setattr("trailbell.ops.health.Health.subscriptions", lambda *_: pending)

    walk = stack.walk()

    assert ended(walk) == ("subscription", "stopped")
    assert "dana@example.com (not confirmed)" in walk.steps[-1].said


def test_alert_below_the_mails_level(stack: Deployment) -> None:
    """A filter on levels leaves it out; another subscription takes it, and who asks for one is told of that one."""
    stack.publish(stack.deliver())
    stack.subscribe("grave", {"level": ["critical"]})

    below = stack.walk()
    stack.subscribe("all")
    taken, asked = stack.walk(), stack.walk(to="grave")

    assert ended(below) == ended(asked) == ("subscription", "stopped")
    assert "leaves out high" in below.steps[-1].said
    assert ended(taken) == ("", "")
    assert "taken by" in taken.steps[-1].said
    assert ended(stack.walk(to="nobody")) == ("subscription", "stopped")


def test_clocks_own_queue_is_nobody(stack: Deployment) -> None:
    """It takes canaries alone, and is no reader."""
    stack.publish(stack.deliver())
    stack.subscribe("canaries", {"kind": ["canary"]})

    walk = stack.walk()

    assert ended(walk) == ("subscription", "stopped")
    assert walk.steps[-1].said == "nobody is subscribed"


def test_filter_that_cannot_be_decided_here_is_unknown(stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not known is not claimed."""
    stack.publish(stack.deliver())
    stack.subscribe("body")
    monkeypatch.setattr("trailbell.ops.walk.delivery.accepts", lambda *_: None)

    walk = stack.walk()

    assert ended(walk) == ("", "")
    assert walk.steps[-1].state is State.UNKNOWN


def test_channels_say_what_they_want(stack: Deployment) -> None:
    """A channel's level is told beside the hit's."""
    chat = {"TRAILBELL_CHAT_TOPIC_ARN": stack.topic, "TRAILBELL_CHAT_LEVEL": "critical"}
    stack.variables |= {**chat, "TRAILBELL_EVENT_BUS": "bus"}
    stack.publish(stack.deliver())
    stack.subscribe("all")

    (step,) = (one for one in stack.walk().steps if one.name == "channels")

    assert step.said == "of level high: chat does not get it, event bus gets it"


def test_hit_of_an_alert_of_several_names_the_alert(stack: Deployment) -> None:
    """Who looks for a mail of its own finds the one in which it is."""
    hit = stack.deliver()
    first = replace(hit, event_id="ca7e0000-0000-4000-8000-000000000000")
    stack.publish(first, hit)
    stack.subscribe("all")

    (step,) = (one for one in stack.walk().steps if one.name == "delivery")

    assert first.hit_id in step.said


def test_ledger_says_when_it_was_read(stack: Deployment, dynamodb: Any) -> None:
    """A log file that was read, and no hit: then the rules are the reason."""
    stack.audited = True
    stack.put(record(eventName="ListKeys"))
    DynamoLedger(dynamodb, "hits").keep(ReadLog(BUCKET, FILE, "0" * 64, 100, 1, SEEN, False))

    walk = stack.walk()

    assert [step.said for step in walk.steps if step.name == "reading"] == [f"read at {SEEN}, by the ledger"]
    assert ended(walk) == ("rule", "stopped")


@pytest.fixture
def run(stack: Deployment, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, asking that deployment."""
    moto = boto3.client

    def client(service: str, **options: Any) -> Any:
        return stack if service in ("cloudformation", "lambda") else moto(service, **options)

    monkeypatch.setattr("boto3.client", client)
    monkeypatch.setattr("trailbell.cli.explain.command.rulebook_at_hand", lambda *_: _AtHand(stack.rulebook))
    # What the walk itself asks is answered by the deployment's own clients.
    monkeypatch.setattr("trailbell.cli.options.connection.aws_client", client)
    return lambda *arguments: CliRunner().invoke(cli, ["explain", *arguments])


def test_command_prints_the_answer_first(stack: Deployment, run: Run) -> None:
    """Text of 80 columns and JSON of the same walk; exit status 0, for it is an answer and no failure."""
    stack.put(record())

    shown = run("--event", EVENT, "--at", AT)
    as_json = run("--event", EVENT, "--at", AT, "--format", "json")

    assert shown.exit_code == as_json.exit_code == 0, shown.output
    assert shown.stdout.startswith(f"Event {EVENT}: it stopped at: hit")
    longer = [line for line in shown.stdout.splitlines() if len(line) > 80]
    assert all(FILE in line.split()[-1] for line in longer)  # an address to be copied is not broken
    document = json.loads(as_json.stdout)
    assert document["endedAt"] == "hit"
    assert document["rules"][0]["matches"] is True


def test_hit_is_named_by_any_of_its_ids(stack: Deployment, run: Run) -> None:
    """Also one that is kept under a day, whose event's id alone leads nowhere."""
    stack.rulebook = Rulebook((ONCE,))
    hit = stack.deliver()

    shown, whole = run(hit.short_id), run(hit.hit_id)

    assert shown.stdout == whole.stdout
    assert shown.stdout.startswith(f"Event {EVENT}: it stopped at: delivery")
    assert "kms-key-disabled (high): matches, and reports it" in shown.stdout


def test_rule_that_is_named_is_explained_of_the_event(stack: Deployment, run: Run) -> None:
    """Among many rules one is of interest; rules of today that say something else than then are told."""
    stack.deliver()
    stack.rulebook = Rulebook((replace(RULE, detection=["field", "userAgent", ["eq", "curl"]]),))

    shown = run("--event", EVENT, "--at", AT, "--rule", RULE.name)

    assert "today's rules: none reports it" in " ".join(shown.stdout.split())
    assert "NO  userAgent is curl" in shown.stdout


class _AtHand:
    said = "judged by what is deployed"

    def __init__(self, rulebook: Rulebook | None) -> None:
        self.rulebook = rulebook
