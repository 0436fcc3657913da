"""The alert as paragraphs for a chat program, in the Markdown that Slack calls mrkdwn.

Whatever a record says stands in a code span, where neither links nor mentions work.
"""

from collections.abc import Iterator

from trailbell.alerts.alert import Alert
from trailbell.alerts.commands import handles
from trailbell.alerts.follow_up_mail import follow_up_sentences
from trailbell.alerts.links import links_of
from trailbell.alerts.mail_lines import utc
from trailbell.alerts.summary import Summary, summary_of
from trailbell.hits.follow_up import What
from trailbell.hits.hit import Hit
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


_MAX_UNDO = 3


def chat_text(alert: Alert, max_chars: int) -> str:
    """As many whole paragraphs as fit: a cut one might leave a code span open."""
    text = ""
    for paragraph in _paragraphs(alert, summary_of(alert.hits)):
        if len(text) + len(paragraph) + 2 > max_chars:
            return f"{text}\n\n_(more in the mail and in the hit table)_"
        text += f"\n\n{paragraph}" if text else paragraph
    return text


def escaped(text: str) -> str:
    """Without the characters that begin a mention or a link in Slack, and HTML in Teams.

    https://docs.slack.dev/messaging/formatting-message-text/#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _paragraphs(alert: Alert, summary: Summary) -> Iterator[str]:
    hit = alert.sample
    if alert.follow_ups:
        yield from _follow_up(alert)
        return
    actors = len(summary.actors)
    who = f"{actors} actors" if actors > 1 else _code(hit.actor.text, 200)
    what = f" on {_code(named_resource(summary.resources[0]), 200)}" if summary.resources else ""
    others = f" and {len(summary.resources) - 1} more" if len(summary.resources) > 1 else ""
    count = f", {len(alert.hits)} times" if len(alert.hits) > 1 else ""
    where = f"account {hit.account}, {_code(hit.region or 'no region', 40)}"
    yield f"{who}: {_code(hit.event_name, 100)}{what}{others}{count}, in {where}, {utc(summary.first)}. {hit.outcome}."
    if hit.meaning:
        yield escaped(hit.meaning.strip())
    yield from _undo(hit)
    links = [f"{label}: {escaped(address)}" for label, address in links_of(hit, alert.runbook).items()]
    if links:
        yield "\n".join(links)
    yield "\n".join(f"{meaning}: `{command}`" for meaning, command in handles(alert.hits, alert.where))


def _follow_up(alert: Alert) -> Iterator[str]:
    """What is said later: its sentences, and the commands while they help."""
    yield from (escaped(sentence) for sentence in follow_up_sentences(alert.hits, alert.follow_ups))
    if alert.follow_ups[0].what is What.REMINDER:
        yield from _undo(alert.sample)


def _undo(hit: Hit) -> Iterator[str]:
    """Commands in a block; none that holds a backtick, which would end the block and change what is pasted."""
    steps = [step for step in hit.undo if "`" not in step]
    until = f" (until {escaped(hit.undo_until)})" if hit.undo and hit.undo_until else ""
    if steps:
        left_out = "" if len(steps[:_MAX_UNDO]) == len(hit.undo) else "\n(more steps in the mail)"
        commands = "\n".join(escaped(step) for step in steps[:_MAX_UNDO])
        yield f"*Undo*{until}\n```\n{commands}\n```{left_out}"
    elif hit.undo_note:
        yield f"*Undo*: {escaped(hit.undo_note.strip())}"


def _code(text: str, limit: int) -> str:
    """A text from a record as a code span."""
    return f"`{escaped(one_line(text, limit).replace('`', chr(39))) or ' '}`"
