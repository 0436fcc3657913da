"""The alert topic: one message an alert, as text for mails and JSON for everything else.

https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
"""

import json
from typing import Any

from trailalert.core.alert import Alert, alert_attributes, alert_document


# SNS takes 256 KB for all forms of a message, its subject and attributes together (API reference, Publish).
# JSON inside JSON doubles quotes and quadruples backslashes, so what fits is found by trying.
_MAX_MESSAGE_BYTES = 250_000
_ROOM = ((64_000, 30_000), (16_000, 12_000), (0, 6_000))


class SnsAlertTopic:
    """Publishes with an SNS client."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client, self._topic_arn = client, topic_arn

    def tell(self, alert: Alert) -> None:
        """Publish one alert; raises what botocore raises."""
        subject, message = _message(alert)
        attributes = alert_attributes(alert)
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=subject,
            MessageStructure="json",
            Message=message,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )


def _message(alert: Alert) -> tuple[str, str]:
    """Subject and all forms of a message, with as much detail as SNS takes; hostile text may need every step."""
    for max_hits_bytes, max_text in _ROOM:
        document = alert_document(alert, max_hits_bytes, max_text)
        forms = {"default": json.dumps(document, ensure_ascii=False), "email": document["text"]}
        message = json.dumps(forms, ensure_ascii=False)
        if len(message.encode("utf-8")) <= _MAX_MESSAGE_BYTES:
            break
    return document["subject"], message
