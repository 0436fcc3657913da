"""The alert as paragraphs for a chat program, in the Markdown that Slack calls mrkdwn.

Whatever a record says stands in a code span, where neither links nor mentions work.
"""

from collections.abc import Iterator, Sequence

from trailbell.alerts.alert import Alert
from trailbell.alerts.commands import handles
from trailbell.alerts.follow_up_mail import follow_up_sentences
from trailbell.alerts.links import links_of_all
from trailbell.alerts.mail_head import gathered_note
from trailbell.alerts.mail_lines import counted, utc
from trailbell.alerts.mail_undo import most_urgent
from trailbell.alerts.summary import Summary, each, shown_values, summary_of
from trailbell.hits.dated_steps import DatedStep, dated_steps, urgency
from trailbell.hits.follow_up import What
from trailbell.hits.hit import Hit
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


_MAX_UNDO = 3
_MAX_SHOWN = 6
_MAX_NAMED = 5


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
    hits = alert.hits
    if alert.follow_ups:
        yield from _follow_up(alert)
        return
    yield _first_paragraph(hits, summary)
    if alert.gathered:
        yield gathered_note(alert.quiet_minutes)
    asked_for = list(_asked_for(hits))
    if asked_for:
        yield "\n".join(asked_for)
    for meaning in each(hits, lambda hit: (hit.meaning.strip(),) if hit.meaning else ()):
        yield escaped(meaning)
    yield from _undo(alert)
    links = [f"{label}: {escaped(address)}" for label, address in links_of_all(hits, alert.runbook).items()]
    if links:
        yield "\n".join(links)
    yield "\n".join(f"{meaning}: `{command}`" for meaning, command in handles(alert.hits, alert.where))


def _follow_up(alert: Alert) -> Iterator[str]:
    """What is said later: its sentences, and the commands while they help."""
    yield from (escaped(sentence) for sentence in follow_up_sentences(alert.hits, alert.follow_ups, alert.as_of))
    if alert.follow_ups[0].what is What.REMINDER:
        yield from _undo(alert)


def _first_paragraph(hits: Sequence[Hit], summary: Summary) -> str:
    """Who, what, where, when and how it went; where hits differ, with numbers."""
    people = len(summary.people)
    several = f"{len(summary.actors)} actors" if len(summary.actors) > 1 else f"one actor in {people} sessions or ways"
    who = several if people > 1 else _code(hits[0].actor.text, 200)
    calls = _some([_code(name, 100) for name in each(hits, lambda hit: (hit.event_name,))])
    what = f" on {_code(named_resource(summary.acted_on[0]), 200)}" if summary.acted_on else ""
    others = f" and {len(summary.acted_on) - 1} more" if len(summary.acted_on) > 1 else ""
    count = f", {len(hits)} times" if len(hits) > 1 else ""
    named = summary.shown_accounts
    accounts = f"account {escaped(one_line(named[0], 80))}" if len(named) == 1 else f"{len(named)} accounts"
    where = f"{accounts}, {_some([_code(region or 'no region', 40) for region in summary.regions])}"
    when = utc(summary.first) + (f" to {utc(summary.last)}" if summary.last != summary.first else "")
    if len(summary.outcomes) == 1:
        outcome = hits[0].outcome
    else:
        outcome = ", ".join(f"{number} {word}" for word, number in summary.outcomes)
    return f"{who}: {calls}{what}{others}{count}, in {where}, {when}. {outcome}."


def _asked_for(hits: Sequence[Hit]) -> Iterator[str]:
    """The telling parameters, each value with its number unless all hits have it."""
    for label, values in list(shown_values(hits))[:_MAX_SHOWN]:
        named = [f"{_code(value, 200)}{counted(count, len(hits))}" for value, count in values if value]
        yield f"{escaped(one_line(label, 40))}: {_some(named)}"


def _undo(alert: Alert) -> Iterator[str]:
    """Commands in a block; none that holds a backtick, which would end the block and change what is pasted."""
    urgent = most_urgent(alert.hits)
    every = each(urgent, lambda hit: [(step.until, step.text) for step in sorted(dated_steps(hit), key=_urgency)])
    steps = [(until, step) for until, step in every if "`" not in step][:_MAX_UNDO]
    if steps:
        left_out = "" if len(steps) == len(every) else "\n(more steps in the mail)"
        for number, until in enumerate(dict.fromkeys(until for until, _ in steps)):
            commands = "\n".join(escaped(step) for its_until, step in steps if its_until == until)
            heading = f"*Undo* (until {escaped(until)})" if until else "*Undo*"
            last = number == len({until for until, _ in steps}) - 1
            yield f"{heading}\n```\n{commands}\n```{left_out if last else ''}"
        return
    for note in each(alert.hits, lambda hit: (hit.undo_note.strip(),) if hit.undo_note else ()):
        yield f"*Undo*: {escaped(note)}"


def _urgency(step: DatedStep) -> tuple[int, int]:
    return urgency(step.until)


def _some(texts: Sequence[str]) -> str:
    more = [f"{len(texts) - _MAX_NAMED} more"] if len(texts) > _MAX_NAMED else []
    return ", ".join([*texts[:_MAX_NAMED], *more])


def _code(text: str, limit: int) -> str:
    """A text from a record as a code span."""
    return f"`{escaped(one_line(text, limit).replace('`', chr(39))) or ' '}`"
