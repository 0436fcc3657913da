"""What is deployed against what was: references of a template, when two values are the same, who is denied."""

from typing import Any

import pytest

from trailbell.ops.answers import Declared, Reading, Refusal
from trailbell.ops.checks.as_deployed import deployment_findings
from trailbell.ops.checks.equality import is_same, statement
from trailbell.ops.checks.foreign import denial_findings, foreign_subscriber_findings, move_findings
from trailbell.ops.checks.stack import stack_findings
from trailbell.ops.live.embedded import as_embedded
from trailbell.ops.references import ANY, References


QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/ingest"
REFERENCES = References(
    types={"Queue": "AWS::SQS::Queue", "Table": "AWS::DynamoDB::Table", "Group": "AWS::Logs::LogGroup"},
    physical={"Queue": QUEUE, "Table": "hits", "Group": "/a/b"},
    values={"AWS::Region": "eu-central-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws-cn", "P": "v"},
    attributes={("Table", "StreamArn"): "arn:stream"},
)
ROLE = "arn:aws:iam::123456789012:role/detector"
OBJECTS = "arn:aws:s3:::logs/AWSLogs/*"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Queue"}, QUEUE),
        ({"Ref": "P"}, "v"),
        ({"Ref": "nobody"}, ANY),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws-cn:sqs:eu-central-1:123456789012:ingest"),
        ({"Fn::GetAtt": "Queue.QueueName"}, "ingest"),
        ({"Fn::GetAtt": ["Group", "Arn"]}, "arn:aws-cn:logs:eu-central-1:123456789012:log-group:/a/b:*"),
        ({"Fn::GetAtt": ["Table", "StreamArn"]}, "arn:stream"),
        ({"Fn::GetAtt": ["Table", "Unheard"]}, ANY),
        ({"Fn::Join": ["/", ["a", {"Ref": "P"}, {"Ref": "nobody"}]]}, f"a/v/{ANY}"),
        ({"Fn::Sub": "${AWS::Region}-${Queue.QueueName}-${!x}"}, "eu-central-1-ingest-${x}"),
        ({"Fn::Sub": ["${a}", {"a": {"Ref": "P"}}]}, "v"),
        ({"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Queue", "Arn"]}]}]}, "ingest"),
        ({"Fn::ImportValue": "x"}, ANY),
        ({"a": [{"Ref": "AWS::NoValue"}, 1], "b": {"Ref": "AWS::NoValue"}}, {"a": [1]}),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ),
    ],
)
def test_references_are_filled_in(value: Any, expected: Any) -> None:
    """What a template says by reference is compared with what AWS says by name."""
    assert REFERENCES.resolve(value) == expected


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        (90, "90"),
        (1.0, "1"),
        (True, "true"),
        (["a", "b"], ["b", "a"]),
        (["a"], "a"),
        ({"level": ["high"]}, '{"level":["high"]}'),
        ({"a": None, "b": []}, None),
        ("", None),
        (f"arn:{ANY}:x", "arn:aws:x"),
        (ANY, {"anything": 1}),
        ([f"{ANY}b", "ab"], ["ab", "cb"]),
    ],
)
def test_the_same_thing_written_differently_is_the_same(declared: object, live: object) -> None:
    """AWS writes back in its own way; a difference of writing is no finding."""
    assert is_same(declared, live)


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        (90, 1),
        ("a", None),
        (None, "a"),
        (["a", "b"], ["a", "a"]),
        ({"a": 1}, {"a": 1, "b": 2}),
        (f"arn:{ANY}:x", "arn:aws:y"),
        ("{not json", "{other"),
        ("0123456789012345678901", "0123456789012345678902"),
        ("007", "7.5"),
    ],
)
def test_what_differs_is_not_the_same(declared: object, live: object) -> None:
    """One character in a filter silences everybody."""
    assert not is_same(declared, live)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Sid": "1", "Action": "SNS:Publish"}, {"Action": ["sns:publish"]}),
        ({"Principal": "*"}, {"Principal": {"AWS": "*"}}),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, {"Principal": {"AWS": "123456789012"}}),
    ],
)
def test_statements_are_the_same_however_aws_writes_them(one: dict[str, Any], other: dict[str, Any]) -> None:
    """IAM reads actions without regard to case, and an account as its root."""
    assert is_same(statement(one), statement(other))


def function(**live: Any) -> Reading:
    declared = {"Environment": {"Variables": {"A": "1", "SECRET": "old"}}, "Handler": "a.b"}
    return Reading(Declared("Notifier", "AWS::Lambda::Function", "notifier", declared), live)


def test_values_of_an_environment_are_not_shown() -> None:
    """They may be secrets, and a finding is pasted into tickets."""
    (finding,) = deployment_findings([function(Environment={"Variables": {"A": "1", "SECRET": "new", "B": "2"}})], [])

    assert "not as deployed: B, SECRET." in finding.meaning
    assert "old" not in finding.meaning + finding.fix
    assert "new" not in finding.meaning + finding.fix


def test_what_an_aws_does_not_answer_at_all_is_not_a_difference() -> None:
    """An emulator that knows no handlers must not make a lie."""
    assert [finding.state for finding in deployment_findings([function(Environment=None)], [])] == ["problem"]
    assert [finding.state for finding in deployment_findings([function()], [])] == ["ok"]


def test_bus_without_a_policy_is_a_problem_but_in_the_embedded_aws() -> None:
    """AWS leaves the policy out where there is none; the embedded AWS keeps none whatever was deployed."""
    allow = {"Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Principal": "*"}]}
    bus = Declared("Bus", "AWS::Events::EventBus", "live", {"Policy": allow})
    states = {
        name: next((one.state, one.check) for one in deployment_findings([reading], ()))
        for name, reading in {
            "aws": Reading(bus, {"Policy": {}}),
            "embedded": as_embedded(Reading(bus, {"Policy": {}})),
            "embedded, kept": as_embedded(Reading(bus, {"Policy": allow})),
        }.items()
    }

    assert states["aws"] == ("problem", "Bus")
    assert states["embedded"] == ("unknown", "as deployed: DescribeEventBus")
    assert states["embedded, kept"] == ("ok", "as deployed")


def test_a_question_refused_for_many_resources_is_one_finding() -> None:
    """Who may not look at roles is told so once."""
    refused = Refusal("GetRole", "AccessDenied", "no")
    readings = [Reading(function().resource, {}, "", (refused,)) for _ in range(3)]

    unknown, fine = deployment_findings(readings, [])

    assert (unknown.state, unknown.condition) == ("unknown", "check.not-permitted")
    assert "(and of 2 more)" in unknown.meaning
    assert "as far as can be seen" in fine.meaning


def test_what_cannot_be_known_is_said_in_words() -> None:
    """A control character in front of an operator says nothing."""
    declared = {"PolicyDocument": {"Statement": {"Effect": "Allow", "Resource": f"arn:{ANY}"}}, "Topics": ["t"]}
    policy = Declared("Policy", "AWS::SNS::TopicPolicy", "policy", declared)

    (finding,) = deployment_findings([Reading(policy, {"PolicyDocument": {}})], [])

    assert '"Resource": "arn:(unknown)"' in finding.meaning


@pytest.mark.parametrize(("source", "expected"), [("arn:rule", []), ("arn:other", ["function.permission"])])
def test_a_permission_that_is_gone_is_found(source: str, expected: list[str]) -> None:
    """Without it the schedule calls nobody."""
    properties = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": "arn:rule"}
    resource = Declared("Allow", "AWS::Lambda::Permission", "allow", {**properties, "FunctionName": "clock"})
    one = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {"ArnLike": {"AWS:SourceArn": source}},
    }

    found = deployment_findings([Reading(resource, {"Statement": [one]})], [])

    assert [finding.condition for finding in found if finding.condition] == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["problem"]),
        ({"Action": ["s3:Get*"]}, ["problem"]),
        ({"Principal": {"AWS": ROLE}}, ["problem"]),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}, ["problem"]),
        ({"Resource": "arn:aws:s3:::logs/AWSLogs/123456789012/*"}, ["problem"]),
        ({"NotAction": "s3:PutObject", "Action": None}, ["problem"]),
        ({"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:role/other"}, "Principal": None}, ["problem"]),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc"}}}, ["warning"]),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, []),
        ({"Effect": "Allow"}, []),
        ({"Action": "s3:DeleteObject"}, []),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}, []),
        ({"NotPrincipal": {"AWS": ROLE}, "Principal": None}, []),
        ({"Resource": "arn:aws:s3:::logs/other/*"}, []),
    ],
)
def test_a_policy_that_denies_the_detector_is_found(change: dict[str, Any], expected: list[str]) -> None:
    """The bucket of another stack or account: its policy is not in the template."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"}
    one = {name: value for name, value in {**deny, **change}.items() if value is not None}

    found = denial_findings("logs", {"Statement": [one]}, ROLE, OBJECTS)

    assert [finding.state for finding in found] == expected


def test_subscribers_of_the_settings_and_of_the_own_account_are_not_foreign() -> None:
    """Queues of one's own account are subscribed by hand, as the output says."""
    own = {"Protocol": "email", "Endpoint": "ops@example.com"}
    queue = {"Protocol": "sqs", "Endpoint": "arn:aws:sqs:eu-central-1:123456789012:tickets"}
    foreign = {"Protocol": "sqs", "Endpoint": "arn:aws:sqs:eu-central-1:999999999999:tickets"}

    (found,) = foreign_subscriber_findings(
        "AlertTopic", [own, queue, foreign], {("email", "ops@example.com")}, "123456789012"
    )

    assert "999999999999" in found.meaning


def test_a_redrive_of_ones_own_is_not_foreign() -> None:
    """`trailbell dlq redrive` moves messages, too: to where they came from."""
    assert not list(move_findings("DeadLetters", ["", "arn:ingest"], {"arn:ingest"}))


@pytest.mark.parametrize(
    ("status", "condition"),
    [
        ("CREATE_COMPLETE", ""),
        ("UPDATE_COMPLETE", ""),
        ("UPDATE_ROLLBACK_COMPLETE", "stack.rolled-back"),
        ("UPDATE_IN_PROGRESS", "stack.changing"),
        ("UPDATE_ROLLBACK_FAILED", "stack.failed"),
        ("ROLLBACK_FAILED", "stack.failed"),
        ("DELETE_FAILED", "stack.deleted"),
        ("DELETE_IN_PROGRESS", "stack.deleted"),
    ],
)
def test_status_of_the_stack_is_judged(status: str, condition: str) -> None:
    """A stack half deleted looks whole in each of its parts that are left."""
    (finding,) = stack_findings("trailbell", status)

    assert finding.condition == condition
