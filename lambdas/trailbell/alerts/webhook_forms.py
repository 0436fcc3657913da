"""What a webhook is sent (alerts/channels/webhook.py): Slack's message, a card for Teams, or the alert as JSON."""

import json
from collections.abc import Callable
from typing import Any

from trailbell.alerts.alert import Alert, alert_documents
from trailbell.alerts.chat_text import chat_text, escaped
from trailbell.text.safe_text import unlinked


_MAX_BYTES = 250_000  # of JSON; the same as the alert topic and the event bus get
_MAX_SECTION = 2_900  # Slack takes 3,000: https://docs.slack.dev/reference/block-kit/blocks/section-block
# Teams takes about 28 KB, and counts two bytes a character:
# https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
_MAX_CARD_BYTES = 27_000
_CARD_ROOM = (10_000, 5_000, 1_500)  # characters of the mail's text: what fits is found by trying


def slack_message(alert: Alert) -> dict[str, Any]:
    """The alert as Slack and what is compatible take it. What records say mentions nobody and links nowhere."""
    title = escaped(unlinked(alert.subject))
    sections = (f"*{title}*", chat_text(alert, _MAX_SECTION))
    return {
        "text": title,  # for notifications, and for what knows no blocks
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in sections],
    }


def teams_message(alert: Alert, max_text: int = _CARD_ROOM[0]) -> dict[str, Any]:
    """The alert as a card for a workflow of Teams that posts what its webhook receives. Runs of text hold no Markdown,
    so what records say mentions nobody and links nowhere.

    https://adaptivecards.io/explorer/TextRun.html
    """
    title = {"type": "TextRun", "text": unlinked(alert.subject), "weight": "Bolder"}
    text = {"type": "TextRun", "text": alert.text(max_text), "fontType": "Monospace"}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [{"type": "RichTextBlock", "inlines": [run]} for run in (title, text)],
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def _slack(alert: Alert) -> bytes:
    return json.dumps(slack_message(alert)).encode()


def _teams(alert: Alert) -> bytes:
    for max_text in _CARD_ROOM:
        message = teams_message(alert, max_text)
        body = json.dumps(message).encode()
        if max(len(body), 2 * len(json.dumps(message, ensure_ascii=False))) <= _MAX_CARD_BYTES:
            break
    return body


def _json(alert: Alert) -> bytes:
    for document in alert_documents(alert):
        body = json.dumps(document).encode()
        if len(body) <= _MAX_BYTES:
            break
    return body


FORMS: dict[str, Callable[[Alert], bytes]] = {"slack": _slack, "teams": _teams, "json": _json}
"""By the words of the setting `webhook_form`."""
