"""No service of AWS lends anybody its hand against us: policies are tried with a foreign account and a foreign ARN."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.iam.account import ACCOUNT, REGION
from tests.infra.iam.deputies import Attempt, answer, attempts, lines
from tests.infra.iam.statements import Template
from tests.infra.whole_stack import shipped_patterns
from trailbell.rulebook.member_template import member_template


TemplateOf = Callable[..., Template]
BUCKET = "arn:aws:s3:::trailbucket"
PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def resolve(value: Any) -> Any:
    """References as ARNs of our account, without the CDK's hash."""
    match value:
        case {"Ref": str(name)}:
            fixed = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT}
            return fixed.get(name, name[:-8])
        case {"Fn::GetAtt": [name, "Arn"]}:
            return {"TrailBucket": BUCKET}.get(name[:-8], f"arn:aws:iam::{ACCOUNT}:role/{name[:-8]}")
        case {"Fn::Join": [joint, parts]}:
            return joint.join(map(resolve, parts))
        case dict():
            return {key: resolve(member) for key, member in value.items()}
        case list():
            return [resolve(member) for member in value]
    return value


def wrong(template: Template) -> list[str]:
    return [str(one) for one in attempts(BUCKET) if answer(one, template, resolve) != one.allowed]


def test_service_acts_for_us_alone(template_of: TemplateOf) -> None:
    """S3, CloudWatch and CloudTrail do for every account what they do for ours, unless a policy asks for whom."""
    assert wrong(template_of()) == []


@pytest.mark.parametrize(
    ("policy", "key"),
    [
        ("IngestQueuePolicy", "aws:SourceArn"),
        ("IngestQueuePolicy", "aws:SourceAccount"),
        ("WatchTopicPolicy", "aws:SourceArn"),
        ("TrailBucketPolicy", "aws:SourceArn"),
        ("AlertsTopicPolicy", "aws:PrincipalArn"),
    ],
)
def test_every_condition_is_missed_when_taken_away(template_of: TemplateOf, policy: str, key: str) -> None:
    """Were the attempts toothless, a policy without its conditions would pass them."""
    template = dict(template_of())
    template["Resources"] = dict(_without(template, policy, key))

    assert wrong(template) != []


def _without(template: Template, policy: str, key: str) -> Iterator[tuple[str, Any]]:
    for name, resource in template["Resources"].items():
        if not name.startswith(policy):
            yield name, resource
            continue
        document = resource["Properties"]["PolicyDocument"]
        statements = [
            {**one, "Condition": {op: _less(keys, key) for op, keys in one.get("Condition", {}).items()}}
            for one in document["Statement"]
            if not (one["Effect"] == "Deny" and key in str(one))
        ]
        yield name, {**resource, "Properties": {"PolicyDocument": {"Statement": statements}}}


def _less(keys: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if name != key}


@pytest.mark.parametrize(
    ("settings", "service", "ours", "theirs"),
    [
        pytest.param(
            {"trail_bucket": "central-logs", "trail_topic_arn": f"arn:aws:sns:{REGION}:111122223333:trail"},
            "sns.amazonaws.com",
            f"arn:aws:sns:{REGION}:111122223333:trail",
            f"arn:aws:sns:{REGION}:999988887777:trail",
            id="topic",
        ),
        pytest.param(
            {"trail_bucket": "central-logs", "eventbridge": True},
            "events.amazonaws.com",
            f"arn:aws:iam::{ACCOUNT}:role/IngestCreated",
            f"arn:aws:events:{REGION}:999988887777:rule/IngestCreated",
            id="eventbridge",
        ),
        pytest.param(
            {"live": True, "live_organization": "o-a1b2c3d4e5"},
            "events.amazonaws.com",
            f"arn:aws:iam::{ACCOUNT}:role/LiveForwardedEvents1",
            f"arn:aws:events:{REGION}:999988887777:rule/trailbell-live/LiveForwardedEvents1",
            id="live",
        ),
    ],
)
def test_queue_takes_messages_of_the_one_topic_or_rule(
    template_of: TemplateOf, settings: dict[str, Any], service: str, ours: str, theirs: str
) -> None:
    """Their ARNs hold the account, which is why the ARN alone is enough."""
    template = template_of(**settings)

    def reaches(arn: str) -> bool:
        context = {"aws:SourceArn": arn} if arn else {}
        attempt = Attempt(service, service, "sqs:SendMessage", "IngestQueue", context, allowed=True)
        return answer(attempt, template, resolve)

    assert [reaches(arn) for arn in (ours, theirs, "")] == [True, False, False]


def test_member_accepts_messages_of_its_own_rules_alone() -> None:
    """EventBridge sends for every account; a member's dead letters are its own rules' and nobody else's."""
    template = json.loads(json.dumps(member_template(shipped_patterns().own)))
    template["Resources"] = {
        {"DeadLettersPolicy": "DeadLettersPolicy00000000"}.get(name, name): one
        for name, one in template["Resources"].items()
    }

    def reaches(service: str, arn: str, transport: str = "true") -> bool:
        context = {"aws:SourceArn": arn, "aws:SecureTransport": transport} if arn else {}
        attempt = Attempt(service, service, "sqs:SendMessage", "DeadLetters", context, allowed=True)
        return answer(attempt, template, resolve_member)

    ours = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/Events1"
    theirs = ours.replace(ACCOUNT, "999988887777")
    assert reaches("events.amazonaws.com", ours)
    assert not reaches("events.amazonaws.com", theirs)
    assert not reaches("events.amazonaws.com", "")
    assert not reaches("events.amazonaws.com", ours, transport="false")
    assert not reaches("s3.amazonaws.com", ours)


def resolve_member(value: Any) -> Any:
    """A member's references; its logical ids have no hash."""
    match value:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"
        case dict():
            return {key: resolve_member(member) for key, member in value.items()}
        case list():
            return [resolve_member(member) for member in value]
    return value


def test_documented_attempts_are_those_that_are_made() -> None:
    """docs/security.md is what auditors read."""
    text = PAGE.read_text(encoding="utf-8")

    assert [line for line in lines(BUCKET) if line not in text] == []
