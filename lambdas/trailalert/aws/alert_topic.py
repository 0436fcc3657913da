"""The alert topic: one message an alert, as text for mails and JSON for everything else.

https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
"""

import json
from typing import Any

from trailalert.core.alert import Alert, alert_attributes, alert_document


class SnsAlertTopic:
    """Publishes with an SNS client."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client, self._topic_arn = client, topic_arn

    def tell(self, alert: Alert) -> None:
        """Publish one alert; raises what botocore raises."""
        document = alert_document(alert)
        forms = {"default": json.dumps(document, ensure_ascii=False), "email": document["text"]}
        attributes = alert_attributes(alert)
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=document["subject"],
            MessageStructure="json",
            Message=json.dumps(forms, ensure_ascii=False),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
