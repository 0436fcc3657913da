"""A hit as a finding of other products: what OCSF (alerts/ocsf.py) and Security Hub (alerts/asff.py) have in common.

There a finding is one thing with a state, and each message about it says its state anew. So an act is one finding,
whichever rule reports it and whatever follows: a stronger verdict and a follow-up carry the same id. Which message is
the newer one follows from the message alone, so that duplicates and any order of arrival end in the same state.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest

from trailbell.alerts.alert import Alert
from trailbell.hits.dated_steps import dated_steps, urgency
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import ACT, Hit
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.times import iso_time


# Places among what is said of an act in the same second, after all verdicts, whose levels count from 0.
_RANKS = {What.REMINDER: 10, What.TOO_LATE: 11, What.UNDONE: 12}
_CLOSED = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of one act.

    said:     the follow-up, None for the alert itself.
    alert_id: of the alert that the hit is in, "" for none.
    as_of:    when it is sent (UTC, ISO 8601 with Z), "" if unknown.
    """

    hit: Hit
    said: FollowUp | None = None
    alert_id: str = ""
    as_of: str = ""

    @property
    def uid(self) -> str:
        """The act's id, the same in every message about it."""
        account, event_id, kept_as = self.hit.identity
        return "/".join((account, event_id, ACT if self.hit.kept_as else kept_as))

    @property
    def message_uid(self) -> str:
        """The message's id, the same when it is sent again."""
        return f"{self.hit.hit_id}-{self.said.name}" if self.said else self.hit.hit_id

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left of the act: it was undone. What was replaced, stopped or answered stays open."""
        return self.said is not None and self.said.word == What.UNDONE

    @property
    def is_update(self) -> bool:
        """Whether an earlier message made the finding."""
        return self.said is not None or bool(self.hit.raised_from)

    @property
    def updated_at(self) -> str:
        """When this became known (UTC, ISO 8601 with milliseconds).

        An alert or a reminder says the same when it is sent again, so that it changes nothing which came since. What
        became of an act is said as of its sending: the call that undid it may be older than a reminder that was sent
        before its record came. The milliseconds are no time, but put in order what is known in the same second.
        """
        moments, rank = [self.hit.seen_at], int(self.hit.severity)
        if self.said:
            rank = _CLOSED if self.is_closed else _RANKS[self.said.what]
            moments += [self.said.at, self.as_of if self.said.what is What.UNDONE else ""]
        latest = max(datetime.fromisoformat(moment) for moment in moments if moment)
        return f"{iso_time(latest).removesuffix('Z')}.{rank:03}Z"


def findings_of(alert: Alert) -> Iterator[Finding]:
    """A finding for each hit of an alert, in their order."""
    for hit, said in zip_longest(alert.hits, alert.follow_ups):
        yield Finding(hit, said, alert.alert_id, alert.as_of)


# An ARN's service and type → the type's name in CloudFormation and OCSF, and in Security Hub's format.
# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html
_TYPES = {
    "kms:key": ("AWS::KMS::Key", "AwsKmsKey"),
    "kms:alias": ("AWS::KMS::Alias", ""),
    "cloudhsm:cluster": ("AWS::CloudHSM::Cluster", ""),
    "cloudtrail:trail": ("AWS::CloudTrail::Trail", "AwsCloudTrailTrail"),
    "cloudtrail:eventdatastore": ("AWS::CloudTrail::EventDataStore", ""),
    "ssm:parameter": ("AWS::SSM::Parameter", ""),
    "ssm:document": ("AWS::SSM::Document", ""),
    "ssm:association": ("AWS::SSM::Association", ""),
    "s3:": ("AWS::S3::Bucket", "AwsS3Bucket"),
    "iam:role": ("AWS::IAM::Role", "AwsIamRole"),
    "iam:user": ("AWS::IAM::User", "AwsIamUser"),
    "ec2:instance": ("AWS::EC2::Instance", "AwsEc2Instance"),
    "dynamodb:table": ("AWS::DynamoDB::Table", "AwsDynamoDbTable"),
    "cloudformation:stack": ("AWS::CloudFormation::Stack", "AwsCloudFormationStack"),
    "events:event-bus": ("AWS::Events::EventBus", "AwsEventsEventbus"),
    "events:rule": ("AWS::Events::Rule", ""),
    "sns:": ("AWS::SNS::Topic", "AwsSnsTopic"),
    "sqs:": ("AWS::SQS::Queue", "AwsSqsQueue"),
    "ram:resource-share": ("AWS::RAM::ResourceShare", ""),
}
_LONE_TYPES = {service for service, _, kind in (name.partition(":") for name in _TYPES) if not kind}
_ARN = lazy_pattern(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}|):(\S.*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class NamedResource:
    """A resource of a hit and what its name says of it; all but the name is "" where it does not.

    name:    as the hit has it: an ARN, or what the record calls it.
    last:    the part of an ARN after the type.
    type:    as CloudFormation and OCSF name it; asff_type: as Security Hub does.
    """

    name: str
    partition: str = ""
    region: str = ""
    account: str = ""
    last: str = ""
    type: str = ""
    asff_type: str = ""


def named(resource: str) -> NamedResource:
    """Read a resource's name. Total: what is no ARN has its name alone."""
    parts = _ARN.fullmatch(resource)
    if not parts:
        return NamedResource(resource)
    partition, service, region, account, rest = parts.groups()
    kind, slash, last = rest.partition("/")
    lone = service in _LONE_TYPES and not slash and ":" not in rest
    type_, asff_type = _TYPES.get(f"{service}:" if lone else f"{service}:{kind}", ("", ""))
    return NamedResource(resource, partition, region, account, rest if lone else last, type_, asff_type)


def undo_lines(hit: Hit) -> list[str]:
    """How to undo an act: until when, each command on a line of its own and whole, and what there is to know."""
    lines, steps = list[str](), dated_steps(hit)
    untils = sorted(dict.fromkeys(step.until for step in steps), key=urgency)
    for until in untils:
        heading = f"Undo until {until}:" if until else "Undo, without a deadline:" if len(untils) > 1 else ""
        lines += [*filter(None, (heading,)), *(step.text for step in steps if step.until == until)]
    return [*lines, *([hit.undo_note] if hit.undo_note else [])]


def sentence(hit: Hit, names: Sequence[str]) -> str:
    """Who did what to which resources, where, when and how it went; names: the resources as they are to be called."""
    on = f" on {', '.join(names[:3])}" if names else ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    where = f"account {hit.account}" + (f", {hit.region}" if hit.region else "")
    return f"{hit.actor.text} called {hit.event_name}{on}{more} in {where}, {hit.event_time}: {hit.outcome}."
