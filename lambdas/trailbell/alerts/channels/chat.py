"""Chat: the custom notification that Amazon Q Developer in chat applications (AWS Chatbot before) takes from an SNS
topic, for Slack, Microsoft Teams and Amazon Chime.

https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html

What is not of that form is dropped there without a word, so the form is kept well within its limits, and the topic is
one of its own.
"""

import hashlib
import json
from typing import Any

from trailbell.alerts.alert import Alert, sns_attributes
from trailbell.alerts.channel import Clients, Declaration, Permission, Topic, Variables
from trailbell.alerts.chat_text import chat_text, escaped
from trailbell.alerts.setting import Setting, level_or_none
from trailbell.alerts.summary import Summary, each, summary_of
from trailbell.engine.rulebook import Level
from trailbell.hits.hit import Hit
from trailbell.text.safe_text import one_line


# AWS takes 250 characters of title and 8,000 of description; Slack shows 3,000 in one block.
_MAX_DESCRIPTION = 2_900
_MAX_STEP = 300
_MAX_STEPS = 5
_MAX_RESOURCES = 5
_MAX_REGIONS = 5

_TOPIC = "TRAILBELL_CHAT_TOPIC_ARN"
_LEVEL = "TRAILBELL_CHAT_LEVEL"


class SnsChatTopic:
    """Publishes to the chat topic with an SNS client."""

    name = "chat"

    def __init__(self, client: Any, topic_arn: str, lowest: Level) -> None:
        self._client, self._topic_arn, self._lowest = client, topic_arn, lowest

    def wants(self, alert: Alert) -> bool:
        """Whether the alert's level is worth a line in the chat."""
        return alert.sample.severity >= self._lowest

    def notify(self, alert: Alert) -> None:
        """Publish one alert; raises what botocore raises."""
        message = json.dumps(chat_message(alert), ensure_ascii=False)
        self._client.publish(TopicArn=self._topic_arn, Message=message, MessageAttributes=sns_attributes(alert))


def chat_message(alert: Alert) -> dict[str, Any]:
    """The alert in the form of a custom notification, version 1.0."""
    hit, summary = alert.sample, summary_of(alert.hits)
    subject = alert.subject
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{hit.hit_id}+{len(alert.hits) - 1}"[:256],
        "content": {
            "textType": "client-markdown",
            "title": escaped(subject),
            "description": chat_text(alert, _MAX_DESCRIPTION),
            "nextSteps": [escaped(one_line(step, _MAX_STEP)) for step in _checks(alert)],
            "keywords": [hit.level, hit.service or "unknown", hit.name, hit.account],
        },
        "metadata": {
            "threadId": _thread(hit, summary),
            "summary": escaped(subject),
            "eventType": hit.name,
            "relatedResources": [escaped(one_line(one, _MAX_STEP)) for one in summary.resources[:_MAX_RESOURCES]],
            "additionalContext": {
                "level": hit.level,
                "account": hit.account,
                "region": escaped(", ".join(one_line(region, 40) for region in summary.regions[:_MAX_REGIONS])),
                "hitId": hit.hit_id[:_MAX_STEP],
                "count": str(len(alert.hits)),
            },
        },
    }


def _checks(alert: Alert) -> tuple[str, ...]:
    return each(alert.hits, lambda hit: hit.check)[:_MAX_STEPS]


def _thread(hit: Hit, summary: Summary) -> str:
    """The same for the same rule, actor and account, so that a chat shows repetitions as one thread."""
    who = hit.actor.key if len(summary.actors) == 1 else ""
    digest = hashlib.sha256(f"{who}|{hit.account}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{hit.name[:80]}-{digest}"


def _open(variables: Variables, clients: Clients) -> SnsChatTopic | None:
    topic_arn, lowest = variables.text(_TOPIC, required=False), variables.level(_LEVEL)
    return SnsChatTopic(clients.impatient_client("sns"), topic_arn, lowest) if topic_arn else None


CHANNEL = Declaration(
    name=SnsChatTopic.name,
    settings=(
        Setting(
            name="chat_topic",
            default=False,
            read=level_or_none,
            about="Creates a second topic, with messages in the format that Amazon Q Developer reads for Slack, Teams "
            "and Chime, and the alarm `ChannelFailing`: [channels](channels.md#chat).",
            examples=("-c chat_topic=high",),
        ),
    ),
    environment=lambda site: {_TOPIC: site.reference, _LEVEL: site.settings["chat_topic"]},
    permissions=lambda site: [Permission(("sns:Publish",), site.arn)],
    calls={"sns": ("Publish",)},
    open=_open,
    builds=Topic(
        place="Others/Chat",
        display_name="trailbell chat",
        output="ChatTopic",
        says="Name it in a channel of Amazon Q Developer in chat",
    ),
)
