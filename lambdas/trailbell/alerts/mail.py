"""The alert as a mail: a text that can be acted on without the console. SNS mails are plain text.

The order is the reader's: what happened, what it means, how to undo it and until when; then who and which resource
in full, what to check, what else the actor did, links, and at the end the ids. What is said without a number or a name
is true for every hit of the alert.
"""

from collections.abc import Iterator, Sequence

from trailbell.alerts.mail_end import ids_section, links_section, related_section
from trailbell.alerts.mail_episode import acts_section, is_of_one_actor
from trailbell.alerts.mail_head import head_section
from trailbell.alerts.mail_lines import rows, wrapped
from trailbell.alerts.mail_stop import stop_section
from trailbell.alerts.mail_undo import undo_section
from trailbell.alerts.mail_who import who_section
from trailbell.alerts.summary import Summary, each, shown_values, summary_of
from trailbell.hits.hit import Hit
from trailbell.hits.related import Related
from trailbell.text.safe_text import CUT, one_line


_MAX_LISTED = 10


def mail_text(
    hits: Sequence[Hit],
    limit: int = 30_000,
    *,
    related: Related | None = None,
    runbook: str = "",
    where: str = "",
    as_of: str = "",
    gathered: bool = False,
    quiet_minutes: int = 0,
    held_back: str = "",
) -> str:
    """The mail's text for hits of one alert (oldest first, at least one).

    related: what else the actor did, None if it was not looked up; runbook: see alerts/links.py; where: options of
    commands that say where the table is, "" for the stack that they take by themselves.
    as_of:   the time (ISO 8601) as of which it says what is left until a deadline; "" for when it was detected.
    gathered: whether the hits came in a quiet period, after an alert of their kind; quiet_minutes: how long that is,
    0 where it is not known.
    held_back: why nothing is to be undone any more, "" if it may be.
    A text of more than `limit` characters is cut, and says so.
    """
    summary = summary_of(hits)
    sections = [
        head_section(hits, summary, gathered=gathered, quiet_minutes=quiet_minutes),
        acts_section(hits),
        _asked_for(hits),
        _meaning(hits),
        undo_section(hits, as_of, where, held_back),
        *((who_section(hits, summary), stop_section(hits, summary)) if all(map(is_of_one_actor, hits)) else ()),
        _what(summary) if _are_all_known(hits) else (),
        _check(hits),
        _harmless(hits),
        related_section(hits[0], summary, related, where),
        links_section(hits, summary, runbook),
        ids_section(hits, where),
    ]
    text = "\n\n".join("\n".join(section) for section in map(list, sections) if section) + "\n"
    return text if len(text) <= limit else f"{text[:limit]}\n{CUT} (cut: the rest is in the hit table)\n"


def _asked_for(hits: Sequence[Hit]) -> Iterator[str]:
    if any(hit.shown for hit in hits):
        yield "Found" if hits[0].is_finding else "Asked for"
        for label, values in shown_values(hits):
            yield from rows(label, values, len(hits))


def _meaning(hits: Sequence[Hit]) -> Iterator[str]:
    meanings = each(hits, lambda hit: (hit.meaning,) if hit.meaning else ())
    if meanings:
        yield "What it means"
        for meaning in meanings:
            yield from wrapped(meaning, indent="  ")


def _what(summary: Summary) -> Iterator[str]:
    resources = list(dict.fromkeys((*summary.acted_on, *summary.resources)))
    if not resources:
        return
    yield "Resource" if len(resources) == 1 else f"Resources ({len(resources)})"
    for resource in resources[:_MAX_LISTED]:
        yield f"  {one_line(resource, 1100)}"
    if len(resources) > _MAX_LISTED:
        yield f"  ... and {len(resources) - _MAX_LISTED} more"


def _are_all_known(hits: Sequence[Hit]) -> bool:
    """Whether hits hold the resources of all their acts; of a long episode those of some, which stand under Acts."""
    return all(hit.episode is None or hit.episode.is_complete for hit in hits)


def _check(hits: Sequence[Hit]) -> Iterator[str]:
    steps = each(hits, lambda hit: hit.check)
    if steps:
        yield "Check first"
        for number, step in enumerate(steps, start=1):
            yield from wrapped(step, indent="     ", first=f"  {number}. ")


def _harmless(hits: Sequence[Hit]) -> Iterator[str]:
    cases = each(hits, lambda hit: hit.falsepositives)
    if cases:
        yield "Harmless if"
        for case in cases:
            yield from wrapped(case, indent="    ", first="  - ")
