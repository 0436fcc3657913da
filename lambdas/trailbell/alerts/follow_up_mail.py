"""The mail that follows an alert: the act was undone, its deadline is near, or over. One message may be about several
acts of one rule and person; what differs between them stands beside each.
"""

from collections.abc import Iterator, Sequence

from trailbell.alerts.commands import command, handles
from trailbell.alerts.mail_end import links_section
from trailbell.alerts.mail_lines import row, rows, span, utc, wrapped
from trailbell.alerts.mail_undo import deadline_left, most_urgent, undo_section
from trailbell.alerts.subject import mail_subject
from trailbell.alerts.summary import Summary, summary_of
from trailbell.hits.follow_up import FollowUp, What
from trailbell.hits.hit import Hit, seconds_between
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
    hits: Sequence[Hit],
    follow_ups: Sequence[FollowUp],
    limit: int = 30_000,
    *,
    runbook: str = "",
    where: str = "",
    as_of: str = "",
) -> str:
    """The text; hits and what is said of each, in the same order, all of one kind. as_of: when it is sent (ISO 8601),
    "" for when it was due. Cut where it is longer than `limit`, and says so.
    """
    what, summary = follow_ups[0].what, summary_of(hits)
    as_of = as_of or max(one.at for one in follow_ups)
    undo = {What.REMINDER: lambda: undo_section(hits, as_of, where), What.TOO_LATE: lambda: _what_is_left(hits)}
    sections = [
        _headline(hits, follow_ups, as_of),
        _acts(hits, follow_ups, summary),
        undo[what]() if what in undo else iter(()),
        links_section(hits, summary, runbook),
        _commands(hits, follow_ups[0], where),
    ]
    text = "\n\n".join("\n".join(section) for section in map(list, sections) if section) + "\n"
    return text if len(text) <= limit else f"{text[:limit]}\n{CUT} (cut: the rest is in the hit table)\n"


def follow_up_sentences(hits: Sequence[Hit], follow_ups: Sequence[FollowUp], as_of: str = "") -> Iterator[str]:
    """What there is to say, true for every one of the hits. as_of: as above."""
    said, several = follow_ups[0], len(hits) > 1
    acts = f"These {len(hits)} acts were" if several else "The act was"
    if said.what is What.UNDONE:
        after = [seconds_between(hit.event_time, one.at) for hit, one in zip(hits, follow_ups, strict=True)]
        took = span(min(after)) if min(after) == max(after) else f"{span(min(after))} to {span(max(after))}"
        if hits[0].is_finding:  # nobody did it, so nobody undid it
            yield f"It is over after {took}: {one_line(said.event_name, 100)}{_last(follow_ups)}."
            return
        calls = ", ".join(dict.fromkeys(one_line(one.event_name, 100) for one in follow_ups))
        yield f"{acts} {said.word} after {took}, by {one_line(said.by, 300)} ({calls}{_last(follow_ups)})."
        for note in dict.fromkeys(one.note for one in follow_ups if one.note):
            yield one_line(note, 1000)
        if said.word in (said.what, ANSWERED) and any(hit.undo_until for hit in hits):
            yield _NOTHING_DUE
        if said.word != said.what:
            yield _STILL_OPEN
        return
    earliest = most_urgent(hits)[0] if any(hit.undo for hit in hits) else min(hits, key=lambda hit: hit.undo_until)
    named = ", ".join(map(named_resource, earliest.main_resources[:1])) or "no resource"
    whose = f", the earliest of {len(hits)} ({one_line(named, 300)})" if several else ""
    if said.what is What.TOO_LATE:
        yield f"The deadline has passed: {earliest.undo_until}{whose}."
    else:
        when = as_of or max(one.at for one in follow_ups)
        yield f"{deadline_left(earliest.undo_until, hits, when)}; undo until {earliest.undo_until}{whose}."
    yield _SEEN if all(hit.undo_links for hit in hits) else _UNSEEN


def _last(follow_ups: Sequence[FollowUp]) -> str:
    times = sorted(one.at for one in follow_ups)
    return f", {utc(times[0])}" if times[0] == times[-1] else f", {utc(times[0])} to {utc(times[-1])}"


def _head(said: FollowUp) -> str:
    return _HEADS.get(said.what) or said.word.capitalize()


def _headline(hits: Sequence[Hit], follow_ups: Sequence[FollowUp], as_of: str) -> Iterator[str]:
    count = f" ({len(hits)} times)" if len(hits) > 1 else ""
    yield f"{_head(follow_ups[0]).upper()} - {hits[0].title}{count}"
    yield ""
    for sentence in follow_up_sentences(hits, follow_ups, as_of):
        yield from wrapped(sentence)


def _acts(hits: Sequence[Hit], follow_ups: Sequence[FollowUp], summary: Summary) -> Iterator[str]:
    yield "What it was" if len(hits) == 1 else f"What they were ({len(hits)})"
    yield from row("level", hits[0].level)
    yield from rows("by", [(actor.text, count) for actor, count in summary.people], len(hits))
    yield from row("account", hits[0].shown_account)
    for hit, said in list(zip(hits, follow_ups, strict=True))[:_MAX_LISTED]:
        yield from row("when", f"{utc(hit.event_time)}, {one_line(hit.event_name, 100)} in {hit.region or 'no region'}")
        yield from rows("resource", [(name, 1) for name in hit.main_resources], 1, 1100)
        yield from row("until", hit.undo_until)
        if said.what is What.UNDONE and len(hits) > 1:
            yield from row(said.word, f"{utc(said.at)}, after {span(seconds_between(hit.event_time, said.at))}")
    if len(hits) > _MAX_LISTED:
        yield f"  ... and {len(hits) - _MAX_LISTED} more"


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
