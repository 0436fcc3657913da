"""The topics: of alerts, with text for mails and JSON for everything else, and of chat messages; one message an alert.

https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
"""

import json
from typing import Any

from trailbell.alerts.alert import Alert, alert_attributes, alert_documents
from trailbell.alerts.channels.chat import chat_message
from trailbell.engine.rulebook import Level
from trailbell.hits.canary import Canary


# SNS takes 256 KB for all forms of a message, its subject and attributes together (API reference, Publish).
_MAX_MESSAGE_BYTES = 250_000


class SnsAlertTopic:
    """Publishes with an SNS client."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client, self._topic_arn = client, topic_arn

    def notify(self, alert: Alert) -> None:
        """Publish one alert; raises what botocore raises."""
        subject, message = _message(alert)
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=subject,
            MessageStructure="json",
            Message=message,
            MessageAttributes=_attributes(alert),
        )

    def notify_canary(self, canary: Canary, event_time: str) -> None:
        """Publish a canary; raises what botocore raises. Its attributes are such that no filter on levels takes it."""
        said = {"name": canary.name, "nonce": canary.nonce, "eventTime": event_time}
        self._client.publish(
            TopicArn=self._topic_arn,
            Message=json.dumps({"canary": said}),
            MessageAttributes={"kind": {"DataType": "String", "StringValue": "canary"}},
        )


class SnsChatTopic:
    """A second topic, for chat: what takes its messages there reads one form only (alerts/channels/chat.py)."""

    name = "chat"

    def __init__(self, client: Any, topic_arn: str, lowest: Level) -> None:
        self._client, self._topic_arn, self._lowest = client, topic_arn, lowest

    def wants(self, alert: Alert) -> bool:
        """Whether the alert's level is worth a line in the chat."""
        return alert.sample.severity >= self._lowest

    def notify(self, alert: Alert) -> None:
        """Publish one alert; raises what botocore raises."""
        message = json.dumps(chat_message(alert), ensure_ascii=False)
        self._client.publish(TopicArn=self._topic_arn, Message=message, MessageAttributes=_attributes(alert))


def _attributes(alert: Alert) -> dict[str, dict[str, str]]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in alert_attributes(alert).items()}


def _message(alert: Alert) -> tuple[str, str]:
    """Subject and all forms of a message, with as much detail as SNS takes."""
    for document in alert_documents(alert):
        forms = {"default": json.dumps(document, ensure_ascii=False), "email": document["text"]}
        message = json.dumps(forms, ensure_ascii=False)
        if len(message.encode("utf-8")) <= _MAX_MESSAGE_BYTES:
            break
    return document["subject"], message
