"""The alert as a mail: a subject that says it all, and a text that can be acted on without the console.

SNS subjects are at most 100 characters of ASCII without line breaks; its mails are plain text.
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

import re
import textwrap
from collections.abc import Iterator, Sequence

from trailalert.core.hit import Hit
from trailalert.core.links import links_of
from trailalert.core.record import NO_TIME
from trailalert.core.safe_text import CUT, ascii_line, one_line


SUBJECT_LIMIT = 99
_WIDTH = 80
_MAX_LISTED = 10
_LEAST = 12  # characters of the resource and of who that stay in a subject
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_OUTCOMES = {
    "success": "It succeeded",
    "denied": "It was denied",
    "dryrun": "It was a dry run, and would have been allowed",
    "failed": "It failed",
}


def mail_subject(hits: Sequence[Hit]) -> str:
    """[LEVEL] title: resource by who, account region; at most SUBJECT_LIMIT characters, printable ASCII.

    What does not fit is cut from who first, then from the resource, then from the title.
    """
    hit = hits[0]
    count = f" x{len(hits)}" if len(hits) > 1 else ""
    head, tail = f"[{hit.level.upper()}]{count} ", f", {hit.account} {hit.region}".rstrip()
    title, what, who = hit.title, _subject_resource(hits), hit.actor.name or hit.actor.text
    joints = len(" by ") + (len(": ") if what else 0)
    room = SUBJECT_LIMIT - len(head) - len(tail) - joints
    title = ascii_line(title, max(room - min(len(what), _LEAST) - min(len(who), _LEAST), _LEAST), "..")
    what = ascii_line(what, max(room - len(title) - min(len(who), _LEAST), _LEAST), "..")
    who = ascii_line(who, max(room - len(title) - len(what), _LEAST), "..")
    act = f"{title}: {what}" if what else title
    return ascii_line(f"{head}{act} by {who}{tail}", SUBJECT_LIMIT, "..")


def mail_text(hits: Sequence[Hit], limit: int = 30_000) -> str:
    """The mail's text for hits of one alert (oldest first, at least one); the first hit is told in full.

    A text of more than `limit` characters is cut, and says so.
    """
    sections = [
        _headline(hits),
        _meaning(hits[0]),
        _undo(hits),
        _who(hits[0]),
        _what(hits),
        _check(hits[0]),
        _links(hits[0]),
        _ids(hits),
    ]
    text = "\n\n".join("\n".join(section) for section in map(list, sections) if section) + "\n"
    return text if len(text) <= limit else f"{text[:limit]}\n{CUT} (cut: the rest is in the hit table)\n"


def short_resource(resource: str) -> str:
    """A resource as people say it: the last part of its ARN, a UUID by its first eight digits."""
    last = resource.rpartition(":")[2] if resource.startswith("arn:") else resource
    name = last.partition("/")[2] or last
    return name[:8] if _UUID.fullmatch(name) else name


def _subject_resource(hits: Sequence[Hit]) -> str:
    resources = list(dict.fromkeys(resource for hit in hits for resource in hit.resources))
    if not resources:
        return ""
    more = f" +{len(resources) - 1}" if len(resources) > 1 else ""
    return short_resource(resources[0]) + more


def _headline(hits: Sequence[Hit]) -> Iterator[str]:
    hit = hits[0]
    yield f"{hit.level.upper()} - {hit.title}" + (f" ({len(hits)} times)" if len(hits) > 1 else "")
    yield ""
    call = f"{one_line(hit.event_name, 100)} ({one_line(hit.event_source, 100)})"
    where = f"in account {hit.account}, {one_line(hit.region, 40) or 'no region'}"
    yield from _wrapped(f"{one_line(hit.actor.text, 300)} called {call} {where}.")
    yield from _wrapped(f"{_when(hits)} {_OUTCOMES.get(hit.outcome, hit.outcome)}{_error(hit)}.")
    if hit.level_note:
        yield from _wrapped(f"The level was {hit.level_note}.")
    if hit.also:
        yield from _wrapped("The same call also matches: " + ", ".join(hit.also) + ".")


def _when(hits: Sequence[Hit]) -> str:
    first, last = hits[0], hits[-1]
    if first.event_time == NO_TIME:
        return "The record has no valid time."
    when = f"{_utc(first.event_time)}."
    if len(hits) > 1:
        when = f"{len(hits)} times from {_utc(first.event_time)} to {_utc(last.event_time)}; the first is shown."
    return f"{when} Seen by us {_delay(first)} later."


def _error(hit: Hit) -> str:
    if not hit.error_code:
        return ""
    message = f": {hit.error_message}" if hit.error_message else ""
    return f" with {one_line(hit.error_code, 100)}{one_line(message, 400)}".rstrip(".")


def _meaning(hit: Hit) -> Iterator[str]:
    if hit.meaning:
        yield "What it means"
        yield from _wrapped(hit.meaning, indent="  ")


def _undo(hits: Sequence[Hit]) -> Iterator[str]:
    hit = hits[0]
    if not (hit.undo or hit.undo_note):
        return
    yield f"Undo (until {hit.undo_until})" if hit.undo and hit.undo_until else "Undo"
    for other in hits[:_MAX_LISTED]:
        for step in other.undo:
            yield f"  {step}"
    if len(hits) > _MAX_LISTED and hit.undo:
        yield f"  ... and the same for {len(hits) - _MAX_LISTED} more (see: trailalert hits --rule {hit.name})"
    yield from _wrapped(hit.undo_note, indent="  ")


def _who(hit: Hit) -> Iterator[str]:
    actor = hit.actor
    yield "Who"
    yield from _row("principal", actor.arn or actor.key)
    credentials = [f"{actor.credential} key" if actor.credential else ""]
    credentials.append(f"ending in {actor.key_hint}" if actor.key_hint else "")
    credentials.append(f"session since {actor.session}" if actor.session else "")
    credentials.append("from the console" if actor.console else "")
    credentials.append(f"MFA {actor.mfa}" if actor.mfa else "")
    yield from _row("credentials", ", ".join(part for part in credentials if part))
    if actor.account and actor.account != hit.account:
        yield from _row("account", f"{actor.account} (another account than the resource's)")
    yield from _row("through", actor.via)
    yield from _row("address", hit.source_ip)
    yield from _row("agent", hit.user_agent)


def _what(hits: Sequence[Hit]) -> Iterator[str]:
    resources = list(dict.fromkeys(resource for hit in hits for resource in hit.resources))
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
            yield from _wrapped(step, indent="     ", first=f"  {number}. ")
    if hit.falsepositives:
        yield "Harmless if"
        for case in hit.falsepositives:
            yield from _wrapped(case, indent="    ", first="  - ")


def _links(hit: Hit) -> Iterator[str]:
    links = links_of(hit)
    if links or hit.references:
        yield "Links"
        for label, address in links.items():
            yield from _row(label, address)
        for address in hit.references[:3]:
            yield from _row("read more", address)


def _ids(hits: Sequence[Hit]) -> Iterator[str]:
    hit = hits[0]
    tags = " ".join(tag.removeprefix("attack.").upper() for tag in hit.tags if tag.startswith("attack.t"))
    yield f"rule {hit.name}" + (f" | {tags}" if tags else "") + (f" | by {hit.author}" if hit.author else "")
    yield f"hit {one_line(hit.hit_id, 300)}"
    where = f"s3://{hit.place.bucket}/{hit.place.key}" if hit.place.bucket else hit.place.key
    yield f"record {hit.place.index} of {one_line(where, 1200)}"


def _row(label: str, value: str) -> Iterator[str]:
    if value:
        yield f"  {label:<12} {one_line(value, 400)}"


def _wrapped(text: str, indent: str = "", first: str | None = None) -> list[str]:
    lead = indent if first is None else first
    return textwrap.wrap(
        text, _WIDTH, initial_indent=lead, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _utc(time: str) -> str:
    return time.replace("T", " ").replace("Z", " UTC")


def _delay(hit: Hit) -> str:
    seconds = hit.delay
    units = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    shown = [f"{amount} {unit}" for amount, unit in units if amount]
    return " ".join(shown[:2]) or "0 s"
