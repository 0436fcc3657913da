"""Live events: EventBridge brings what the rules watch seconds after the act, the log files follow as ever.

Rules on the account's own default bus send to the ingest queue. Other Regions and accounts forward to a bus of the
stack's own (member.py), whose rules send to the same queue. EventBridge forwards no event a third time, so there is no
bus between. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from trailbell.rulebook.live_calls import OWN_ACCOUNT
from trailbell.rulebook.live_patterns import LivePattern, LivePatterns

from .ingest_queue import IngestQueue
from .settings import Settings


_RETRIES = 185  # as many as there are
_RETRY_SECONDS = 24 * 3600


class LiveEvents(Construct):
    """Gives `central_arn`, the ARN of the bus that members forward to."""

    def __init__(
        self, scope: Construct, id: str, *, settings: Settings, patterns: LivePatterns, ingest_queue: IngestQueue
    ) -> None:
        super().__init__(scope, id)
        central = self._central_bus(settings)
        self.central_arn = central.attr_arn
        target = _target(ingest_queue)
        own = [self._rule(one.name, one, target) for one in patterns.own]
        forwarded = [self._rule(f"Forwarded{one.name}", one, target, central.ref) for one in patterns.forwarded]
        rules = [rule.attr_arn for rule in (*own, *forwarded)]
        for queue in (ingest_queue.queue, ingest_queue.dead_letters):
            _accept_from(queue, rules)

    def _central_bus(self, settings: Settings) -> events.CfnEventBus:
        """A bus of our own, which takes events of the organisation or of the listed accounts.

        Without either it has no policy, and takes those of this account: its other Regions forward by their role.
        The policy is a property of the bus and no resource beside it: the two are never there without each other.
        """
        stack = Stack.of(self)
        name = f"{stack.stack_name}-live"
        arn = stack.format_arn(
            service="events", resource="event-bus", resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )
        return events.CfnEventBus(
            self,
            "CentralBus",
            name=name,
            description="trailbell: events that other Regions and accounts forward",
            policy=bus_policy(settings, arn, stack.partition),
        )

    def _rule(
        self, name: str, pattern: LivePattern, target: events.CfnRule.TargetProperty, bus: str | None = None
    ) -> events.CfnRule:
        """A rule of its own state, which the CDK's Rule does not have."""
        return events.CfnRule(
            self,
            name,
            description="trailbell: live events of the calls that rules watch",
            event_bus_name=bus,
            event_pattern=_in_account(pattern.pattern, Stack.of(self).account),
            state=pattern.state,
            targets=[target],
        )


def bus_policy(settings: Settings, bus_arn: str, partition: str) -> dict[str, Any] | None:
    """Who else may put events on the central bus; None if nobody may.

    It does not ask for aws:SourceArn: AWS does not say that the key is there where a rule forwards by a role, and a
    condition on a key that is not there would refuse every event. What an account can put there is its own in any case.
    """
    if not settings.live_organization and not settings.live_accounts:
        return None
    statement: dict[str, Any] = {
        "Sid": "Members",
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": bus_arn,
    }
    if settings.live_organization:
        organization = {"StringEquals": {"aws:PrincipalOrgID": settings.live_organization}}
        statement |= {"Principal": "*", "Condition": organization}
    else:
        members = [f"arn:{partition}:iam::{account}:root" for account in settings.live_accounts]
        statement["Principal"] = {"AWS": members}
    return {"Version": "2012-10-17", "Statement": [statement]}


def live_environment(settings: Settings, account: str) -> dict[str, str]:
    """The detector's variables: whether events are believed, and of which accounts, where no organisation says it."""
    if not settings.live:
        return {}
    if settings.live_organization:
        return {"TRAILBELL_LIVE": "true"}
    return {"TRAILBELL_LIVE": "true", "TRAILBELL_LIVE_ACCOUNTS": ",".join([account, *settings.live_accounts])}


def _target(ingest_queue: IngestQueue) -> events.CfnRule.TargetProperty:
    """The ingest queue. What it cannot take in a day goes to its dead letters, from where it can be sent again."""
    return events.CfnRule.TargetProperty(
        id="IngestQueue",
        arn=ingest_queue.queue.queue_arn,
        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=ingest_queue.dead_letters.queue_arn),
        retry_policy=events.CfnRule.RetryPolicyProperty(
            maximum_retry_attempts=_RETRIES, maximum_event_age_in_seconds=_RETRY_SECONDS
        ),
    )


def _accept_from(queue: sqs.Queue, rules: Iterable[str]) -> None:
    """Let EventBridge send for these rules; their ARNs hold the account."""
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LiveEvents",
            actions=["sqs:SendMessage"],
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": list(rules)}},
        )
    )


def _in_account(pattern: Any, account: str) -> Any:
    """A pattern with the account that it is deployed in, which only CloudFormation knows."""
    match pattern:
        case Mapping():
            return {name: _in_account(value, account) for name, value in pattern.items()}
        case list():
            return [_in_account(value, account) for value in pattern]
    return account if pattern == OWN_ACCOUNT else pattern
