"""How the acts of an alert are undone, and until when: each command under its own deadline."""

from collections.abc import Iterator, Sequence

from trailbell.alerts.commands import command
from trailbell.alerts.mail_lines import span, utc, wrapped
from trailbell.alerts.summary import each
from trailbell.hits.dated_steps import dated_steps, urgency
from trailbell.hits.hit import Hit
from trailbell.hits.undo import seconds_left
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


MAX_HITS = 10
"""Hits whose commands are shown: those with the earliest deadlines."""

# What fill_steps leaves where a record is silent; gaps of the rule's own (<newest backup>) are in its note.
_GAP = lazy_pattern(r"'<(?:resource|requestParameters|responseElements|additionalEventData|serviceEventDetails)\b")


def undo_section(hits: Sequence[Hit], as_of: str = "", where: str = "", held_back: str = "") -> Iterator[str]:
    """The section Undo. as_of: the time (ISO 8601) at which it is read, "" for when the last hit was detected; where:
    see alerts/commands.py; held_back: why no command is to run any more: then they are comments.
    """
    urgent = most_urgent(hits)
    notes = each(hits, lambda hit: (hit.undo_note,) if hit.undo_note else ())
    if not (urgent or notes):
        return
    shown = urgent[:MAX_HITS]
    steps = each(shown, _until_and_text)
    untils = sorted(each(urgent, lambda hit: [step.until for step in dated_steps(hit)]), key=urgency)
    yield "Undo" + ("" if held_back else _deadline(urgent, untils, hits, as_of))
    if held_back:
        yield from wrapped(f"It is {one_line(held_back, 400)}.", indent="  ")
        yield from (f"  # {one_line(step, 16_384)}" for _, step in steps)
    elif len(untils) < 2:
        for _, step in steps:
            yield from _step(step, "  ")
    else:
        yield from _by_deadline(untils, steps, hits, as_of)
    left_out = len(set(each(urgent, _until_and_text)) - set(steps))
    if left_out:
        yield f"  ... and {left_out} more commands: {command('undo', hits[:1], where)}"
    if any(_GAP.search(step) for _, step in steps):
        yield from wrapped("The record does not hold the values in <...>; fill them in.", indent="  ")
    for note in notes:
        yield from wrapped(note, indent="  ")


def most_urgent(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that have undo steps, those with the earliest deadline first, those without one last."""
    return sorted((hit for hit in hits if hit.undo), key=lambda hit: urgency(hit.undo_until))


def deadline_left(until: str, hits: Sequence[Hit], as_of: str = "") -> str:
    """What is left until a deadline and as of when: "6 d left as of 2026-09-02 09:14:07 UTC"; "" if it is no time."""
    when = as_of or max(hit.seen_at for hit in hits)
    left = seconds_left(until, when)
    if left is None:
        return ""
    if as_of:
        what = f"{span(left)} left" if left > 0 else f"over since {span(-left)}"
        return f"{what} as of {utc(when)}"
    return f"{span(left)} left when this was detected" if left > 0 else "already over when this was detected"


def _until_and_text(hit: Hit) -> list[tuple[str, str]]:
    return [(step.until, step.text) for step in dated_steps(hit)]


def _deadline(urgent: Sequence[Hit], untils: Sequence[str], hits: Sequence[Hit], as_of: str) -> str:
    """For the heading: the deadline if all have the same, else the earliest and whose it is."""
    if not untils or not untils[0]:
        return ""
    left = deadline_left(untils[0], hits, as_of)
    until = f"{untils[0]}: {left}" if left else untils[0]
    if len(untils) == 1:
        return f" (until {until})"
    first = next(step for hit in urgent for step in dated_steps(hit) if step.until == untils[0])
    whose = one_line(named_resource(first.undoes), 200)
    return f" (deadlines differ; the earliest is that of {whose}, {untils[0]})"


def _by_deadline(
    untils: Sequence[str], steps: Sequence[tuple[str, str]], hits: Sequence[Hit], as_of: str
) -> Iterator[str]:
    shown = {until for until, _ in steps}
    for until in (one for one in untils if one in shown):
        left = deadline_left(until, hits, as_of)
        yield f"  until {until}{f' ({left})' if left else ''}:" if until else "  without a deadline:"
        for its_until, step in steps:
            if its_until == until:
                yield from _step(step, "    ")


def _step(step: str, indent: str) -> Iterator[str]:
    """A command stays on one line, to be pasted; a sentence is wrapped."""
    if step[:1].isupper() or " " not in step:
        yield from wrapped(step, indent=indent)
    else:
        yield f"{indent}{step}"
