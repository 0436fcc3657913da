"""The template says what is connected, what each function may do, and what protects the evidence."""

import importlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import assertions

from infra.asset import HANDLERS
from tests.infra.conftest import given_settings
from tests.infra.whole_stack import TrailbellStack
from trailbell.alerts.channels import declared_channels
from trailbell.alerts.commands import LOCAL
from trailbell.handlers.environment import Variables, read_environment
from trailbell.ops.advice import alarm_advice
from trailbell.ops.answers import Alarm
from trailbell.ops.checks.alarms import alarm_findings


Template = dict[str, Any]
TemplateOf = Callable[..., Template]

KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
EXISTING = {"trail_bucket": "central-logs", "trail_prefix": "org/trails", "trail_key_arn": KEY}


@pytest.fixture(scope="session")
def new_trail(template_of: TemplateOf) -> Template:
    """The template of the defaults."""
    return template_of()


@pytest.fixture(scope="session")
def existing_bucket(template_of: TemplateOf) -> Template:
    return template_of(**EXISTING)


def resources(template: Template, kind: str, name: str = "") -> dict[str, Template]:
    """The resources of one type whose logical id begins with a name."""
    return {
        identifier: resource
        for identifier, resource in template["Resources"].items()
        if resource["Type"] == kind and identifier.startswith(name)
    }


def properties(template: Template, kind: str, name: str = "") -> Template:
    """The properties of the one such resource."""
    (resource,) = resources(template, kind, name).values()
    return dict(resource["Properties"])


def plain(value: Any) -> str:
    """A value of the template as text: references as the name of what they mean, without the CDK's hash."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return str(name) if name.startswith("AWS::") else name[:-8]
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name[:-8]}.{attribute}"
        case {"Fn::Join": ["", parts]}:
            return "".join(map(plain, parts))
    raise AssertionError(f"unknown form of a value: {value}")


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(template: Template, role: str = "") -> Iterator[Template]:
    """The statements of all policies, or of those attached to the role whose logical id begins with a name."""
    for policy in resources(template, "AWS::IAM::Policy").values():
        if any(plain(attached).startswith(role) for attached in policy["Properties"]["Roles"]):
            yield from policy["Properties"]["PolicyDocument"]["Statement"]


def allowed(template: Template, role: str) -> dict[str, set[str]]:
    """What a role may do: resource → actions."""
    found: dict[str, set[str]] = {}
    for statement in statements(template, role):
        assert statement["Effect"] == "Allow"
        for resource in listed(statement["Resource"]):
            found.setdefault(plain(resource), set()).update(listed(statement["Action"]))
    return found


DETECTOR = {
    "DetectorLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "TrailBucket.Arn/AWSLogs/*": {"s3:GetObject", "s3:GetObjectVersion"},
    "HitsTable.Arn": {"dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query"},
    "IngestQueue.Arn": {  # what Lambda's poller does in the function's name
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    },
}
NOTIFIER = {
    "NotifierLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "AlertsTopic": {"sns:Publish"},
    "HitsTable.Arn": {"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Query"},
    "HitsTable.StreamArn": {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
    "*": {"dynamodb:ListStreams"},  # takes no resource:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
    "NotifierDeadLetters.Arn": {"sqs:SendMessage"},
}


def test_defaults_make_a_trail_that_misses_nothing(new_trail: Template) -> None:
    """A trail of one region, or without reads, is blind where an attacker would rather be."""
    trail = properties(new_trail, "AWS::CloudTrail::Trail")

    assert plain(trail["S3BucketName"]) == "TrailBucket"
    assert trail["IsLogging"] is True
    assert trail["IsMultiRegionTrail"] is True
    assert trail["IncludeGlobalServiceEvents"] is True
    assert trail["EnableLogFileValidation"] is True
    assert trail["EventSelectors"] == [{"IncludeManagementEvents": True, "ReadWriteType": "All"}]


def test_new_trail_bucket_keeps_the_evidence(new_trail: Template) -> None:
    """Log files that can be overwritten, made public or deleted with the stack prove nothing."""
    (bucket,) = resources(new_trail, "AWS::S3::Bucket").values()

    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert "ExpirationInDays" not in rule


def test_new_trail_bucket_refuses_plain_http(new_trail: Template) -> None:
    """Log files travel encrypted, or not at all."""
    policy = properties(new_trail, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]

    assert [
        (plain(resource), statement["Condition"])
        for statement in policy
        if statement["Effect"] == "Deny" and statement["Action"] == "s3:*"
        for resource in statement["Resource"]
    ] == [
        ("TrailBucket.Arn", {"Bool": {"aws:SecureTransport": "false"}}),
        ("TrailBucket.Arn/*", {"Bool": {"aws:SecureTransport": "false"}}),
    ]


def test_existing_bucket_is_read_and_not_made(existing_bucket: Template) -> None:
    """A second trail costs money; a second bucket gets no log file."""
    assert resources(existing_bucket, "AWS::CloudTrail::Trail") == {}
    assert resources(existing_bucket, "AWS::S3::Bucket") == {}
    assert resources(existing_bucket, "AWS::S3::BucketPolicy") == {}


@pytest.mark.parametrize(
    ("settings", "bucket", "prefix", "managed"),
    [
        pytest.param({}, "TrailBucket", "AWSLogs/", True, id="new"),
        pytest.param({"trail_bucket": "central-logs"}, "central-logs", "AWSLogs/", False, id="existing"),
        pytest.param(EXISTING, "central-logs", "org/trails/AWSLogs/", False, id="existing-with-prefix"),
    ],
)
def test_bucket_tells_the_queue_of_new_log_files(
    template_of: TemplateOf, settings: dict[str, str], bucket: str, prefix: str, managed: bool
) -> None:
    """Wrong by a letter, nothing is ever read; "managed" would wipe what an existing bucket tells others."""
    notified = properties(template_of(**settings), "Custom::S3BucketNotifications")

    (queue,) = notified["NotificationConfiguration"]["QueueConfigurations"]
    assert plain(notified["BucketName"]) == bucket
    assert notified["Managed"] is managed
    assert list(notified["NotificationConfiguration"]) == ["QueueConfigurations"]
    assert plain(queue["QueueArn"]) == "IngestQueue.Arn"
    assert queue["Events"] == ["s3:ObjectCreated:*"]
    assert queue["Filter"]["Key"]["FilterRules"] == [{"Name": "prefix", "Value": prefix}]


@pytest.mark.parametrize(
    ("settings", "bucket"),
    [({}, "TrailBucket.Arn"), (EXISTING, "arn:AWS::Partition:s3:::central-logs")],
)
def test_only_the_trail_bucket_may_send_to_the_queue(
    template_of: TemplateOf, settings: dict[str, str], bucket: str
) -> None:
    """Whoever can write to the queue chooses what we read."""
    policy = properties(template_of(**settings), "AWS::SQS::QueuePolicy", "IngestQueue")["PolicyDocument"]["Statement"]

    (allow,) = [statement for statement in policy if statement["Effect"] == "Allow"]
    assert allow["Principal"] == {"Service": "s3.amazonaws.com"}
    assert plain(allow["Condition"]["ArnLike"]["aws:SourceArn"]) == bucket


def test_queue_gives_up_after_five_times_and_keeps_what_failed(new_trail: Template) -> None:
    """Without a dead-letter queue a poisoned notification is tried for four days and then forgotten."""
    queue, dead = (properties(new_trail, "AWS::SQS::Queue", name) for name in ("IngestQueue", "IngestDeadLetters"))

    assert plain(queue["RedrivePolicy"]["deadLetterTargetArn"]) == "IngestDeadLetters.Arn"
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_message_stays_hidden_for_six_times_the_detectors_timeout(new_trail: Template) -> None:
    """A message that comes back while it is still being done is done twice, and counted as failing."""
    queue = properties(new_trail, "AWS::SQS::Queue", "IngestQueue")
    function = properties(new_trail, "AWS::Lambda::Function", "Detector")

    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_every_queue_is_encrypted_and_refuses_plain_http(new_trail: Template) -> None:
    """Notifications name our buckets and accounts."""
    queues = resources(new_trail, "AWS::SQS::Queue")
    policies = resources(new_trail, "AWS::SQS::QueuePolicy").values()
    refusing = {
        plain(statement["Resource"])
        for policy in policies
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }

    assert len(queues) == 4
    assert {queue["Properties"].get("SqsManagedSseEnabled") for queue in queues.values()} == {True}
    assert refusing == {f"{name[:-8]}.Arn" for name in queues}


def test_failed_messages_are_given_back_one_by_one(new_trail: Template) -> None:
    """Without this the functions' answers are ignored: failed messages are deleted as if they were done."""
    mappings = resources(new_trail, "AWS::Lambda::EventSourceMapping").values()

    assert sorted(plain(mapping["Properties"]["FunctionName"]) for mapping in mappings) == [
        "DetectorFunction",
        "NotifierFunction",
    ]
    for mapping in mappings:
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["Properties"].get("Enabled", True) is True


def test_detector_reads_the_queue(new_trail: Template) -> None:
    """The feed leads to the detector and to nobody else."""
    mapping = properties(new_trail, "AWS::Lambda::EventSourceMapping", "Detector")

    assert plain(mapping["EventSourceArn"]) == "IngestQueue.Arn"
    assert mapping["BatchSize"] == 10


def test_notifier_reads_only_new_hits_from_the_stream(new_trail: Template) -> None:
    """Five pointers and a mark go with every hit; each would be an invocation for nothing.

    A hit's row is modified once at most: when a true delivery takes the place of a quiet replay's.
    """
    mapping = properties(new_trail, "AWS::Lambda::EventSourceMapping", "Notifier")

    (criterion,) = mapping["FilterCriteria"]["Filters"]
    assert plain(mapping["EventSourceArn"]) == "HitsTable.StreamArn"
    assert json.loads(criterion["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"kind": {"S": ["hit", "canary", "follow-up", "gathered"]}}},
    }


def test_stream_batch_that_fails_is_split_retried_and_kept(new_trail: Template) -> None:
    """By default one hit that cannot be told blocks all that follow for a day, and is then dropped."""
    mapping = properties(new_trail, "AWS::Lambda::EventSourceMapping", "Notifier")

    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == 10
    assert plain(mapping["DestinationConfig"]["OnFailure"]["Destination"]) == "NotifierDeadLetters.Arn"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_hit_table_has_the_keys_the_rows_are_written_with(new_trail: Template) -> None:
    """Another key is another table, and the old one's hits are gone."""
    table = properties(new_trail, "AWS::DynamoDB::Table")

    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert {part["AttributeName"]: part["AttributeType"] for part in table["AttributeDefinitions"]} == {
        "pk": "S",
        "sk": "S",
    }
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_hit_table_survives_mistakes(new_trail: Template) -> None:
    """Hits are evidence: neither `cdk destroy` nor one API call may take them."""
    (table,) = resources(new_trail, "AWS::DynamoDB::Table").values()

    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"]["DeletionProtectionEnabled"] is True
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize("settings", [{}, EXISTING])
def test_nothing_is_encrypted_with_a_customer_key(template_of: TemplateOf, settings: dict[str, str]) -> None:
    """A key of the account's own is one that an attacker can disable to silence us."""
    template = template_of(**settings)

    text = json.dumps(template)
    assert resources(template, "AWS::KMS::Key") == {}
    assert "KMSMasterKeyId" not in text
    assert "KmsMasterKeyId" not in text
    assert "KmsKeyArn" not in text
    assert properties(template, "AWS::DynamoDB::Table")["SSESpecification"] == {"SSEEnabled": False}


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_functions_run_on_the_architecture_chosen(template_of: TemplateOf, architecture: str) -> None:
    """Wheels built for one processor do not load on another."""
    template = template_of(architecture=architecture)

    for name in ("Detector", "Notifier"):
        assert properties(template, "AWS::Lambda::Function", name)["Architectures"] == [architecture]


@pytest.mark.parametrize("python", ["3.13", "3.14"])
def test_functions_run_on_the_python_chosen(template_of: TemplateOf, python: str) -> None:
    """The asset's libraries are built for one Python and load in no other."""
    template = template_of(python=python)

    for name in ("Detector", "Notifier"):
        assert properties(template, "AWS::Lambda::Function", name)["Runtime"] == f"python{python}"


@pytest.mark.parametrize("name", ["Detector", "Notifier"])
def test_handler_exists(new_trail: Template, name: str) -> None:
    """A misspelt handler is found by the first log file, after the deployment."""
    module, _, attribute = properties(new_trail, "AWS::Lambda::Function", name)["Handler"].rpartition(".")

    assert callable(getattr(importlib.import_module(module), attribute))


def test_detector_has_the_memory_and_time_of_the_settings(template_of: TemplateOf) -> None:
    """What its log advises for a log file that is never done in time must help."""
    template = template_of(detector_memory_mb=2048, detector_seconds=300)

    detector = properties(template, "AWS::Lambda::Function", "Detector")

    assert (detector["MemorySize"], detector["Timeout"]) == (2048, 300)
    assert properties(template, "AWS::SQS::Queue", "IngestQueue")["VisibilityTimeout"] == 6 * 300


class NoClients:
    """Makes no AWS clients."""

    def client(self, service: str) -> None:
        """None."""

    def impatient_client(self, service: str) -> None:
        """None."""


@pytest.mark.parametrize("name", ["Detector", "Notifier"])
def test_function_is_told_everything_it_reads_from_its_environment(template_of: TemplateOf, name: str) -> None:
    """A variable that the stack does not set is found by the first log file, after the deployment."""
    template = template_of(hit_retention_days=30, max_inflated_mb=7)
    variables = properties(template, "AWS::Lambda::Function", name)["Environment"]["Variables"]

    read = Variables({key: plain(value) for key, value in variables.items()})

    environment = read_environment(read, detects=name == "Detector")
    channels = [channel.open(read, NoClients()) for channel in declared_channels()] if name == "Notifier" else []
    read.check()

    assert environment.table == "HitsTable"
    assert environment.retention_days == 30
    assert [channel.name for channel in channels if channel] == ["alert topic"] * (name == "Notifier")
    assert environment.max_inflated_bytes == (7 * 1024 * 1024 if name == "Detector" else 0)


@pytest.mark.parametrize("name", ["Detector", "Notifier"])
def test_functions_logs_are_kept_as_long_as_chosen(template_of: TemplateOf, name: str) -> None:
    """By default Lambda makes a log group of its own that is kept, and paid for, for ever."""
    template = template_of(log_retention_days=14)

    function = properties(template, "AWS::Lambda::Function", name)
    assert plain(function["LoggingConfig"]["LogGroup"]) == f"{name}Logs"
    assert properties(template, "AWS::Logs::LogGroup", name)["RetentionInDays"] == 14


def test_every_address_is_subscribed_from_its_level_on(template_of: TemplateOf) -> None:
    """Mails about everything are read by nobody, mails about nothing too."""
    template = template_of(alert_emails={"ops@example.com": "medium", "boss@example.com": "critical"})

    found = resources(template, "AWS::SNS::Subscription", "AlertsTopic").values()
    subscriptions = [one["Properties"] for one in found]
    assert {(one["Protocol"], plain(one["TopicArn"])) for one in subscriptions} == {("email", "AlertsTopic")}
    assert {one["Endpoint"]: one["FilterPolicy"] for one in subscriptions} == {
        "ops@example.com": {"level": ["medium", "high", "critical"]},
        "boss@example.com": {"level": ["critical"]},
    }


def test_only_an_empty_list_of_addresses_is_warned_of(warnings_of: Callable[..., list[str]]) -> None:
    """A deployment that mails nobody looks like one in which nothing happens."""
    (warning,) = warnings_of()

    assert "alert_emails is empty" in warning
    assert warnings_of(**EXISTING, alert_emails={"ops@example.com": "medium"}) == []


def test_detector_may_do_what_it_does_and_nothing_else(new_trail: Template) -> None:
    """Whoever takes over the function that reads hostile input gets exactly this."""
    assert allowed(new_trail, "DetectorRole") == DETECTOR


def test_notifier_may_do_what_it_does_and_nothing_else(new_trail: Template) -> None:
    """It has no business in the trail bucket or the queue of notifications."""
    assert allowed(new_trail, "NotifierRole") == NOTIFIER


def test_clock_may_do_what_it_does_and_nothing_else(new_trail: Template) -> None:
    """It reads hits to remind of them, and writes none; its one call of its own names parameters that never exist."""
    assert allowed(new_trail, "ClockRole") == {
        "ClockLogs.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "HitsTable.Arn": {"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:BatchGetItem"},
        "WatchTopic": {"sns:Publish"},
        "ClockCanaries.Arn": {"sqs:ReceiveMessage", "sqs:DeleteMessage"},
        "arn:AWS::Partition:ssm:AWS::Region:AWS::AccountId:parameter/trailbell/canary/*": {"ssm:DeleteParameter"},
    }
    keys = defaultdict[str, set[str]](set)
    for statement in statements(new_trail, "ClockRole"):
        if plain(statement["Resource"]) == "HitsTable.Arn":
            for action in listed(statement["Action"]):
                keys[action].update(listed(statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]))
    assert keys == {
        "dynamodb:DeleteItem": {"K#*", "D#*"},
        "dynamodb:PutItem": {"K#*", "D#*", "O#*", "G#*", "W#*"},
        "dynamodb:Query": {"K#*", "D#*", "H#*", "S#*", "O#*", "T#*", "G#*", "W#*"},
        "dynamodb:BatchGetItem": {"H#*", "S#*", "N#*", "K#*"},
    }


def test_canaries_come_back_to_the_clock_and_to_nobody_else(new_trail: Template) -> None:
    """Inboxes filter by level, which a canary does not have; its own queue takes nothing else."""
    (filter_policy,) = [
        one["Properties"]["FilterPolicy"]
        for one in resources(new_trail, "AWS::SNS::Subscription").values()
        if plain(one["Properties"]["Endpoint"]) == "ClockCanaries.Arn"
    ]
    assert filter_policy == {"kind": ["canary"]}


def test_notifier_writes_marks_and_reads_pointers_of_actors(new_trail: Template) -> None:
    """The half that talks to the outside must not be able to read, forge or remove hits."""
    keys = {
        (*sorted(listed(statement["Action"])),): statement["Condition"]["ForAllValues:StringLike"][
            "dynamodb:LeadingKeys"
        ]
        for statement in statements(new_trail, "NotifierRole")
        if plain(statement["Resource"]) == "HitsTable.Arn"
    }

    records = ("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem")
    assert keys == {
        records: ["N#*"],
        ("dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Query"): ["G#*"],
        ("dynamodb:PutItem",): ["K#*", "D#*"],
        ("dynamodb:Query",): ["P#*", "O#*"],
        ("dynamodb:BatchGetItem",): ["S#*"],  # what was resolved is not followed up
    }


def test_other_readers_are_there_only_if_asked_for(new_trail: Template) -> None:
    """A topic or a bus that nobody asked for is one more thing to guard."""
    assert resources(new_trail, "AWS::SNS::Topic", "Others") == {}
    assert resources(new_trail, "AWS::Events::EventBus") == {}
    assert "ChannelsFailed" not in str(resources(new_trail, "AWS::CloudWatch::Alarm"))


def test_chat_topic_and_event_bus_are_told_by_the_notifier_alone(template_of: TemplateOf) -> None:
    """One setting each makes the reader, tells the notifier of it, lets it in, and watches over it."""
    template = template_of(chat_topic="high", event_bus=True, runbook_url="https://wiki.example.com/{rule}")

    variables = properties(template, "AWS::Lambda::Function", "Notifier")["Environment"]["Variables"]
    notified = {name.removeprefix("TRAILBELL_"): plain(value) for name, value in variables.items()}
    assert notified["CHAT_TOPIC_ARN"] == "OthersChat"
    assert (notified["CHAT_LEVEL"], notified["EVENT_BUS"]) == ("high", "OthersBus")
    assert notified["RUNBOOK_URL"] == "https://wiki.example.com/{rule}"
    may = allowed(template, "NotifierRole")
    assert (may["OthersChat"], may["OthersBus.Arn"]) == ({"sns:Publish"}, {"events:PutEvents"})
    assert not {"OthersChat", "OthersBus.Arn"} & set(allowed(template, "DetectorRole"))
    assert properties(template, "AWS::Events::EventBus")["Name"] == "trailbell"
    alarm = properties(template, "AWS::CloudWatch::Alarm", "WatchChannelFailing")
    assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("ChannelsFailed", "notBreaching")
    outputs = {name: plain(output["Value"]) for name, output in template["Outputs"].items()}
    assert (outputs["ChatTopic"], outputs["EventBus"]) == ("OthersChat", "OthersBus")


def test_existing_bucket_is_read_below_its_prefix_and_with_its_key(existing_bucket: Template) -> None:
    """The bucket belongs to somebody else and may hold much that is none of our business."""
    expected = {
        **{resource: actions for resource, actions in DETECTOR.items() if "TrailBucket" not in resource},
        "arn:AWS::Partition:s3:::central-logs/org/trails/AWSLogs/*": {"s3:GetObject", "s3:GetObjectVersion"},
        KEY: {"kms:Decrypt"},
    }

    assert allowed(existing_bucket, "DetectorRole") == expected


def test_nobody_may_decrypt_without_a_key_to_decrypt_with(template_of: TemplateOf) -> None:
    """kms:Decrypt on more than the trail's key opens everything else that the account has encrypted."""
    assert "kms:" not in json.dumps([*statements(template_of(trail_bucket="central-logs"))])
    assert [
        (plain(statement["Resource"]), statement["Action"])
        for statement in statements(template_of(**EXISTING))
        if "kms:" in json.dumps(statement["Action"])
    ] == [(KEY, "kms:Decrypt")]


@pytest.mark.parametrize("settings", [{}, EXISTING])
def test_no_policy_allows_more_than_it_names(template_of: TemplateOf, settings: dict[str, str]) -> None:
    """A wildcard is a permission nobody thought of."""
    template = template_of(**settings)

    actions = {action for statement in statements(template) for action in listed(statement["Action"])}
    everywhere = {
        action
        for statement in statements(template)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert [action for action in actions if "*" in action] == []
    assert everywhere == {"dynamodb:ListStreams"}


@pytest.mark.parametrize("settings", [{}, EXISTING])
def test_only_the_cdks_own_function_has_a_managed_policy(template_of: TemplateOf, settings: dict[str, str]) -> None:
    """AWSLambdaBasicExecutionRole lets a function write into every log group of the account."""
    roles = resources(template_of(**settings), "AWS::IAM::Role")

    managed = [name for name, role in roles.items() if role["Properties"].get("ManagedPolicyArns")]
    assert len(roles) == 4
    assert len(managed) == 1
    assert managed[0].startswith("BucketNotificationsHandler")
    assert [name for name, role in roles.items() if role["Properties"].get("Policies")] == []


@pytest.mark.parametrize("settings", [{}, EXISTING])
def test_every_role_is_for_lambda_alone(template_of: TemplateOf, settings: dict[str, str]) -> None:
    """A role that somebody else may assume is a way around the function."""
    for role in resources(template_of(**settings), "AWS::IAM::Role").values():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_topic_may_not_be_published_to_from_outside(new_trail: Template) -> None:
    """An alert somebody else made is a page about nothing."""
    policy = properties(new_trail, "AWS::SNS::TopicPolicy", "Alerts")["PolicyDocument"]["Statement"]

    assert {statement["Effect"] for statement in policy} == {"Deny"}


def test_outputs_are_what_the_command_looks_up(new_trail: Template) -> None:
    """`trailbell hits` finds the table by the name of its output."""
    assert {name: plain(output["Value"]) for name, output in new_trail["Outputs"].items()} == {
        "TrailBucket": "TrailBucket",
        "HitTable": "HitsTable",
        "AlertTopic": "AlertsTopic",
        "Dashboard": "trailbell-AWS::Region",
        "IngestQueue": "IngestQueue",
        "DeadLetters": "IngestDeadLetters",
        "AlertDeadLetters": "NotifierDeadLetters",
        "ClockFunction": "ClockFunction",
        "OperationsTopic": "WatchTopic",
    }


def test_stack_knows_no_account_and_no_region(new_trail: Template) -> None:
    """One template deploys anywhere, also into other partitions; nothing is looked up at synth."""
    text = json.dumps({name: part for name, part in new_trail.items() if name != "Rules"})

    assert re.findall(r"\b[0-9]{12}\b", text) == []
    assert "arn:aws:" not in text


def test_new_trail_can_be_the_whole_organisations(template_of: TemplateOf) -> None:
    """One deployment in the management account watches every account."""
    template = template_of(organization_id="o-a1b2c3d4e5")

    assert properties(template, "AWS::CloudTrail::Trail")["IsOrganizationTrail"] is True
    assert "AWSLogs/o-a1b2c3d4e5/*" in json.dumps(properties(template, "AWS::S3::BucketPolicy"))


def test_topic_brings_notifications_and_others_are_told_what_to_allow(template_of: TemplateOf) -> None:
    """The log-archive account owns topic and bucket; its administrator pastes these statements."""
    topic = "arn:aws:sns:eu-central-1:999988887777:trail"

    template = template_of(trail_bucket="archive-logs", trail_topic_arn=topic)

    subscriptions = resources(template, "AWS::SNS::Subscription").values()
    ours = {plain(one["Properties"]["Endpoint"]): one["Properties"]["TopicArn"] for one in subscriptions}
    assert ours["IngestQueue.Arn"] == topic
    assert topic in json.dumps(properties(template, "AWS::SQS::QueuePolicy", "IngestQueue"))
    assert not resources(template, "Custom::S3BucketNotifications")
    allowed = {name: plain(template["Outputs"][name]["Value"]) for name in ("AllowOnTopic", "AllowOnBucket")}
    assert json.loads(allowed["AllowOnTopic"])["Action"] == "sns:Subscribe"
    read = json.loads(allowed["AllowOnBucket"])
    assert read["Principal"] == {"AWS": "DetectorRole.Arn"}
    assert read["Resource"].endswith(":s3:::archive-logs/AWSLogs/*")


def test_eventbridge_brings_notifications(template_of: TemplateOf) -> None:
    """For buckets whose notifications already go there; nothing is changed on the bucket."""
    template = template_of(trail_bucket="my-logs", trail_prefix="org", eventbridge=True)

    rule = properties(template, "AWS::Events::Rule", "Ingest")
    assert rule["EventPattern"]["detail"] == {
        "bucket": {"name": ["my-logs"]},
        "object": {"key": [{"prefix": "org/AWSLogs/"}]},
    }
    assert plain(rule["Targets"][0]["Arn"]) == "IngestQueue.Arn"
    assert not resources(template, "Custom::S3BucketNotifications")


def test_new_bucket_sends_to_eventbridge_if_that_is_the_way(template_of: TemplateOf) -> None:
    """A rule that waits for events nobody sends would be silence."""
    (notifications,) = resources(template_of(eventbridge=True), "Custom::S3BucketNotifications").values()

    assert notifications["Properties"]["NotificationConfiguration"] == {"EventBridgeConfiguration": {}}


ALARMS = {
    "DeadLettersNotEmpty": ("ApproximateNumberOfMessagesVisible", "notBreaching"),
    "AlertDeadLettersNotEmpty": ("ApproximateNumberOfMessagesVisible", "notBreaching"),
    "OldestNotification": ("ApproximateAgeOfOldestMessage", "notBreaching"),
    "DetectorErrors": ("Errors", "notBreaching"),
    "DetectorThrottled": ("Throttles", "notBreaching"),
    "DetectorCountMismatch": ("CountMismatch", "notBreaching"),
    "NotifierErrors": ("Errors", "notBreaching"),
    "NotifierThrottled": ("Throttles", "notBreaching"),
    "NotifierCountMismatch": ("CountMismatch", "notBreaching"),
    "DeliveryDelayed": ("IteratorAge", "notBreaching"),
    "DeliveryFailing": ("HitsFailed", "notBreaching"),
    "HitsNotReceived": ("HitsNotReceived", "notBreaching"),
    "Silence": ("ObjectsRead", "breaching"),
    "ClockErrors": ("Errors", "notBreaching"),
    "ClockThrottled": ("Throttles", "notBreaching"),
    "ClockStopped": ("ClockRuns", "breaching"),
    "CanaryMissing": ("CanariesReturned", "breaching"),
}


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_watches_and_tells_operations(new_trail: Template, name: str) -> None:
    """Where a promise can break, somebody is told; missing data is silence only for the dead-man's switch."""
    alarm = properties(new_trail, "AWS::CloudWatch::Alarm", f"Watch{name}")

    metric, missing = ALARMS[name]
    assert (alarm["MetricName"], alarm["TreatMissingData"]) == (metric, missing)
    assert plain(alarm["AlarmActions"][0]) == "WatchTopic"
    assert alarm["AlarmDescription"] == alarm_advice(name).text


def test_hits_that_are_kept_and_not_received_fire(new_trail: Template) -> None:
    """A mapping that is off makes no error: all other alarms stay green while nobody is notified."""
    alarm = properties(new_trail, "AWS::CloudWatch::Alarm", "WatchHitsNotReceived")

    assert (alarm["Statistic"], alarm["Period"]) == ("Minimum", 300)  # 1 where kept, 0 where received
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (2, 12, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def test_no_alarm_is_left_out_of_the_table(new_trail: Template) -> None:
    """Every alarm is one that somebody thought about."""
    assert len(resources(new_trail, "AWS::CloudWatch::Alarm")) == len(ALARMS)


def test_every_functions_handler_is_in_the_asset(template_of: TemplateOf) -> None:
    """One that is not fails at every call; where it is the clock's, no canary is sent, and none is missed."""
    functions = resources(template_of(audit=True), "AWS::Lambda::Function").values()
    handlers = {one["Properties"]["Handler"].rpartition(".")[0] for one in functions}

    assert {name for name in handlers if name.startswith("trailbell.")} == set(HANDLERS)


_IN_WORDS = {15: "fifteen", 16: "sixteen", 17: "seventeen", 18: "eighteen", 19: "nineteen", 20: "twenty"}


def test_pages_count_the_alarms_that_the_stack_has(new_trail: Template) -> None:
    """Written by hand in two places; what doctor prints in getting-started is held by tests/e2e/test_doctor.py."""
    count, docs = len(resources(new_trail, "AWS::CloudWatch::Alarm")), Path(__file__).parents[2] / "docs"

    assert f": {_IN_WORDS[count]} alarms notify" in (docs.parent / "README.md").read_text(encoding="utf-8")
    assert f"There are always {_IN_WORDS[count]}" in (docs / "operating.md").read_text(encoding="utf-8")


def test_every_alarm_stands_in_the_page_for_operators_with_what_it_says(template_of: TemplateOf) -> None:
    """Woken up by a name, one searches for it; a page that lacks it, or says something else, costs the night."""
    text = (Path(__file__).parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    notified = dict(re.findall(r"^### (\w+)\n\n> (.*)$", text, re.MULTILINE))
    alarms = resources(template_of(event_bus=True, audit=True, live=True), "AWS::CloudWatch::Alarm", "Watch")

    says = {name[len("Watch") : -8]: alarm["Properties"]["AlarmDescription"] for name, alarm in alarms.items()}
    assert notified == says


def test_doctor_knows_every_alarm_of_the_stack_by_the_name_that_cloudformation_gives_it(
    template_of: TemplateOf,
) -> None:
    """One that it does not know is explained by its own description, which anybody may have changed."""
    for identifier in resources(template_of(event_bus=True, audit=True), "AWS::CloudWatch::Alarm", "Watch"):
        (finding,) = alarm_findings([Alarm(f"trailbell-{identifier}-aB3dE6gH9", "ALARM", "changed", True)], 1)
        assert finding.condition == f"alarm.{identifier[len('Watch') : -8]}"


def test_alarms_may_publish_to_the_operations_topic(new_trail: Template) -> None:
    """A topic with a policy of its own no longer lets the account's alarms in."""
    statements = properties(new_trail, "AWS::SNS::TopicPolicy", "Watch")["PolicyDocument"]["Statement"]

    allowed = [one for one in statements if one["Effect"] == "Allow"]
    assert [(one["Principal"], one["Action"]) for one in allowed] == [
        ({"Service": "cloudwatch.amazonaws.com"}, "sns:Publish")
    ]


def test_silence_is_as_long_as_chosen(template_of: TemplateOf) -> None:
    """A quiet sandbox needs another limit than a busy account, or none."""
    alarm = properties(template_of(silence_minutes=120), "AWS::CloudWatch::Alarm", "WatchSilence")

    assert alarm["EvaluationPeriods"] * alarm["Period"] == 120 * 60
    assert not resources(template_of(silence_minutes=0), "AWS::CloudWatch::Alarm", "WatchSilence")


def test_operations_go_to_those_who_get_alerts_unless_others_are_named(template_of: TemplateOf) -> None:
    """An alarm nobody gets is no alarm."""
    same = template_of(alert_emails={"ops@example.com": "medium"})
    other = template_of(alert_emails={"ops@example.com": "medium"}, operations_emails=("sre@example.com",))

    def notified(template: Template) -> list[str]:
        found = resources(template, "AWS::SNS::Subscription", "WatchTopic").values()
        return [one["Properties"]["Endpoint"] for one in found]

    assert (notified(same), notified(other)) == (["ops@example.com"], ["sre@example.com"])


def test_new_trail_encrypts_with_the_key_that_is_given(template_of: TemplateOf) -> None:
    """Whoever must have a key of their own gets it, and the detector may decrypt with that one alone."""
    key = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"

    template = template_of(trail_key_arn=key)

    assert properties(template, "AWS::CloudTrail::Trail")["KMSKeyId"] == key
    statements = properties(template, "AWS::IAM::Policy", "DetectorRole")["PolicyDocument"]["Statement"]
    assert [one["Resource"] for one in statements if one["Action"] == "kms:Decrypt"] == [key]


@pytest.mark.parametrize(
    ("name", "given", "where"),
    [("trailbell", {}, None), ("other", {}, "--stack other"), ("trailbell", {LOCAL: "true"}, "--local")],
)
def test_commands_in_mails_lead_to_this_stack(
    context: dict[str, Any], tmp_path: Path, name: str, given: dict[str, str], where: str | None
) -> None:
    """Whoever pastes one would otherwise ask another table, in a demo the one of their own account."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "dummy.py").write_text("", encoding="utf-8")
    app = cdk.App(context={**context, **given}, outdir=str(tmp_path / "cdk.out"))
    stack = TrailbellStack(app, name, settings=given_settings(), code=code)
    functions = assertions.Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    environments = {
        one["Properties"]["Description"]: one["Properties"]["Environment"]["Variables"]
        for one in functions
        if "Environment" in one["Properties"]
    }

    for function in ("trailbell notifier", "trailbell clock"):
        assert environments[function].get("TRAILBELL_WHERE") == where
        assert json.loads(environments[function]["TRAILBELL_QUIET_MINUTES"]) == {"default": 60}
