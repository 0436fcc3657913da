"""Who tries to reach us through an AWS service that may: the confused deputies, each tried on the template's policies.

moto ignores the conditions of policies on buckets, queues and topics, so they are read by themselves here.
https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.infra.iam.account import ACCOUNT, REGION
from tests.infra.iam.statements import Statement, Template, listed


_THEIRS = "999988887777"
_POLICIES = {"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"}


@dataclass(frozen=True)
class Attempt:
    """One call on one of our resources, by a service for somebody, or by an identity; whether it must succeed.

    on, of: logical id of the resource whose policy answers, and what is tried there (its ARN ends so).
    """

    who: str
    principal: str
    action: str
    on: str
    context: Mapping[str, str]
    allowed: bool
    below: str = ""

    def __str__(self) -> str:
        return f"{self.who}: {self.action} on {self.on}{self.below}"


def attempts(bucket_arn: str) -> Iterator[Attempt]:
    """The attempts on a stack with its own trail: each deputy for us, and for everybody else in turn."""
    yield from _services("s3.amazonaws.com", "sqs:SendMessage", "IngestQueue", bucket_arn, "arn:aws:s3:::attackers")
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:trailbell-WatchSilence"
    yield from _services(
        "cloudwatch.amazonaws.com", "sns:Publish", "WatchTopic", alarm, alarm.replace(ACCOUNT, _THEIRS)
    )
    trail = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/trailbell"
    for action, below in (("s3:GetBucketAcl", ""), ("s3:PutObject", f"/AWSLogs/{ACCOUNT}/CloudTrail/x.json.gz")):
        for other in (trail.replace(ACCOUNT, _THEIRS), f"{trail}-2"):
            yield from _services("cloudtrail.amazonaws.com", action, "TrailBucket", trail, other, below)
    yield from _publishers()


def _services(service: str, action: str, on: str, ours: str, theirs: str, below: str = "") -> Iterator[Attempt]:
    acl = {"s3:x-amz-acl": "bucket-owner-full-control"} if action == "s3:PutObject" else {}
    for who, arn, account, allowed in (
        ("ours", ours, ACCOUNT, True),
        ("another's", theirs, _THEIRS, False),
        ("one of ours that is not meant", theirs, ACCOUNT, False),
        ("without a source", "", "", False),
    ):
        # A trail's ARN says whose it is; a bucket's does not, so its owner counts as well.
        context = acl | ({"aws:SourceArn": arn, "aws:SourceAccount": account} if arn else {})
        yield Attempt(f"{service}, {who}", service, action, on, context, allowed, below)
    if service == "s3.amazonaws.com":
        taken = {"aws:SourceArn": ours, "aws:SourceAccount": _THEIRS}
        yield Attempt(f"{service}, our bucket's name in another account", service, action, on, taken, False, below)


def _publishers() -> Iterator[Attempt]:
    """Nobody but the notifier publishes alerts; its identity policy allows it, so the topic's must only not deny."""
    topic = "AlertsTopic"
    for service in ("cloudwatch.amazonaws.com", "events.amazonaws.com", "s3.amazonaws.com"):
        context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"arn:aws:x:{REGION}:{ACCOUNT}:y"}
        yield Attempt(f"{service}, ours", service, "sns:Publish", topic, context, allowed=False)
    for who, account, role, allowed in (
        ("the notifier", ACCOUNT, "NotifierRole", True),
        ("the detector", ACCOUNT, "DetectorRole", False),
        ("an administrator", ACCOUNT, "Admin", False),
        ("another account's notifier", _THEIRS, "NotifierRole", False),
    ):
        arn = f"arn:aws:iam::{account}:role/{role}"
        yield Attempt(who, arn, "sns:Publish", topic, {"aws:PrincipalArn": arn}, allowed)


def lines(bucket_arn: str) -> Iterator[str]:
    """The attempts as lines of a Markdown table, each kind once."""
    found = [
        f"| {one.who} | `{one.action}` | {one.on} | {'allowed' if one.allowed else '-'} |"
        for one in attempts(bucket_arn)
    ]
    yield from dict.fromkeys(found)


def answer(attempt: Attempt, template: Template, resolve: Callable[[Any], Any]) -> bool:
    """Whether the policies of a template let an attempt through; an identity of ours may do what nothing denies."""
    statements = list(_statements(attempt.on, template, resolve))
    context = {"aws:SecureTransport": "true", **attempt.context}
    fits = [one for one in statements if _is_about(one, attempt) and _holds(one.get("Condition", {}), context)]
    if any(one["Effect"] == "Deny" for one in fits):
        return False
    return bool(fits) or attempt.principal.startswith(f"arn:aws:iam::{ACCOUNT}:")


def _statements(on: str, template: Template, resolve: Callable[[Any], Any]) -> Iterator[Statement]:
    for name, resource in template["Resources"].items():
        if resource["Type"] in _POLICIES and re.fullmatch(rf"{on}Policy[0-9A-F]{{8}}", name):
            yield from resolve(resource["Properties"]["PolicyDocument"]["Statement"])


def _is_about(statement: Statement, attempt: Attempt) -> bool:
    principal = statement["Principal"]
    named = ["*"] if principal == "*" else [one for value in principal.values() for one in listed(value)]
    actions = listed(statement["Action"])
    resources = [str(one) for one in listed(statement["Resource"])]
    # The policy hangs on one resource: what matters is the part below it.
    below = any(_like(one[one.rfind("/AWSLogs") :] if "/AWSLogs" in one else "", attempt.below) for one in resources)
    everything = statement["Effect"] == "Deny"
    return (
        ("*" in named or attempt.principal in named)
        and any(_like(one, attempt.action) for one in actions)
        and (below or everything)
    )


def _holds(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        _OPERATORS[operator](context.get(key), [str(one) for one in listed(values)])
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _matches(value: str | None, wanted: list[str]) -> bool:
    """A key that is missing matches nothing, and so matches every negated operator.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    return value is not None and any(_like(one, value) for one in wanted)


_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "ArnLike": _matches,
    "ArnEquals": _matches,
    "StringEquals": lambda value, wanted: value in wanted,
    "Bool": lambda value, wanted: value in wanted,
    "ArnNotEquals": lambda value, wanted: not _matches(value, wanted),
}
