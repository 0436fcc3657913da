"""The alert as a mail: a text that can be acted on without the console. SNS mails are plain text.

The order is the reader's: what happened, what it means, how to undo it and until when; then who and which resource
in full, what to check, what else the actor did, links, and at the end the ids.
"""

import re
import shlex
from collections.abc import Iterator, Sequence

from trailbell.alerts.links import links_of
from trailbell.alerts.mail_lines import row, span, utc, wrapped
from trailbell.alerts.mail_who import account_note, who_section
from trailbell.alerts.summary import Summary, summary_of
from trailbell.cloudtrail.record import NO_TIME
from trailbell.engine.rulebook import UNMUTABLE
from trailbell.hits.hit import Hit, seconds_between
from trailbell.hits.related import RELATED_HOURS, Related
from trailbell.hits.undo import seconds_left
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import CUT, one_line


_MAX_LISTED = 10
_MAX_NAMED = 5  # accounts and regions in a sentence
# What fill_steps leaves where a record is silent; gaps of the rule's own (<newest backup>) are in its note.
_GAP = re.compile(r"'<(?:resource|requestParameters|responseElements|additionalEventData|serviceEventDetails)\b")
_OUTCOMES = {
    "success": "succeeded",
    "denied": "denied",
    "dryrun": "dry run that would have been allowed",
    "failed": "failed",
}
_VERBS = {"denied": "tried", "failed": "tried"}
_ONE_OUTCOME = {
    "success": "It succeeded",
    "denied": "It was denied",
    "dryrun": "It was a dry run, and would have been allowed",
    "failed": "It failed",
}


def mail_text(hits: Sequence[Hit], limit: int = 30_000, *, related: Related | None = None, runbook: str = "") -> str:
    """The mail's text for hits of one alert (oldest first, at least one); the first hit is shown in full.

    related: what else the actor did, None if it was not looked up; runbook: see alerts/links.py.
    A text of more than `limit` characters is cut, and says so.
    """
    hit, summary = hits[0], summary_of(hits)
    sections = [
        _headline(hits, summary),
        _meaning(hit),
        _undo(hits),
        who_section(hit, summary),
        _what(summary),
        _check(hit),
        _harmless(hit),
        _related(hit, related),
        _links(hit, runbook),
        _ids(hit),
    ]
    text = "\n\n".join("\n".join(section) for section in map(list, sections) if section) + "\n"
    return text if len(text) <= limit else f"{text[:limit]}\n{CUT} (cut: the rest is in the hit table)\n"


def _headline(hits: Sequence[Hit], summary: Summary) -> Iterator[str]:
    hit, several = hits[0], len(summary.actors) > 1
    times = f"{len(hits)} times" if len(hits) > 1 else ""
    actors = f"by {len(summary.actors)} actors" if several else ""
    count = f" ({', '.join(filter(None, (times, actors)))})" if times else ""
    yield f"{hit.level.upper()} - {hit.title}{count}"
    yield ""
    who = f"{len(summary.actors)} actors" if several else one_line(hit.actor.text, 300)
    foreign = account_note(hit)
    if foreign and not several and foreign not in who:
        who += f" of account {foreign}"
    call = f"{one_line(hit.event_name, 100)} ({one_line(hit.event_source, 100)})"
    verb = "reported" if hit.event_type == "AwsServiceEvent" else _VERBS.get(hit.outcome, "called")
    yield from wrapped(f"{who} {verb} {call}{_on(summary)} {_where(summary)}.")
    yield from wrapped(f"{_when(hits, summary)} {_how_it_went(hits, summary)}.")
    yield from _as_known_before(hit)
    if hit.level_note:
        yield from wrapped(f"The level was {hit.level_note}.")
    also = dict.fromkeys(name for one in hits for name in one.also)
    muted = dict.fromkeys(name for one in hits for name in one.also_muted)
    if also:
        yield from wrapped(f"Also matched: {', '.join(also)}.")
    if muted:
        yield from wrapped(f"Also matched, but muted: {', '.join(muted)}.")


def _as_known_before(hit: Hit) -> Iterator[str]:
    """Why an act is notified of now: what was known of it before, or that another account records it, too."""
    if hit.muted_before:
        yield from wrapped(
            f"The exception {one_line(hit.muted_before, 100)} muted it when it was found, and mutes it no more."
        )
    if hit.raised_from:
        by = f" by {one_line(hit.raised_from_rule, 100)}" if hit.raised_from_rule else ""
        yield from wrapped(
            f"You were notified of this act before, at level {hit.raised_from}{by}. It is graver than that."
        )
    if hit.shared_event_id:
        yield from wrapped("Two accounts record this act; it is notified of once.")


def _on(summary: Summary) -> str:
    if not summary.resources:
        return ""
    others = len(summary.resources) - 1
    more = f" and {others} more" if others else ""
    return f" on {one_line(named_resource(summary.resources[0]), 300)}{more}"


def _where(summary: Summary) -> str:
    accounts, regions = summary.accounts, summary.regions
    account = f"account {accounts[0]}" if len(accounts) == 1 else f"{len(accounts)} accounts ({_some(accounts)})"
    region = _some(regions) if len(regions) > 1 else one_line(regions[0], 40)
    return f"in {account}, {region or 'no region'}"


def _some(names: Sequence[str]) -> str:
    listed = [one_line(name, 40) or "no region" for name in names[:_MAX_NAMED]]
    return ", ".join(listed + ([f"{len(names) - _MAX_NAMED} more"] if len(names) > _MAX_NAMED else []))


def _when(hits: Sequence[Hit], summary: Summary) -> str:
    first = hits[0]
    if summary.first == NO_TIME:
        return f"Time unknown: the record has no valid time. Detected {utc(first.seen_at)}."
    when = f"{utc(first.event_time)}."
    if len(hits) > 1:
        when = f"{len(hits)} times from {utc(summary.first)} to {utc(summary.last)}; the first is shown."
    return f"{when} {_detected(first)}."


def _detected(hit: Hit) -> str:
    """How long after the event the hit was found; a record's own time may also lie in the future."""
    how = "Found by a replay" if hit.quiet else "Detected"
    if hit.event_time > hit.seen_at:  # both in the same form; Hit.delay is never below 0
        early = span(seconds_between(hit.seen_at, hit.event_time))
        return f"{how} {utc(hit.seen_at)}, {early} before the time in the record"
    return f"{how} {span(hit.delay)} after the event"


def _how_it_went(hits: Sequence[Hit], summary: Summary) -> str:
    if len(summary.outcomes) > 1:
        return ", ".join(f"{count} {_OUTCOMES.get(outcome, outcome)}" for outcome, count in summary.outcomes)
    hit = hits[0]
    outcome = _ONE_OUTCOME.get(hit.outcome, hit.outcome)
    if not hit.error_code or hit.outcome == "dryrun":  # whose error says what a dry run is
        return outcome
    message = f": {hit.error_message}" if hit.error_message else ""
    return f"{outcome} with {one_line(hit.error_code, 100)}{one_line(message, 400)}".rstrip(".")


def _meaning(hit: Hit) -> Iterator[str]:
    if hit.meaning:
        yield "What it means"
        yield from wrapped(hit.meaning, indent="  ")


def _undo(hits: Sequence[Hit]) -> Iterator[str]:
    hit = hits[0]
    steps = list(dict.fromkeys(step for one in hits[:_MAX_LISTED] for step in one.undo))
    if not (steps or hit.undo_note):
        return
    yield "Undo" + (_deadline(hit) if steps and hit.undo_until else "")
    for step in steps:
        yield from _step(step)
    if len(hits) > _MAX_LISTED and steps:
        yield f"  ... and the same for {len(hits) - _MAX_LISTED} more: trailbell hits --rule {hit.name}"
    if any(_GAP.search(step) for step in steps):
        yield from wrapped("The record does not hold the values in <...>; fill them in.", indent="  ")
    yield from wrapped(hit.undo_note, indent="  ")


def _step(step: str) -> Iterator[str]:
    """A command stays on one line, to be pasted; a sentence is wrapped."""
    if step[:1].isupper() or " " not in step:
        yield from wrapped(step, indent="  ")
    else:
        yield f"  {step}"


def _deadline(hit: Hit) -> str:
    left = seconds_left(hit.undo_until, hit.seen_at)
    if left is None:
        return f" (until {hit.undo_until})"
    return f" (until {hit.undo_until}: {span(left) + ' left' if left > 0 else 'already over when this was detected'})"


def _what(summary: Summary) -> Iterator[str]:
    resources = summary.resources
    if not resources:
        return
    yield "Resource" if len(resources) == 1 else f"Resources ({len(resources)})"
    for resource in resources[:_MAX_LISTED]:
        yield f"  {one_line(resource, 1100)}"
    if len(resources) > _MAX_LISTED:
        yield f"  ... and {len(resources) - _MAX_LISTED} more"


def _check(hit: Hit) -> Iterator[str]:
    if hit.check:
        yield "Check first"
        for number, step in enumerate(hit.check, start=1):
            yield from wrapped(step, indent="     ", first=f"  {number}. ")


def _harmless(hit: Hit) -> Iterator[str]:
    if hit.falsepositives:
        yield "Harmless if"
        for case in hit.falsepositives:
            yield from wrapped(case, indent="    ", first="  - ")


def _related(hit: Hit, related: Related | None) -> Iterator[str]:
    if related is None:
        return
    yield f"Same actor, previous {RELATED_HOURS} hours"
    if not (related.hits or related.note or related.more):
        yield "  no other hits"
    for one in related.hits[:_MAX_LISTED]:
        act = f"{one.title} ({one_line(one.event_name, 60)})" + (", muted by an exception" if one.muted else "")
        yield f"  {utc(one.event_time)}  {one.level:<8} {one_line(act, 200)}"
    if related.note:
        yield from wrapped(related.note, indent="  ")
    if related.note or related.more or len(related.hits) > _MAX_LISTED:
        yield f"  show all: trailbell hits --since 7d --actor {shlex.quote(one_line(hit.actor.key, 1100))}"


def _links(hit: Hit, runbook: str) -> Iterator[str]:
    links = links_of(hit, runbook)
    if links or hit.references:
        yield "Links" + (f" (for the console, sign in to account {hit.account})" if "event" in links else "")
        for label, address in links.items():
            yield from row(label, address, 2000)
        for address in hit.references[:3]:
            yield from row("read more", address)


def _ids(hit: Hit) -> Iterator[str]:
    tags = " ".join(tag.removeprefix("attack.").upper() for tag in hit.tags if tag.startswith("attack.t"))
    yield f"rule {hit.name}" + (f" | {tags}" if tags else "") + (f" | by {hit.author}" if hit.author else "")
    yield f"hit {one_line(hit.hit_id, 300)}"
    where = f"s3://{hit.place.bucket}/{hit.place.key}" if hit.place.bucket else hit.place.key
    yield f"record {hit.place.index} of {one_line(where, 1200)}"
    if hit.request_id:
        yield f"request {one_line(hit.request_id, 100)}"
    if not hit.name.startswith(UNMUTABLE):
        yield f"to mute: write an exception for {hit.name}, see exceptions/README.md"
