"""The operations topic: messages about the alerter itself, as text."""

from typing import Any


class SnsOperationsTopic:
    """Publishes with an SNS client."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client, self._topic_arn = client, topic_arn

    def notify(self, subject: str, text: str) -> None:
        """Publish one message; raises what botocore raises."""
        self._client.publish(TopicArn=self._topic_arn, Subject=subject[:100], Message=text)
