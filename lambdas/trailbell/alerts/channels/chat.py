"""The alert as a chat message: the custom notification that Amazon Q Developer in chat applications (AWS Chatbot
before) takes from an SNS topic, for Slack, Microsoft Teams and Amazon Chime.

https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html

What is not of that form is dropped there without a word, so the form is kept well within its limits. The text is
the chat program's Markdown: whatever a record says stands in a code span, where neither links nor mentions work.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from trailbell.alerts.alert import Alert
from trailbell.alerts.links import links_of
from trailbell.alerts.mail_lines import utc
from trailbell.alerts.subject import mail_subject
from trailbell.alerts.summary import Summary, summary_of
from trailbell.hits.hit import Hit
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


# AWS takes 250 characters of title and 8,000 of description; Slack shows 3,000 in one block.
_MAX_DESCRIPTION = 2_900
_MAX_STEP = 300
_MAX_STEPS = 5
_MAX_UNDO = 3
_MAX_RESOURCES = 5


def chat_message(alert: Alert) -> dict[str, Any]:
    """The alert in the form of a custom notification, version 1.0."""
    hit, summary = alert.sample, summary_of(alert.hits)
    subject = mail_subject(alert.hits)
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{hit.hit_id}+{len(alert.hits) - 1}"[:256],
        "content": {
            "textType": "client-markdown",
            "title": _escaped(subject),
            "description": _description(alert, summary),
            "nextSteps": [_escaped(one_line(step, _MAX_STEP)) for step in hit.check[:_MAX_STEPS]],
            "keywords": [hit.level, hit.service or "unknown", hit.name, hit.account],
        },
        "metadata": {
            "threadId": _thread(hit, summary),
            "summary": _escaped(subject),
            "eventType": hit.name,
            "relatedResources": [_escaped(one_line(one, _MAX_STEP)) for one in summary.resources[:_MAX_RESOURCES]],
            "additionalContext": {
                "level": hit.level,
                "account": hit.account,
                "region": _escaped(one_line(hit.region, 40)),
                "hitId": hit.hit_id[:_MAX_STEP],
                "count": str(len(alert.hits)),
            },
        },
    }


def _description(alert: Alert, summary: Summary) -> str:
    """As many whole paragraphs as fit: a cut one might leave a code span open."""
    notified = ""
    for paragraph in _paragraphs(alert, summary):
        if len(notified) + len(paragraph) + 2 > _MAX_DESCRIPTION:
            return f"{notified}\n\n_(more in the mail and in the hit table)_"
        notified += f"\n\n{paragraph}" if notified else paragraph
    return notified


def _paragraphs(alert: Alert, summary: Summary) -> Iterator[str]:
    hit = alert.sample
    actors = len(summary.actors)
    who = f"{actors} actors" if actors > 1 else _code(hit.actor.text, 200)
    what = f" on {_code(named_resource(summary.resources[0]), 200)}" if summary.resources else ""
    others = f" and {len(summary.resources) - 1} more" if len(summary.resources) > 1 else ""
    count = f", {len(alert.hits)} times" if len(alert.hits) > 1 else ""
    where = f"account {hit.account}, {_code(hit.region or 'no region', 40)}"
    yield f"{who}: {_code(hit.event_name, 100)}{what}{others}{count}, in {where}, {utc(summary.first)}. {hit.outcome}."
    if hit.meaning:
        yield _escaped(hit.meaning.strip())
    yield from _undo(hit)
    links = [f"{label}: {_escaped(address)}" for label, address in links_of(hit, alert.runbook).items()]
    if links:
        yield "\n".join(links)


def _undo(hit: Hit) -> Iterator[str]:
    """Commands in a block; none that holds a backtick, which would end the block and change what is pasted."""
    steps = [step for step in hit.undo if "`" not in step]
    until = f" (until {_escaped(hit.undo_until)})" if hit.undo and hit.undo_until else ""
    if steps:
        left_out = "" if len(steps[:_MAX_UNDO]) == len(hit.undo) else "\n(more steps in the mail)"
        commands = "\n".join(_escaped(step) for step in steps[:_MAX_UNDO])
        yield f"*Undo*{until}\n```\n{commands}\n```{left_out}"
    elif hit.undo_note:
        yield f"*Undo*: {_escaped(hit.undo_note.strip())}"


def _thread(hit: Hit, summary: Summary) -> str:
    """The same for the same rule, actor and account, so that a chat shows repetitions as one thread."""
    who = hit.actor.key if len(summary.actors) == 1 else ""
    digest = hashlib.sha256(f"{who}|{hit.account}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{hit.name[:80]}-{digest}"


def _code(text: str, limit: int) -> str:
    """A text from a record as a code span."""
    return f"`{_escaped(one_line(text, limit).replace('`', chr(39))) or ' '}`"


def _escaped(text: str) -> str:
    """Without the characters that begin a mention or a link in Slack, and HTML in Teams.

    https://docs.slack.dev/messaging/formatting-message-text/#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
