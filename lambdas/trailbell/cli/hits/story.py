"""The full story of one hit, as text and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trailbell.alerts.mail import mail_text
from trailbell.alerts.subject import mail_subject
from trailbell.cli.hits.output import found_line, table_text
from trailbell.cli.options.times import Zone, show_time, zone_name
from trailbell.hits.hit import Hit, hit_document
from trailbell.hits.hit_state import HitState, StateChange
from trailbell.hits.verdict import Verdict, muted_text, verdict_document, verdict_text
from trailbell.store.query.hits_around import RelatedHits
from trailbell.text.safe_text import one_line


@dataclass(frozen=True, slots=True)
class Story:
    """A hit with all that is known about it.

    notified: whether somebody was notified of it.
    as_of:  when the story is told (ISO 8601): what is left until a deadline is reckoned from then.
    hours:  how far around it related hits were looked for.
    where:  options of commands that lead to the same table.
    record: as people may see it, or why it cannot be had.
    today:  what would become of the act today, None where it was not judged.
    """

    hit: Hit
    state: HitState
    history: list[StateChange]
    notified: bool
    related: RelatedHits
    hours: int
    record: dict[str, Any] | str
    today: Verdict | None = None
    where: str = ""
    as_of: str = ""


def story_document(story: Story, zone: Zone) -> dict[str, Any]:
    """The story as JSON; `record` where it could be had, else `recordMissing`, which says why; `today` if judged."""
    state = story.state
    today = {"today": verdict_document(story.today)} if story.today else {}
    return {
        "id": story.hit.short_id,
        "hit": hit_document(story.hit),
        "state": {"state": state.word, "by": state.by, "at": state.at, "note": state.note},
        "history": [
            {"action": one.action, "state": one.word, "by": one.by, "at": one.at, "note": one.note}
            for one in story.history
        ],
        "told": story.notified,  # the name of `notified` until 0.1.0: kept for who reads it
        "notified": story.notified,
        **today,
        "alert": {
            "subject": mail_subject([story.hit]),
            "text": _mail(story),
        },
        "relatedByActor": [found_line(one, zone) for one in story.related.actor],
        "relatedByResource": [found_line(one, zone) for one in story.related.resource],
        "record" if isinstance(story.record, dict) else "recordMissing": story.record,
    }


def story_lines(story: Story, zone: Zone) -> Iterator[str]:
    """The story for a person: where it stands, the mail, what else happened, the record."""
    hit = story.hit
    yield f"Hit {hit.short_id}: {_standing(story)}"
    if story.today:
        yield f"  {one_line(verdict_text(hit, story.today), 600)}"
    for one in story.history:
        note = f": {one_line(one.note)}" if one.note else ""
        yield f"  {show_time(one.at, zone)} ({zone_name(zone)})  {one.action} by {one_line(one.by)}{note}"
    yield from (
        "",
        f"Subject: {mail_subject([hit])}",
        "",
        _mail(story).rstrip(),
    )
    related = (("by the same actor", story.related.actor), ("on the same resource", story.related.resource))
    for title, hits in related:
        yield from ("", f"Other hits {title}, {story.hours} h around it:" + ("" if hits else " none"))
        if hits:
            yield table_text(hits, zone).rstrip("\n")
    if isinstance(story.record, dict):
        yield from ("", "The record:", json.dumps(story.record, indent=2, ensure_ascii=True))
    else:
        yield from ("", f"The record: {story.record}")


def _standing(story: Story) -> str:
    """In what state a hit is, and whether anybody was notified of it."""
    undelivered = "not notified (found by a replay of history)" if story.hit.quiet else "not notified yet"
    if story.hit.muted_by:
        undelivered = f"not notified ({one_line(muted_text(story.hit))})"
    state = story.state
    by = f" by {one_line(state.by)} at {state.at}" if state.by else ""
    return f"{state.word}{by}; {'notified' if story.notified else undelivered}"


def _mail(story: Story) -> str:
    return mail_text([story.hit], where=story.where, as_of=story.as_of)
