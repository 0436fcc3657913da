"""The alert topic and the inboxes subscribed to it."""

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class AlertTopic(Construct):
    """Gives `topic`. Not encrypted with a customer key, for the reason given in infra/store.py."""

    def __init__(self, scope: Construct, id: str, emails: tuple[str, ...]) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(self, "Topic", display_name="trailalert", enforce_ssl=True)
        for address in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
