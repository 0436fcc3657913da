"""The mail that follows an alert: the act was undone, its deadline is near, or over. One message may be about several
acts of one rule and person; what differs between them stands beside each.
"""

from collections.abc import Iterator, Sequence

from trailbell.alerts.commands import command, handles
from trailbell.alerts.links import links_of
from trailbell.alerts.mail_lines import row, span, utc, wrapped
from trailbell.alerts.subject import mail_subject
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import Hit, seconds_between
from trailbell.hits.undo import seconds_left
from trailbell.hits.undoing import ANSWERED
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import CUT, one_line


_MAX_LISTED = 10
_HEADS = {What.REMINDER: "Reminder", What.TOO_LATE: "Too late"}
_NOTHING_DUE = "No reminder of it will come any more."
_SEEN = "No call that undoes it was seen, and nobody has resolved the hit."
_UNSEEN = "Nobody has resolved the hit. Whether it was undone does not follow from the records."
_STILL_OPEN = "The hit stays open: resolve it once you have looked."


def follow_up_subject(hits: Sequence[Hit], follow_ups: Sequence[FollowUp]) -> str:
    """The subject of the alert itself, with what became of the act before it: mail programs and people find both."""
    return mail_subject(hits, prefix=f"{_head(follow_ups[0])}: ")


def follow_up_text(
    hits: Sequence[Hit], follow_ups: Sequence[FollowUp], limit: int = 30_000, *, runbook: str = "", where: str = ""
) -> str:
    """The text; hits and what is said of each, in the same order, all of one kind. Cut where it is longer than `limit`,
    and says so.
    """
    what = follow_ups[0].what
    sections = [
        _headline(hits, follow_ups),
        _acts(hits, follow_ups),
        _undo(hits) if what is What.REMINDER else _what_is_left(hits) if what is What.TOO_LATE else iter(()),
        _links(hits, runbook),
        _commands(hits, follow_ups[0], where),
    ]
    text = "\n\n".join("\n".join(section) for section in map(list, sections) if section) + "\n"
    return text if len(text) <= limit else f"{text[:limit]}\n{CUT} (cut: the rest is in the hit table)\n"


def follow_up_sentences(hits: Sequence[Hit], follow_ups: Sequence[FollowUp]) -> Iterator[str]:
    """What there is to say, true for every one of the hits."""
    said, several = follow_ups[0], len(hits) > 1
    acts = f"These {len(hits)} acts were" if several else "The act was"
    if said.what is What.UNDONE:
        after = [seconds_between(hit.event_time, one.at) for hit, one in zip(hits, follow_ups, strict=True)]
        took = span(min(after)) if min(after) == max(after) else f"{span(min(after))} to {span(max(after))}"
        yield (
            f"{acts} {said.word} after {took}, by {one_line(said.by, 300)}"
            f" ({one_line(said.event_name, 100)}{_last(follow_ups)})."
        )
        if said.note:
            yield one_line(said.note, 1000)
        if said.word == said.what or (said.word == ANSWERED and any(hit.undo_until for hit in hits)):
            yield _NOTHING_DUE
        if said.word != said.what:
            yield _STILL_OPEN
        return
    earliest, due = min(zip(hits, follow_ups, strict=True), key=lambda one: one[0].undo_until)
    named = ", ".join(map(named_resource, earliest.resources[:1])) or "no resource"
    whose = f", the earliest of {len(hits)} ({one_line(named, 300)})" if several else ""
    if said.what is What.TOO_LATE:
        yield f"The deadline has passed: {earliest.undo_until}{whose}."
    else:
        left = seconds_left(earliest.undo_until, due.at) or 0
        yield f"{span(left)} left to undo: until {earliest.undo_until}{whose}."
    yield _SEEN if all(hit.undo_links for hit in hits) else _UNSEEN


def _last(follow_ups: Sequence[FollowUp]) -> str:
    times = sorted(one.at for one in follow_ups)
    return f", {utc(times[0])}" if times[0] == times[-1] else f", {utc(times[0])} to {utc(times[-1])}"


def _head(said: FollowUp) -> str:
    return _HEADS.get(said.what) or said.word.capitalize()


def _headline(hits: Sequence[Hit], follow_ups: Sequence[FollowUp]) -> Iterator[str]:
    count = f" ({len(hits)} times)" if len(hits) > 1 else ""
    yield f"{_head(follow_ups[0]).upper()} - {hits[0].title}{count}"
    yield ""
    for sentence in follow_up_sentences(hits, follow_ups):
        yield from wrapped(sentence)


def _acts(hits: Sequence[Hit], follow_ups: Sequence[FollowUp]) -> Iterator[str]:
    yield "What it was" if len(hits) == 1 else f"What they were ({len(hits)})"
    yield from row("level", hits[0].level)
    yield from row("by", hits[0].actor.text)
    yield from row("account", hits[0].account)
    for hit, said in list(zip(hits, follow_ups, strict=True))[:_MAX_LISTED]:
        yield from row("when", f"{utc(hit.event_time)}, {one_line(hit.event_name, 100)} in {hit.region or 'no region'}")
        yield from row("resource", hit.resources[0] if hit.resources else "", 1100)
        yield from row("until", hit.undo_until)
        if said.what is What.UNDONE and len(hits) > 1:
            yield from row(said.word, f"{utc(said.at)}, after {span(seconds_between(hit.event_time, said.at))}")
    if len(hits) > _MAX_LISTED:
        yield f"  ... and {len(hits) - _MAX_LISTED} more: trailbell hits --rule {hits[0].name}"


def _undo(hits: Sequence[Hit]) -> Iterator[str]:
    steps = list(dict.fromkeys(step for hit in hits[:_MAX_LISTED] for step in hit.undo))
    if steps:
        yield "Undo"
        yield from (f"  {step}" for step in steps)
    if hits[0].undo_note:
        yield from wrapped(hits[0].undo_note, indent="  ")


def _what_is_left(hits: Sequence[Hit]) -> Iterator[str]:
    """After the deadline the commands no longer work; what the rule says about it still holds."""
    yield "What is left to do"
    yield from wrapped(
        "Assume that it cannot be undone any more. Find out what depended on it, restore that from backups or copies,"
        " and resolve the hit.",
        indent="  ",
    )
    if hits[0].undo_note:
        yield from wrapped(hits[0].undo_note, indent="  ")


def _commands(hits: Sequence[Hit], said: FollowUp, where: str) -> Iterator[str]:
    if said.word == What.UNDONE:
        yield f"details: {command('hit', hits[:1], where)}"
        return
    for meaning, line in handles(hits, where):
        if said.what is not What.TOO_LATE or "undo" not in meaning:
            yield f"{meaning}: {line}"


def _links(hits: Sequence[Hit], runbook: str) -> Iterator[str]:
    if links := links_of(hits[0], runbook):
        yield "Links" if len(hits) == 1 else "Links (of the first)"
        for label, address in links.items():
            yield from row(label, address, 2000)
