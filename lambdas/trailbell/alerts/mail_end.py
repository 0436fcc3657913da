"""The end of a mail: links, and the ids by which an act is found again."""

import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from trailbell.alerts.commands import command_line, handles
from trailbell.alerts.links import EVENTS, links_of_all
from trailbell.alerts.mail_lines import row, utc, wrapped
from trailbell.alerts.origin_text import place_text
from trailbell.alerts.summary import Summary, each
from trailbell.cloudtrail.record import NO_TIME
from trailbell.engine.rulebook import UNMUTABLE
from trailbell.hits.hit import Hit
from trailbell.hits.related import RELATED_HOURS, Related
from trailbell.text.safe_text import one_line


_MAX_LISTED = 10


def related_section(hit: Hit, summary: Summary, related: Related | None, where: str) -> Iterator[str]:
    """What else the first hit's actor did; where there are several actors, it says whose acts these are. where: see
    alerts/commands.py.
    """
    if related is None or (hit.episode and not hit.episode.is_of_one_actor):
        return
    several = len(summary.actors) > 1
    yield f"{one_line(hit.actor.text, 300) if several else 'Same actor'}, previous {RELATED_HOURS} hours"
    if not (related.hits or related.note or related.more):
        yield "  no other hits"
    for one in related.hits[:_MAX_LISTED]:
        act = f"{one.title} ({one_line(one.event_name, 60)})" + (", muted by an exception" if one.muted else "")
        yield f"  {utc(one.event_time)}  {one.level:<8} {one_line(act, 200)}"
    if related.note:
        yield from wrapped(related.note, indent="  ")
    if related.note or related.more or len(related.hits) > _MAX_LISTED:
        words = f"hits {_days(summary)} --actor {shlex.quote(one_line(hit.actor.key, 1100))}"
        yield f"  show all: {command_line(words, where)}"


def _days(summary: Summary) -> str:
    """The days of an alert's hits and the day before, as options: whenever they are asked for, the same hits."""
    if summary.first == NO_TIME:
        return "--since 7d"
    before = datetime.fromisoformat(summary.first) - timedelta(hours=RELATED_HOURS)
    return f"--from {before:%Y-%m-%d} --to {summary.last[:10]}"


def links_section(hits: Sequence[Hit], summary: Summary, runbook: str) -> Iterator[str]:
    """The section Links."""
    links = links_of_all(hits, runbook)
    references = each(hits, lambda hit: hit.references)
    if links or references:
        console = any(label in links for label in EVENTS) and len(summary.accounts) == 1
        yield "Links" + (f" (for the console, sign in to account {hits[0].account})" if console else "")
        for label, address in links.items():
            yield from row(label, address, 2000)
        for address in references[:3]:
            yield from row("read more", address)


def ids_section(hits: Sequence[Hit], where: str) -> Iterator[str]:
    """The rule, the hits, what to type about them, and where the records are."""
    hit, several = hits[0], len(hits) > 1
    tags = " ".join(tag.removeprefix("attack.").upper() for tag in hit.tags if tag.startswith("attack.t"))
    yield f"rule {hit.name}" + (f" | {tags}" if tags else "") + (f" | by {hit.author}" if hit.author else "")
    for one in hits[:_MAX_LISTED]:
        yield f"hit {one.short_id} ({one_line(one.hit_id, 300)})"
    if len(hits) > _MAX_LISTED:
        yield f"... and {len(hits) - _MAX_LISTED} more hits"
    for meaning, command in handles(hits, where):
        yield f"{meaning}: {command}"
    of_first = " (the first hit's)" if several else ""
    yield f"{place_text(hit)}{of_first}"
    if hit.request_id:
        yield f"request {one_line(hit.request_id, 100)}{of_first}"
    if hit.episode:
        counted = ", ".join(dict.fromkeys(act.name for one in hits if one.episode for act in one.episode.acts))
        yield f"to mute: write an exception for what it counts ({one_line(counted, 300)}), see exceptions/README.md"
    elif not (hit.name.startswith(UNMUTABLE) or hit.is_finding):
        yield f"to mute: write an exception for {hit.name}, see exceptions/README.md"
