"""Where alerts go out: the alert topic with the inboxes subscribed to it, a topic for chat, an event bus."""

from collections.abc import Mapping

from aws_cdk import Annotations, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.findings import NO_CUSTOMER_KEY, skip
from infra.settings import LEVELS, Settings


class AlertTopic(Construct):
    """Gives `topic`."""

    def __init__(self, scope: Construct, id: str, emails: Mapping[str, str]) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(self, "Topic", display_name="trailbell", enforce_ssl=True)
        skip(self.topic, "CKV_AWS_26", NO_CUSTOMER_KEY)
        for address, level in emails.items():
            selection = sns.SubscriptionFilter.string_filter(allowlist=list(LEVELS[LEVELS.index(level) :]))
            self.topic.add_subscription(subscriptions.EmailSubscription(address, filter_policy={"level": selection}))
        if not emails:
            Annotations.of(self).add_warning_v2(
                "trailbell:nobody-is-told",
                'setting alert_emails is empty: alerts are published, but nobody gets a mail; set ["ops@example.com"]',
            )


class ChannelResources(Construct):
    """Who is told beside the alert topic. Gives `chat` (a topic) and `bus`, each None where the setting is off."""

    def __init__(self, scope: Construct, id: str, settings: Settings) -> None:
        super().__init__(scope, id)
        self.chat: sns.Topic | None = None
        self.bus: events.EventBus | None = None
        if settings.chat_topic:
            self.chat = sns.Topic(self, "Chat", display_name="trailbell chat", enforce_ssl=True)
            skip(self.chat, "CKV_AWS_26", NO_CUSTOMER_KEY)
        if settings.event_bus:
            name = Stack.of(self).stack_name
            self.bus = events.EventBus(self, "Bus", event_bus_name=name, description="trailbell: one event an alert")
