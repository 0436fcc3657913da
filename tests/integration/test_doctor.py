"""The doctor: its decisions as tables, and whole examinations of a stack that moto holds."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.main import cli
from trailbell.errors import SettingsError
from trailbell.ops.advice import alarm_advice
from trailbell.ops.answers import Alarm, EventSource, Queue, Trail, TrailStatus
from trailbell.ops.checks.alarms import alarm_findings
from trailbell.ops.checks.events import event_findings, selector_faults
from trailbell.ops.checks.finding import Finding
from trailbell.ops.checks.functions import feed_finding, function_findings
from trailbell.ops.checks.queue_policy import senders, sends_to
from trailbell.ops.checks.source import direct_finding, rules_finding, topic_finding
from trailbell.ops.checks.topics import subscription_findings
from trailbell.ops.checks.trail import trail_findings


ACCOUNT, REGION, BUCKET = "123456789012", "eu-central-1", "the-trail"
NOW = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:trail"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:feed"
TRAIL = Trail("main", f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/main", REGION, "", True, True, False, "")
HEALTHY = TrailStatus(logging=True, delivery_error="", delivered_at=NOW - timedelta(minutes=4))
KMS = "kms.amazonaws.com"
Clients = Callable[[str], Any]


def field(name: str, **tests: list[str]) -> dict[str, Any]:
    return {"Field": name, **tests}


def selector(*fields: Mapping[str, Any], category: str = "Management") -> dict[str, Any]:
    return {"FieldSelectors": [field("eventCategory", Equals=[category]), *fields]}


def policy(service: str, source: str, action: object = "sqs:SendMessage") -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": QUEUE_ARN,
        "Condition": {"ArnLike": {"aws:SourceArn": source}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def queue(allowed: Mapping[str, Any]) -> Queue:
    return Queue("https://feed", QUEUE_ARN, 0, allowed, "")


def states(findings: Any) -> list[str]:
    return [finding.state for finding in findings]


@pytest.mark.parametrize(
    ("classic", "advanced", "words"),
    [
        ([], [], []),
        ([{"ReadWriteType": "All", "IncludeManagementEvents": True}], [], []),
        ([{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}], [], []),
        ([{}], [], []),
        ([{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}], [], ["write events are not recorded"]),
        ([{"IncludeManagementEvents": False}], [], ["No event selector includes management"]),
        ([{"ExcludeManagementEventSources": [KMS]}], [], ["KMS is excluded"]),
        ([{"ExcludeManagementEventSources": ["rdsdata.amazonaws.com"]}], [], []),
        ([{"IncludeManagementEvents": False}, {"ReadWriteType": "All"}], [], []),
        ([], [selector()], []),
        ([], [selector(field("readOnly", Equals=["false"]))], []),
        ([], [selector(field("readOnly", Equals=["true"]))], ["write events are not recorded"]),
        ([], [selector(field("readOnly", NotEquals=["false"]))], ["write events are not recorded"]),
        ([], [selector(field("eventSource", NotEquals=[KMS]))], ["KMS is excluded"]),
        ([], [selector(field("eventSource", NotStartsWith=["kms"]))], ["KMS is excluded"]),
        ([], [selector(field("eventSource", NotEquals=["rdsdata.amazonaws.com"]))], []),
        ([], [selector(field("eventSource", Equals=[KMS]))], ["cloudhsm.amazonaws.com, ssm.amazonaws.com"]),
        ([], [selector(field("eventSource", NotEquals=[KMS])), selector(field("eventSource", Equals=[KMS]))], []),
        ([], [selector(field("readOnly", Equals=["true"])), selector(field("readOnly", Equals=["false"]))], []),
        ([], [selector(field("eventName", Equals=["PutObject"]))], ["write events are not recorded"]),
        ([], [selector(category="Data")], ["No event selector includes management"]),
        ([], [selector(category="Data"), selector()], []),
        ([], [{"FieldSelectors": [field("readOnly", Equals=["false"])]}], ["No event selector includes management"]),
    ],
)
def test_selector_faults_are_what_the_trail_does_not_record(
    classic: list[dict[str, Any]], advanced: list[dict[str, Any]], words: list[str]
) -> None:
    """An excluded KMS is the quietest way to blind the product; a second selector may heal the first."""
    faults = selector_faults(classic, advanced)

    assert len(faults) == len(words)
    assert all(word in fault for word, fault in zip(words, faults, strict=True))


def test_each_selector_fault_says_how_to_fix_it() -> None:
    """The command is there to be copied."""
    (finding,) = event_findings(TRAIL, [{"ExcludeManagementEventSources": [KMS]}], [])

    assert finding.state == "problem"
    assert f"put-event-selectors --region {REGION} --trail-name {TRAIL.arn}" in finding.fix


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "ok"),
        ({"logging": False}, "problem"),
        ({"delivery_error": "AccessDenied"}, "problem"),
        ({"delivered_at": NOW - timedelta(hours=3)}, "warning"),
        ({"delivered_at": None}, "warning"),
    ],
)
def test_trail_status_is_judged(change: dict[str, Any], expected: str) -> None:
    """A trail that was stopped, or may no longer write, looks fine in its settings."""
    found = states(trail_findings(TRAIL, replace(HEALTHY, **change), NOW))

    assert [state for state in found if state != "ok"] == ([] if expected == "ok" else [expected])


def test_a_trail_of_one_region_and_without_digest_files_is_found() -> None:
    """Both are settings an attacker, or thrift, turns off."""
    weak = Trail("weak", TRAIL.arn, REGION, "", False, False, False, "")

    assert states(trail_findings(weak, HEALTHY, NOW)) == ["ok", "problem", "warning", "ok"]


@pytest.mark.parametrize(
    ("events", "prefix", "trail_prefixes", "source", "expected"),
    [
        (["s3:ObjectCreated:*"], "AWSLogs/", {""}, BUCKET, "ok"),
        (["s3:ObjectCreated:*"], "", {"mine"}, BUCKET, "ok"),
        (["s3:ObjectCreated:Put"], "AWSLogs/", set(), BUCKET, "ok"),
        (["s3:ObjectCreated:*"], "AWSLogs/", {"mine"}, BUCKET, "problem"),
        (["s3:ObjectRemoved:*"], "AWSLogs/", {""}, BUCKET, "problem"),
        (["s3:ObjectCreated:*"], "AWSLogs/", {""}, "another", "problem"),
    ],
)
def test_the_buckets_notification_must_cover_the_trail_and_be_let_in(
    events: list[str], prefix: str, trail_prefixes: set[str], source: str, expected: str
) -> None:
    """A notification that is there but filtered or refused is the fault nobody sees."""
    rules = [{"Name": "Prefix", "Value": prefix}] if prefix else []
    entry = {"QueueArn": QUEUE_ARN, "Events": events, "Filter": {"Key": {"FilterRules": rules}}}
    allowed = policy("s3.amazonaws.com", f"arn:aws:s3:::{source}")

    assert direct_finding([entry], queue(allowed), BUCKET, trail_prefixes).state == expected


def test_senders_are_read_from_the_queues_policy() -> None:
    """Policies come with one thing or a list of them, with and without conditions."""
    open_to_all = {"Statement": {"Effect": "Allow", "Principal": {"Service": ["s3.amazonaws.com"]}, "Action": "sqs:*"}}
    refusing = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*"}]}

    assert senders(queue(policy("sns.amazonaws.com", TOPIC, ["SQS:SendMessage"]))) == [("sns.amazonaws.com", TOPIC)]
    assert sends_to(queue(open_to_all), "s3.amazonaws.com", "arn:aws:s3:::any")
    assert sends_to(queue(policy("s3.amazonaws.com", "arn:*:s3:::the-*")), "s3.amazonaws.com", f"arn:aws:s3:::{BUCKET}")
    assert senders(queue(refusing)) == senders(queue({})) == []


@pytest.mark.parametrize(
    ("subscription", "notified", "expected"),
    [
        (f"{TOPIC}:1", {TOPIC}, "ok"),
        (f"{TOPIC}:1", set(), "unknown"),
        (f"{TOPIC}:1", {"arn:aws:sns:other"}, "problem"),
        ("PendingConfirmation", {TOPIC}, "problem"),
        ("", {TOPIC}, "problem"),
    ],
)
def test_a_topic_that_is_the_source_must_be_subscribed_and_notified(
    subscription: str, notified: set[str], expected: str
) -> None:
    """Two links of the chain, each of which can be missing."""
    entries = [{"Endpoint": QUEUE_ARN, "SubscriptionArn": subscription}] if subscription else []

    assert topic_finding(TOPIC, entries, QUEUE_ARN, notified).state == expected


@pytest.mark.parametrize(
    ("rule", "sends", "expected"),
    [("ENABLED", True, "ok"), ("DISABLED", True, "problem"), ("ENABLED", False, "problem")],
)
def test_eventbridge_as_the_source_must_be_on_at_both_ends(rule: str, sends: bool, expected: str) -> None:
    """The rule here, the switch at the bucket."""
    assert rules_finding({"created": rule}, sends=sends).state == expected


@pytest.mark.parametrize(
    ("arns", "expected"),
    [
        ([], ["problem"]),
        (["PendingConfirmation"], ["problem"]),
        ([f"{TOPIC}:1", "PendingConfirmation"], ["warning", "ok"]),
        ([f"{TOPIC}:1"], ["ok"]),
        (["Deleted"], ["problem"]),
    ],
)
def test_somebody_must_be_subscribed_and_confirmed(arns: list[str], expected: list[str]) -> None:
    """An address that never followed the link gets nothing."""
    entries = [{"SubscriptionArn": arn, "Endpoint": "ops@example.com"} for arn in arns]

    assert states(subscription_findings("AlertTopic", entries)) == expected


def test_alarms_that_are_firing_silent_or_gone_are_problems() -> None:
    """An alarm nobody hears is worse than none."""
    fine, firing = Alarm("a", "OK", "", True), Alarm("b", "ALARM", "No log file.\x1b[2J", True)

    assert states(alarm_findings([fine], 1)) == ["ok"]
    assert states(alarm_findings([], 0)) == ["warning"]
    assert states(alarm_findings([Alarm("a", "INSUFFICIENT_DATA", "", True)], 1)) == ["unknown"]
    assert states(alarm_findings([Alarm("a", "OK", "", False)], 2)) == ["problem", "problem"]
    (finding,) = alarm_findings([fine, firing], 2)
    assert finding == Finding("problem", "alarms", "b is firing.", "No log file.\\x1b[2J", "alarm.other")


def test_an_alarm_of_ours_that_is_firing_says_what_the_table_of_advice_says() -> None:
    """Who can write alarms can write descriptions; and the deployed text may be an older version's."""
    name = "trailbell-WatchAlertDeadLettersNotEmpty0A1B2C3D-XyZ123"
    (finding,) = alarm_findings([Alarm(name, "ALARM", "Purge the queue.", True)], 1)

    assert finding.condition == "alarm.AlertDeadLettersNotEmpty"
    assert "Purge the queue" not in finding.meaning + finding.fix
    assert finding.fix == alarm_advice("AlertDeadLettersNotEmpty").next_step


def test_alarms_that_are_silent_are_enabled_by_a_command_for_exactly_those() -> None:
    """A name with a blank or a quote in it must not become two words of a shell."""
    (finding,) = alarm_findings([Alarm("a b", "OK", "", False), Alarm("c; rm", "OK", "", False)], 2)

    assert finding.fix.endswith("--alarm-names 'a b' 'c; rm'")


@pytest.mark.parametrize(
    ("state", "expected"), [("Enabled", "ok"), ("Disabled", "problem"), ("Disabling", "problem"), (None, "problem")]
)
def test_a_function_that_is_not_fed_is_a_problem(state: str | None, expected: str) -> None:
    """A disabled mapping stops everything and raises no error."""
    sources = [EventSource("0f1e", QUEUE_ARN, state)] if state else []

    finding = feed_finding("The detector", "the ingest queue", sources)

    assert finding.state == expected
    assert ("--uuid 0f1e" in finding.fix) == (expected == "problem" and state is not None)


def test_each_function_has_its_own_event_source() -> None:
    """That the detector is fed says nothing of the notifier."""
    assert states(function_findings([EventSource("1", QUEUE_ARN, "Enabled")])) == ["ok", "problem"]


class FakeCloudFormation:
    """Knows one stack, whose template declares nothing; moto's own needs packages we do not have.

    A whole stack with its template is in tests/infra/test_doctor_acts.py.
    """

    def __init__(self, outputs: dict[str, str], resources: list[tuple[str, str]]) -> None:
        self.outputs, self.resources = outputs, resources

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        if StackName != "trailbell":
            answer = {"Error": {"Code": "ValidationError", "Message": "does not exist"}}
            raise ClientError(answer, "DescribeStacks")
        outputs = [{"OutputKey": name, "OutputValue": value} for name, value in self.outputs.items()]
        arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/trailbell/1"
        return {"Stacks": [{"StackId": arn, "Outputs": outputs}]}

    def get_template(self, **_: str) -> dict[str, Any]:
        return {"TemplateBody": {"Resources": {}}}

    def get_paginator(self, name: str) -> "FakeCloudFormation":
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
        entries = [
            {"LogicalResourceId": f"{number}", "ResourceType": kind, "PhysicalResourceId": physical}
            for number, (kind, physical) in enumerate(self.resources)
        ]
        return [{"StackResourceSummaries": entries}]


class Denying:
    """A client nobody may use."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no \x1b[2J"}}, name)

        return refuse


@pytest.fixture
def stack(aws: None) -> FakeCloudFormation:
    """What the real stack has, as far as the doctor looks: bucket, queues, topics, an alarm."""
    sqs, s3, sns = boto3.client("sqs"), boto3.client("s3"), boto3.client("sns")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("letters", "alert-letters", "feed")}
    redrive = {"deadLetterTargetArn": QUEUE_ARN.replace("feed", "letters"), "maxReceiveCount": 5}
    allowed = policy("s3.amazonaws.com", f"arn:aws:s3:::{BUCKET}")
    sqs.set_queue_attributes(
        QueueUrl=urls["feed"], Attributes={"RedrivePolicy": json.dumps(redrive), "Policy": json.dumps(allowed)}
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    filtered = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "AWSLogs/"}]}}
    entry = {"QueueArn": QUEUE_ARN, "Events": ["s3:ObjectCreated:*"], "Filter": filtered}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [entry]})
    topics = {name: sns.create_topic(Name=name)["TopicArn"] for name in ("alerts", "operations")}
    for arn in topics.values():
        sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.com")
    outputs = {
        "TrailBucket": BUCKET,
        "DeadLetters": urls["letters"],
        "AlertDeadLetters": urls["alert-letters"],
        "AlertTopic": topics["alerts"],
        "OperationsTopic": topics["operations"],
    }
    queues = [("AWS::SQS::Queue", url) for url in urls.values()]
    return FakeCloudFormation(outputs, [*queues, ("AWS::Lambda::EventSourceMapping", "1")])


class Unmoved:
    """SQS with no message on the move, which moto cannot say."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def list_message_move_tasks(self, **_: Any) -> dict[str, Any]:
        return {"Results": []}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def clients(stack: FakeCloudFormation) -> Clients:
    """Moto's clients, CloudFormation, and what moto's extras would need refused."""
    real, sqs = boto3.client, Unmoved(boto3.client("sqs"))
    given = {"cloudformation": stack, "cloudwatch": Denying(), "lambda": Denying(), "sqs": sqs}
    return lambda service, **_: given.get(service) or real(service)


@pytest.fixture
def put_log_file(aws: None) -> Callable[[datetime], None]:
    """A log file as CloudTrail names it."""

    def put(moment: datetime) -> None:
        name = f"{ACCOUNT}_CloudTrail_{REGION}_{moment:%Y%m%dT%H%MZ}_x.json.gz"
        key = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{moment:%Y/%m/%d}/{name}"
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"")

    return put


@pytest.fixture
def trail(stack: FakeCloudFormation) -> Any:
    """A trail into the bucket, in moto, which logs and records everything but KMS."""
    allowed = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": f"arn:aws:s3:::{BUCKET}/*"}]})
    boto3.client("s3").put_bucket_policy(Bucket=BUCKET, Policy=text)
    client = boto3.client("cloudtrail")
    client.create_trail(Name="main", S3BucketName=BUCKET, IsMultiRegionTrail=True, EnableLogFileValidation=True)
    client.start_logging(Name="main")
    return client


def found(clients: Clients, check: str, now: datetime | None = None) -> list[Finding]:
    findings = check_stack(clients, "trailbell", now or datetime.now(UTC))
    return [finding for finding in findings if finding.check.startswith(check)]


def test_a_refusal_does_not_hide_what_was_found_before_it(clients: Clients, stack: FakeCloudFormation) -> None:
    """Two queues in one check: the second is gone, the first has the problem."""
    clients("sqs").send_message(QueueUrl=stack.outputs["DeadLetters"], MessageBody="x")
    clients("sqs").delete_queue(QueueUrl=stack.outputs["AlertDeadLetters"])

    assert states(found(clients, "DeadLetters") + found(clients, "AlertDeadLetters")) == ["problem", "problem"]
    assert found(clients, "AlertDeadLetters")[0].condition == "check.gone"


def test_what_cannot_be_seen_is_unknown_and_stops_no_other_check(clients: Clients) -> None:
    """A reader with few permissions still learns what it can; AWS's words are shown as data."""
    findings = check_stack(clients, "trailbell", datetime.now(UTC))

    shown = {finding.check: finding for finding in findings}
    assert {check: finding.state for check, finding in shown.items()} == {
        "trail": "unknown",
        "log files": "unknown",
        "silence": "unknown",
        "source": "ok",
        "functions": "unknown",
        "consumers": "unknown",
        "DeadLetters": "ok",
        "AlertDeadLetters": "ok",
        "AlertTopic": "warning",
        "OperationsTopic": "warning",
        "alarms": "warning",
        "mute rules": "unknown",
        "canary": "unknown",
        "as deployed": "ok",
    }
    assert "\x1b" not in shown["functions"].meaning


def test_a_trail_the_stack_made_and_that_is_gone_is_a_problem(clients: Clients, stack: FakeCloudFormation) -> None:
    """With an imported bucket the trail may be another account's; with our own it may not."""
    stack.resources.append(("AWS::CloudTrail::Trail", "trailbell"))

    assert states(found(clients, "trail")) == ["problem"]


def test_a_trail_is_examined(clients: Clients, trail: Any) -> None:
    """Through moto's CloudTrail, to the end."""
    assert states(found(clients, "events")) == ["ok"]
    assert "problem" not in states(found(clients, "trail"))

    trail.stop_logging(Name="main")
    trail.put_event_selectors(TrailName="main", EventSelectors=[{"ExcludeManagementEventSources": [KMS]}])

    assert states(found(clients, "events")) == ["problem"]
    assert found(clients, "trail")[0].meaning.startswith("The trail is not logging")


def test_the_newest_log_file_has_an_age(clients: Clients, trail: Any, put_log_file: Callable[[datetime], None]) -> None:
    """moto dates an object now; the doctor's clock is turned."""
    now = datetime.now(UTC)
    assert states(found(clients, "log files")) == ["problem"]
    put_log_file(now)

    assert states(found(clients, "log files")) == ["ok"]
    assert states(found(clients, "log files", now + timedelta(hours=3))) == ["warning"]
    assert states(found(clients, "log files", now + timedelta(hours=24))) == ["warning"]
    assert states(found(clients, "log files", now + timedelta(days=3))) == ["problem"]


def test_dead_letters_and_a_cut_notification_are_problems(clients: Clients, stack: FakeCloudFormation) -> None:
    """Both are where log files get lost from sight."""
    assert states(found(clients, "source")) == ["ok"]
    for output in ("DeadLetters", "AlertDeadLetters"):
        boto3.client("sqs").send_message(QueueUrl=stack.outputs[output], MessageBody="x")
    boto3.client("s3").put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})

    (letters,), (alerts,) = found(clients, "DeadLetters"), found(clients, "AlertDead")
    assert (letters.state, alerts.state) == ("problem", "problem")
    assert letters.meaning.startswith("Messages that wait: 1.")
    assert "trailbell dlq redrive" in alerts.fix
    assert "Neither" in found(clients, "source")[0].meaning


@pytest.fixture
def allow(stack: FakeCloudFormation) -> Callable[[str, str], None]:
    """Let one service send to the feed's queue, and nobody else."""

    def make(service: str, source: str) -> None:
        url = boto3.client("sqs").get_queue_url(QueueName="feed")["QueueUrl"]
        attributes = {"Policy": json.dumps(policy(service, source))}
        boto3.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)

    return make


def test_the_way_through_a_topic_is_followed(clients: Clients, allow: Callable[[str, str], None]) -> None:
    """The queue's policy says which topic; the topic and who notifies it are asked."""
    sns, s3 = boto3.client("sns"), boto3.client("s3")
    topic = sns.create_topic(Name="trail")["TopicArn"]
    allow("sns.amazonaws.com", topic)
    by_topic = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=by_topic)
    assert states(found(clients, "source")) == ["problem"]

    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)

    assert states(found(clients, "source")) == ["ok"]


class ForeignTopics:
    """SNS that does not let us list another account's subscriptions, but tells of our own."""

    def __init__(self) -> None:
        self._real = boto3.client("sns")

    def get_paginator(self, name: str) -> Any:
        raise ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_topic_and_bucket_of_another_account_are_followed_as_far_as_we_may(
    clients: Clients, stack: FakeCloudFormation, allow: Callable[[str, str], None]
) -> None:
    """The log-archive account: our own subscription can be seen, who notifies the topic cannot."""
    sns = ForeignTopics()
    topic = sns.create_topic(Name="trail")["TopicArn"]
    allow("sns.amazonaws.com", topic)
    foreign = {"s3": Denying(), "cloudtrail": Denying(), "sns": sns}

    def from_outside(service: str) -> Any:
        return foreign.get(service) or clients(service)

    (refused,) = found(from_outside, "source")
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)["SubscriptionArn"]
    stack.resources.append(("AWS::SNS::Subscription", arn))
    (seen,) = found(from_outside, "source")

    assert (refused.state, seen.state) == ("unknown", "unknown")
    assert "AuthorizationError" in refused.meaning
    assert "is subscribed" in seen.meaning


class EventBridgeBucket:
    """S3 with a bucket that sends to EventBridge; moto forgets that setting."""

    def __init__(self) -> None:
        self._real = boto3.client("s3")

    def get_bucket_notification_configuration(self, **_: Any) -> dict[str, Any]:
        return {"EventBridgeConfiguration": {}}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_the_way_through_eventbridge_is_followed(clients: Clients, allow: Callable[[str, str], None]) -> None:
    """The bucket's switch, the rule and its target."""
    events, s3 = boto3.client("events"), EventBridgeBucket()
    rule = events.put_rule(Name="created", EventPattern='{"source": ["aws.s3"]}')["RuleArn"]
    events.put_targets(Rule="created", Targets=[{"Id": "1", "Arn": QUEUE_ARN}])
    allow("events.amazonaws.com", rule)

    def with_eventbridge(service: str) -> Any:
        return s3 if service == "s3" else clients(service)

    assert states(found(with_eventbridge, "source")) == ["ok"]
    events.disable_rule(Name="created")
    assert states(found(with_eventbridge, "source")) == ["problem"]


def test_the_command_prints_lines_and_ends_with_a_status(
    clients: Clients, stack: FakeCloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scripts read the status; people read the table."""
    monkeypatch.setattr("boto3.client", clients)
    fine = CliRunner().invoke(cli, ["doctor", "--format", "jsonl"], catch_exceptions=False)
    strict = CliRunner().invoke(cli, ["doctor", "--strict"], catch_exceptions=False)
    clients("sqs").send_message(QueueUrl=stack.outputs["DeadLetters"], MessageBody="x")
    malformed = CliRunner().invoke(cli, ["doctor"], catch_exceptions=False)

    lines = [json.loads(line) for line in fine.stdout.splitlines()]
    assert fine.exit_code == 0
    assert all(set(line) == {"state", "check", "meaning", "fix", "condition"} for line in lines)
    assert "unknown" in {line["state"] for line in lines}
    assert strict.exit_code == 1
    assert malformed.exit_code == 1
    assert "trailbell dlq list" in malformed.stdout
    with pytest.raises(SettingsError, match="no stack nosuch"):
        CliRunner().invoke(cli, ["doctor", "--stack", "nosuch"], catch_exceptions=False)
