"""The alert topic: text for mails and JSON for everything else, one SNS message an alert.

It is the promise: what it does not take comes back with the hit table's stream and is tried again.
https://docs.aws.amazon.com/sns/latest/dg/sns-send-custom-platform-specific-payloads-mobile-devices.html
"""

import json
from typing import Any

from trailbell.alerts.alert import Alert, alert_documents, sns_attributes
from trailbell.alerts.channel import Clients, Declaration, Permission, Topic, Variables
from trailbell.alerts.setting import Setting, emails
from trailbell.hits.canary import Canary


# SNS takes 256 KB for all forms of a message, its subject and attributes together (API reference, Publish).
_MAX_MESSAGE_BYTES = 250_000
_TOPIC = "TRAILBELL_TOPIC_ARN"


class SnsAlertTopic:
    """Publishes with an SNS client."""

    name = "alert topic"

    def __init__(self, client: Any, topic_arn: str) -> None:
        self._client, self._topic_arn = client, topic_arn

    def wants(self, alert: Alert) -> bool:
        """Every alert: subscriptions choose by level."""
        return True

    def notify(self, alert: Alert) -> None:
        """Publish one alert; raises what botocore raises."""
        subject, message = _message(alert)
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=subject,
            MessageStructure="json",
            Message=message,
            MessageAttributes=sns_attributes(alert),
        )

    def notify_canary(self, canary: Canary, event_time: str) -> None:
        """Publish a canary; raises what botocore raises. Its attributes are such that no filter on levels takes it."""
        said = {"name": canary.name, "nonce": canary.nonce, "eventTime": event_time}
        self._client.publish(
            TopicArn=self._topic_arn,
            Message=json.dumps({"canary": said}),
            MessageAttributes={"kind": {"DataType": "String", "StringValue": "canary"}},
        )


def _message(alert: Alert) -> tuple[str, str]:
    """Subject and all forms of a message, with as much detail as SNS takes."""
    for document in alert_documents(alert):
        forms = {"default": json.dumps(document, ensure_ascii=False), "email": document["text"]}
        message = json.dumps(forms, ensure_ascii=False)
        if len(message.encode("utf-8")) <= _MAX_MESSAGE_BYTES:
            break
    return document["subject"], message


def _open(variables: Variables, clients: Clients) -> SnsAlertTopic:
    return SnsAlertTopic(clients.client("sns"), variables.text(_TOPIC))


CHANNEL = Declaration(
    name=SnsAlertTopic.name,
    settings=(
        Setting(
            name="alert_emails",
            default=[],
            read=emails,
            about="Who gets mails, and from which level up: `medium` for a plain list. AWS first sends each address a "
            "link to confirm. Hits below the level are still in the table. Empty: the synth warns that nobody gets a "
            "mail.",
            examples=(
                "-c alert_emails=ops@example.com,night@example.com",
                """-c 'alert_emails={"ops@example.com": "low", "night@example.com": "critical"}'""",
            ),
        ),
    ),
    environment=lambda site: {_TOPIC: site.reference},
    permissions=lambda site: [Permission(("sns:Publish",), site.arn)],
    calls={"sns": ("Publish",)},
    open=_open,
    builds=Topic(
        place="Alerts/Topic",
        display_name="trailbell",
        output="AlertTopic",
        says="Subscribe inboxes and queues here",
        inboxes="alert_emails",
    ),
    promised=True,
)
