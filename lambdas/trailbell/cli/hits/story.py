"""The full story of one hit, as text and as JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trailbell.alerts.commands import command
from trailbell.alerts.mail import mail_text
from trailbell.alerts.mail_lines import span, utc, wrapped
from trailbell.alerts.origin_text import log_file_seconds, seen_text, sources_text
from trailbell.alerts.subject import mail_subject
from trailbell.cli.hits.output import found_line, table_text
from trailbell.cli.hits.undo_script import Undo, undo_document
from trailbell.cli.options.times import Zone, show_time, zone_name
from trailbell.hits.follow_up import FollowUp, What, follow_up_document
from trailbell.hits.hit import Hit, hit_document, seconds_between
from trailbell.hits.hit_state import UNDONE, HitState, StateChange, already
from trailbell.hits.standing import Standing, standing_of
from trailbell.hits.verdict import Verdict, muted_text, verdict_document, verdict_text
from trailbell.store.episode_rows import KeptEpisode
from trailbell.store.query.hit_query import FoundHit
from trailbell.store.query.hits_around import RelatedHits
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_seconds


@dataclass(frozen=True, slots=True)
class Story:
    """A hit with all that is known about it.

    notified: whether somebody was notified of it.
    as_of:  when the story is told (ISO 8601): what is left until a deadline is reckoned from then.
    hours:  how far around it related hits were looked for; limit: how many of each at most.
    where:  options of commands that lead to the same table.
    record: as people may see it, or why it cannot be had.
    today:  what would become of the act today, None where it was not judged.
    episode: of an episode's hit, the episode as it is now, None where that is not kept any more.
    undo:   of an episode's hit, what the hits of its acts say of its steps.
    follow_ups: what was said about it later, oldest first; now: as of when all of it is (UTC, ISO 8601 with Z).
    """

    hit: Hit
    state: HitState
    history: list[StateChange]
    notified: bool
    related: RelatedHits
    hours: int
    record: dict[str, Any] | str
    follow_ups: list[FollowUp]
    now: str
    limit: int = 0
    today: Verdict | None = None
    where: str = ""
    episode: KeptEpisode | None = None
    undo: Undo | None = None

    @property
    def standing(self) -> Standing:
        """Its state and deadline as of now."""
        return standing_of(self.hit, self.state, self.now)


def story_document(story: Story, zone: Zone) -> dict[str, Any]:
    """The story as JSON; `record` where it could be had, else `recordMissing`, which says why; `today` if judged."""
    state, standing = story.state, story.standing
    today = {"today": verdict_document(story.today)} if story.today else {}
    return {
        "id": story.hit.short_id,
        "hit": hit_document(story.hit),
        "asOf": story.now,
        "state": {"state": state.word, "by": state.by, "at": state.at, "note": state.note} | _judged(state),
        "origin": {
            "sources": sources_text(story.hit),
            "seenLive": story.hit.live is not None,
            "seenAfterSeconds": story.hit.delay,
            "logFileAfterSeconds": log_file_seconds(story.hit),
        },
        "deadline": {"until": standing.until, "secondsLeft": standing.seconds, "expired": standing.expired},
        "followUps": [
            {**follow_up_document(one), "afterSeconds": seconds_between(story.hit.event_time, one.at)}
            for one in story.follow_ups
        ],
        "history": [
            {"action": one.action, "state": one.word, "by": one.by, "at": one.at, "note": one.note} | _judged(one)
            for one in story.history
        ],
        "told": story.notified,  # the name of `notified` until 0.1.0: kept for who reads it
        "notified": story.notified,
        **today,
        **_episode_document(story),
        **({"undo": undo_document(story.undo)} if story.undo else {}),
        "alert": {
            "subject": mail_subject([story.hit]),
            "text": _mail(story),
        },
        "relatedByActor": [found_line(one, zone, story.now) for one in story.related.actor],
        "relatedByResource": [found_line(one, zone, story.now) for one in story.related.resource],
        "record" if isinstance(story.record, dict) else "recordMissing": story.record,
    }


def story_lines(story: Story, zone: Zone) -> Iterator[str]:
    """The story for a person: where it stands, the mail, what else happened, the record."""
    hit = story.hit
    yield f"Hit {hit.short_id}: {_standing(story)}"
    if seen := seen_text(hit):
        yield f"  {seen[:1].upper()}{seen[1:]}"
    yield from _goes_on(story)
    yield from _undo(story)
    yield from _steps_over(story)
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
        newest = f" newest {len(hits)} (more with --related)" if len(hits) == story.limit else ""
        yield from ("", f"Other hits {title}, {story.hours} h around it:" + (newest if hits else " none"))
        if hits:
            yield table_text(hits, zone, story.now).rstrip("\n")
    if isinstance(story.record, dict):
        yield from ("", "The record:", json.dumps(story.record, indent=2, ensure_ascii=True))
    else:
        yield from ("", f"The record: {story.record}")


def _goes_on(story: Story) -> Iterator[str]:
    """Until when an episode goes on, and whether it turned out to be one with an earlier one."""
    told, now = story.hit.episode, story.episode
    if told is None or now is None:
        return
    first, last = min(iso_seconds(now.first), told.first), max(iso_seconds(now.last), told.last)
    if now.key != told.key:
        yield f"  Is one episode with an earlier one, from {utc(first)} to {utc(last)}: {now.count} acts or more"
    elif (first, last) != (told.first, told.last):
        yield f"  Went on since this was written: from {utc(first)} to {utc(last)}, {now.count} acts or more"


def _episode_document(story: Story) -> dict[str, Any]:
    told, now = story.hit.episode, story.episode
    if told is None or now is None:
        return {}
    times = {"first": iso_seconds(now.first), "last": iso_seconds(now.last)}
    return {"episode": {**times, "countAtLeast": now.count, "joined": now.key != told.key}}


def _judged(one: HitState | StateChange) -> dict[str, str]:
    return {"resolvedAs": one.resolved_as} if one.resolved_as else {}


def _standing(story: Story) -> str:
    """In what state a hit is, and whether anybody was notified of it."""
    undelivered = "not notified (found by a replay of history)" if story.hit.quiet else "not notified yet"
    if story.hit.muted_by:
        undelivered = f"not notified ({one_line(muted_text(story.hit))})"
    state = story.state
    by = f" by {one_line(state.by)} at {state.at}" if state.by else ""
    judged = f" as {state.resolved_as}" if state.resolved_as else ""
    return f"{state.word}{judged}{by}; {'notified' if story.notified else undelivered}"


def _undo(story: Story) -> Iterator[str]:
    """What came of the act: who undid it by which call, what reminders there were, and how long it can be undone."""
    for one in story.follow_ups:
        if one.what is What.UNDONE:
            after = span(seconds_between(story.hit.event_time, one.at))
            call = f"{one_line(one.event_name, 100)}, {utc(one.at)}, event {one_line(one.event_id, 100)}"
            yield f"  {one.word.capitalize()} after {after}, by {one_line(one.by, 300)} ({call})"
            if one.note:
                yield from wrapped(one_line(one.note, 1000), indent="  ")
        else:
            yield f"  {'Too late since' if one.what is What.TOO_LATE else 'Reminded of its deadline at'} {utc(one.at)}"
    standing = story.standing
    if not standing.until or standing.undone_after is not None:
        return
    if standing.seconds is None:
        yield f"  Can be undone until {standing.until}"
    elif standing.expired:
        yield f"  Deadline passed: {standing.until}, {span(-standing.seconds)} ago"
    else:
        yield f"  Can be undone until {standing.until}: {span(standing.seconds)} left"


def _steps_over(story: Story) -> Iterator[str]:
    """The commands of an episode's mail that are not to run any more, for the mail says them as they were."""
    if story.undo is None:
        return
    over = story.undo.steps_held_back(FoundHit(story.hit, story.state, ""))
    for step, why in over:
        yield from wrapped(f"Not to be run any more ({why}): {one_line(step.text, 1000)}", indent="  ")
    if over:
        yield f"  What is left to run: {command('undo', [story.hit], story.where)}"


def _mail(story: Story) -> str:
    undone = already(story.state) if story.state.word == UNDONE else ""
    return mail_text([story.hit], where=story.where, as_of=story.now, held_back=undone)
