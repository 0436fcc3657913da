"""What channels need in the stack, from their declarations: topics with inboxes subscribed to them, event buses.

Here no channel is known by name but the one that is the promise (lambdas/trailbell/alerts/channel.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Annotations, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from trailbell.alerts.channel import Bus, Declaration, Permission, Site, Topic
from trailbell.alerts.channels import declared_channels
from trailbell.alerts.setting import LEVELS

from .findings import NO_CUSTOMER_KEY, skip
from .settings import Settings


@dataclass(frozen=True, slots=True)
class DeployedChannel:
    """A channel that is on, and where; `built` is what the stack made for it."""

    declaration: Declaration
    site: Site
    built: sns.Topic | events.EventBus | None

    @property
    def environment(self) -> Mapping[str, str]:
        """The notifier's variables for it."""
        return self.declaration.environment(self.site)

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """What the notifier's role may do for it."""
        return tuple(self.declaration.permissions(self.site))


class Channels:
    """Gives `deployed` (every channel that is on), `alert_topic`, and `best_effort` (those beside the alert topic)."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        self.deployed = tuple(
            _deployed(scope, declaration, settings.channels)
            for declaration in declared_channels()
            if declaration.is_on(settings.channels)
        )
        promise, *self.best_effort = self.deployed
        assert isinstance(promise.built, sns.Topic)
        self.alert_topic = promise.built

    def accept_only(self, publisher: iam.IRole) -> None:
        """Let nobody but one role publish to the topics of the channels: an alert says what the notifier says.

        By a denial, because a topic's own policy and the identities' policies each suffice to allow it. A service that
        publishes for somebody else has no such ARN, and is denied, too.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
        """
        for channel in self.deployed:
            if isinstance(channel.built, sns.Topic):
                channel.built.add_to_resource_policy(
                    iam.PolicyStatement(
                        sid="NobodyElsePublishes",
                        effect=iam.Effect.DENY,
                        actions=["sns:Publish"],
                        principals=[iam.StarPrincipal()],
                        resources=[channel.built.topic_arn],
                        conditions={"ArnNotEquals": {"aws:PrincipalArn": publisher.role_arn}},
                    )
                )

    def outputs(self) -> Iterator[tuple[str, str, str]]:
        """The stack's outputs for what was built: name, value, description."""
        for channel in self.deployed:
            if builds := channel.declaration.builds:
                yield builds.output, channel.site.reference, builds.says


def _deployed(scope: Construct, declaration: Declaration, settings: Mapping[str, Any]) -> DeployedChannel:
    stack = Stack.of(scope)
    where = {"partition": stack.partition, "region": stack.region, "account": stack.account}
    match declaration.builds:
        case Topic() as builds:
            topic = _topic(scope, builds, settings)
            site = Site(settings, **where, arn=topic.topic_arn, reference=topic.topic_arn)
            return DeployedChannel(declaration, site, topic)
        case Bus() as builds:
            holder, id = _place(scope, builds.place)
            made = events.EventBus(holder, id, event_bus_name=stack.stack_name, description=builds.description)
            site = Site(settings, **where, arn=made.event_bus_arn, reference=made.event_bus_name)
            return DeployedChannel(declaration, site, made)
    return DeployedChannel(declaration, Site(settings, **where), None)


def _topic(scope: Construct, topic: Topic, settings: Mapping[str, Any]) -> sns.Topic:
    holder, id = _place(scope, topic.place)
    made = sns.Topic(holder, id, display_name=topic.display_name, enforce_ssl=True)
    skip(made, "CKV_AWS_26", NO_CUSTOMER_KEY)
    if topic.inboxes:
        _subscribe(made, settings[topic.inboxes])
        if not settings[topic.inboxes]:
            why = "alerts are published, but nobody gets a mail"
            warning = f'setting {topic.inboxes} is empty: {why}; set ["ops@example.com"]'
            Annotations.of(holder).add_warning_v2("trailbell:nobody-is-notified", warning)
    return made


def _subscribe(topic: sns.Topic, inboxes: Mapping[str, str]) -> None:
    """Subscribe each address to alerts of its level and above."""
    for address, lowest in inboxes.items():
        selection = sns.SubscriptionFilter.string_filter(allowlist=list(LEVELS[LEVELS.index(lowest) :]))
        topic.add_subscription(subscriptions.EmailSubscription(address, filter_policy={"level": selection}))


def _place(scope: Construct, place: str) -> tuple[Construct, str]:
    """The construct that holds a place in the alerter's tree, made where it is new, and the last part of the place."""
    name, _, id = place.partition("/")
    holder = scope.node.try_find_child(name) or Construct(scope, name)
    assert isinstance(holder, Construct)
    return holder, id
