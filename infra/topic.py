"""The alert topic and the inboxes subscribed to it."""

from collections.abc import Mapping

from aws_cdk import Annotations
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.findings import NO_CUSTOMER_KEY, skip
from infra.settings import LEVELS


class AlertTopic(Construct):
    """Gives `topic`."""

    def __init__(self, scope: Construct, id: str, emails: Mapping[str, str]) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(self, "Topic", display_name="trailalert", enforce_ssl=True)
        skip(self.topic, "CKV_AWS_26", NO_CUSTOMER_KEY)
        for address, level in emails.items():
            wanted = sns.SubscriptionFilter.string_filter(allowlist=list(LEVELS[LEVELS.index(level) :]))
            self.topic.add_subscription(subscriptions.EmailSubscription(address, filter_policy={"level": wanted}))
        if not emails:
            Annotations.of(self).add_warning_v2(
                "trailalert:nobody-is-told",
                'setting alert_emails is empty: alerts are published, but nobody gets a mail; set ["ops@example.com"]',
            )
