"""The story of a principal as text of 80 columns, and as JSON. What records say is data: one safe line each."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trailbell.alerts.mail_lines import times, utc
from trailbell.lookback.acts import Who
from trailbell.lookback.principals import Link, Named
from trailbell.lookback.profile import Chapter, Profile
from trailbell.text.resource_name import short_resource
from trailbell.text.safe_text import one_line


_WIDTH = 80
_TOP = 8


@dataclass(frozen=True, slots=True)
class Story:
    """A principal: the name that was given and by what it names whom, what else is linked to it, and what it did.

    sources: where the acts are from, as a sentence. inferred_counted: whether inferred links are counted, too.
    """

    given: str
    named: Mapping[Who, Named]
    links: Mapping[Who, Link]
    profile: Profile
    sources: str
    inferred_counted: bool = False


def story_lines(story: Story, most: int) -> Iterator[str]:
    """Who it is, in numbers, and in time; most: lines of the story, the newest."""
    profile = story.profile
    kinds = " and ".join(sorted({str(kind) for kind in story.named.values()}))
    yield from _folded(f"{one_line(story.given, 200)} ({kinds}), {story.sources}")
    if not profile.total.calls:
        yield "No act of it."
        return
    reads = f", {profile.reads} of them reads" if profile.reads else ""
    yield f"Seen from {utc(profile.first)} to {utc(profile.last)}"
    yield from _folded(f"{_calls(profile.total.calls)}{reads}, {profile.total.denied} denied")
    yield from _linked(story)
    yield ""
    yield from _services(profile)
    counted = (
        ("identities", profile.identities),
        ("addresses", profile.addresses),
        ("agents", profile.agents),
        ("access keys", Counter({f"...{key}": count for key, count in profile.keys.items()})),
        ("Regions", profile.regions),
        ("accounts", profile.accounts),
        ("resources", Counter({short_resource(name): count for name, count in profile.resources.items()})),
        ("hits", profile.rules),
    )
    for title, counter in counted:
        yield from _top(title, counter)
    for episode in profile.episodes:
        yield from _folded(f"episode: {one_line(episode, 200)}")
    yield ""
    yield from _told(profile, most)


def story_document(story: Story) -> dict[str, Any]:
    """All of it as JSON."""
    profile = story.profile
    return {
        "given": one_line(story.given, 400),
        "sources": story.sources,
        "identities": [_identity(who, named=str(kind)) for who, kind in story.named.items()],
        "linked": [
            _identity(who, stated=link.is_stated, why=link.why, counted=link.is_stated or story.inferred_counted)
            for who, link in story.links.items()
        ],
        "firstSeen": profile.first,
        "lastSeen": profile.last,
        "calls": profile.total.calls,
        "denied": profile.total.denied,
        "reads": profile.reads,
        "services": {name: {"calls": one.calls, "denied": one.denied} for name, one in profile.services.items()},
        "operations": dict(profile.calls),
        "addresses": dict(profile.addresses),
        "agents": dict(profile.agents),
        "accessKeys": dict(profile.keys),
        "regions": dict(profile.regions),
        "accounts": dict(profile.accounts),
        "resources": dict(profile.resources),
        "rules": dict(profile.rules),
        "episodes": list(profile.episodes),
        "story": [_chapter(one) for one in profile.story],
        "leftOut": dict(profile.left_out),
    }


def _identity(who: Who, **more: Any) -> dict[str, Any]:
    return {"key": who.key, "text": who.text, "arn": who.arn, "accessKey": who.key_hint, **more}


def _chapter(one: Chapter) -> dict[str, Any]:
    return {
        "first": one.first,
        "last": one.last,
        "count": one.count,
        "service": one.service,
        "call": one.call,
        "outcome": one.outcome,
        "actor": one.who.text,
        "address": one.address,
        "region": one.region,
        "resources": list(one.resources),
        "new": one.new,
        "rule": one.rule,
        "level": one.level,
        "muted": one.muted,
    }


def _linked(story: Story) -> Iterator[str]:
    """What else is the same principal's, and how that is known; inferences are named as such."""
    stated = {who: link for who, link in story.links.items() if link.is_stated}
    inferred = {who: link for who, link in story.links.items() if not link.is_stated}
    for who, link in _by_text(stated):
        yield from _folded(f"also, by AWS's own word: {one_line(who.text, 200)} ({one_line(link.why, 200)})")
    counted = "counted" if story.inferred_counted else "not counted; --inferred counts it"
    for who, link in _by_text(inferred):
        yield from _folded(f"perhaps, an inference: {one_line(who.text, 200)} ({one_line(link.why, 200)}; {counted})")


def _by_text(links: Mapping[Who, Link]) -> list[tuple[Who, Link]]:
    """One for each that reads alike: sessions differ in their keys alone."""
    return list({(who.text, link.why): (who, link) for who, link in links.items()}.values())


def _services(profile: Profile) -> Iterator[str]:
    width = max(map(len, (*profile.services, "service")))
    yield f"{'service':<{width}}  {'calls':>7}  {'denied':>7}"
    for name, one in sorted(profile.services.items(), key=lambda entry: (-entry[1].calls, entry[0])):
        yield f"{one_line(name, 40):<{width}}  {one.calls:>7}  {one.denied:>7}"


def _top(title: str, counter: Counter[str]) -> Iterator[str]:
    """The most frequent values of one kind, a line each, and how many more there are."""
    if not counter:
        return
    yield f"{title}:"
    for value, count in counter.most_common(_TOP):
        yield from _folded(f"  {one_line(value, 200)}, {times(count)}", 4)
    if len(counter) > _TOP:
        yield f"  ... and {len(counter) - _TOP} more (--format json has all)"


def _told(profile: Profile, most: int) -> Iterator[str]:
    """What it did, in time: changes, denials, hits, and what was new; reads are counted above."""
    yield "In time (UTC):"
    shown: Sequence[Chapter] = profile.story[-most:] if most else ()
    left = len(profile.story) - len(shown) + profile.left_out["story"]
    if left:
        yield f"  ... {left} earlier lines (--lines)"
    day = ""
    for one in shown:
        if one.first[:10] != day:
            day = one.first[:10]
            yield f"  {day}"
        yield from _folded(f"  {one.first[11:19]} {_sentence(one)}", 11)


def _sentence(one: Chapter) -> str:
    until = f", until {one.last[11:19]}" if one.last[:19] != one.first[:19] else ""
    repeated = f" {one.count} times{until}" if one.count > 1 else ""
    outcome = "" if one.outcome == "success" else f", {one.outcome}"
    names = [short_resource(name) for name in one.resources]
    on = f" on {one_line(names[0], 100)}{f' and {len(names) - 1} more' if len(names) > 1 else ''}" if names else ""
    hit = f" [{one.level} {one.rule}{', muted' if one.muted else ''}]" if one.rule else ""
    new = f"; first seen: {', '.join(one_line(text, 120) for text in one.new)}" if one.new else ""
    return f"{one_line(one.service, 40)} {one_line(one.call, 80)}{repeated}{outcome}{on}{hit}{new}"


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _folded(text: str, indent: int = 2) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=" " * indent, break_on_hyphens=False)
