"""The subject of an alert's mail: all that a lock screen shows, and what mail programs make threads by.

SNS subjects are less than 100 characters without line breaks or control characters. Its reference says UTF-8 today,
older ones and other partitions say ASCII: so it is ASCII, which every one of them takes.
https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from trailbell.alerts.summary import Summary, summary_of
from trailbell.engine.rulebook import SHORT_TITLE
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.resource_name import short_resources
from trailbell.text.safe_text import ascii_line
from trailbell.text.shorten import end_kept, start_kept, tagged, tagged_length


SUBJECT_LIMIT = 99

# How far title, resource and actor may be cut: first so, and where that is not enough, so.
_EASY = (SHORT_TITLE, 16, 16)
_TIGHT = (SHORT_TITLE, 8, 9)
_LEAST = (16, 6, 8)
_MAX_ACCOUNT_NAME = 50
_GROWS = (2, 1, 0)  # the actor first gets what is left, then the resource, then the title

_REGION = lazy_pattern(r"([a-z]{2})((?:-[a-z]+)+)-([0-9]{1,2})", re.ASCII)
_DIRECTIONS = {"gov": "g", "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw"}
_DIRECTIONS |= {word: word[0] for word in ("north", "south", "east", "west", "central")}


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a subject says: the fixed head and end, and between them what may be cut; more: " +2" other resources."""

    head: str
    title: str
    what: str
    more: str
    who: str
    who_key: str
    account: str
    short_id: str

    @property
    def lengths(self) -> tuple[int, int, int]:
        """Of title, resource and actor, uncut."""
        return len(self.title), len(self.what + self.more), tagged_length(self.who)

    def room(self, region: str) -> int:
        """Characters for title, resource and actor."""
        return SUBJECT_LIMIT - len(self.text((0, 0, 0), region))

    def text(self, widths: Sequence[int], region: str) -> str:
        """The subject with so many characters of title, resource and actor; with 0, what else stands in it."""
        title = start_kept(self.title, widths[0]) if widths[0] else ""
        what = end_kept(self.what, widths[1] - len(self.more)) + self.more if widths[1] else ""
        name = self.who if self.lengths[2] <= widths[2] else self.who.removeprefix("role/")
        who = tagged(name, self.who_key, widths[2], cut=name != self.who) if widths[2] else ""
        colon = ": " if self.what else ""
        where = f"{self.account} {region}".rstrip()
        return f"{self.head} {title}{colon}{what} by {who}, {where} #{self.short_id}"


def mail_subject(hits: Sequence[Hit], prefix: str = "") -> str:
    """[LEVEL] title: resource by who, account region #short id; at most SUBJECT_LIMIT characters, printable ASCII.

    prefix: stands before it all, in a message that follows an alert.
    Level, account and short id are never cut, short titles only in a pile of rarities. Where all has room the name that
    the deployer gave the account stands behind its id. Where room is short the Region is abbreviated (euc1), then
    resource and actor are cut, each so that it still tells, then the Region is left out.
    """
    summary = summary_of(hits)
    parts = _parts(hits, summary, prefix)
    full = _region(hits[0], summary)
    if named := _with_account_name(parts, hits[0], summary):
        for region in (full, _abbreviated(full)):  # only where nothing else is cut for it
            if sum(named.lengths) <= named.room(region):
                return named.text(named.lengths, region)
    for region, (title, what, who) in _attempts(parts, full):
        widths = _widths(parts.lengths, (title, what + len(parts.more), who), parts.room(region))
        if widths:
            return parts.text(widths, region)
    return ascii_line(parts.text(_LEAST, ""), SUBJECT_LIMIT, "..")


def _with_account_name(parts: _Parts, hit: Hit, summary: Summary) -> _Parts | None:
    """The parts with the account's name behind its id, if it is one account and has a name."""
    if not hit.account_name or len(summary.accounts) > 1:
        return None
    return replace(parts, account=f"{parts.account} ({ascii_line(hit.account_name, _MAX_ACCOUNT_NAME)})")


def _attempts(parts: _Parts, region: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Which Region to show and how far to cut at most, best first."""
    short = _abbreviated(region)
    yield from ((region, parts.lengths), (short, parts.lengths), (short, _EASY))
    yield from (("", floors) for floors in (_EASY, _TIGHT, _LEAST))


def _widths(lengths: Sequence[int], floors: Sequence[int], room: int) -> list[int] | None:
    """How many characters each gets: as many as it has, or its floor and some of what is left; None if none fit."""
    widths = [min(length, floor) for length, floor in zip(lengths, floors, strict=True)]
    spare = room - sum(widths)
    if spare < 0:
        return None
    for at in _GROWS:
        more = min(lengths[at] - widths[at], spare)
        widths[at] += more
        spare -= more
    return widths


def _parts(hits: Sequence[Hit], summary: Summary, prefix: str) -> _Parts:
    hit = hits[0]
    what, more = short_resources(summary.acted_on)
    several = len(summary.actors) > 1
    who = f"{len(summary.actors)} actors" if several else hit.actor.name or hit.actor.text
    return _Parts(
        head=prefix + _head(hits),
        title=ascii_line(hit.short_title or hit.title, 1024),
        what=ascii_line(what, 1024),
        more=more,
        who=who,
        who_key=hit.actor.key,
        account=ascii_line(hit.account, 20) if len(summary.accounts) == 1 else f"{len(summary.accounts)} accounts",
        short_id=hit.short_id,
    )


def _head(hits: Sequence[Hit]) -> str:
    hit = hits[0]
    before = {"informational": "INFO"}.get(hit.raised_from, hit.raised_from.upper())
    raised = f", WAS {before}" if before else ""
    return f"[{hit.level.upper()}{raised}]" + (f" x{len(hits)}" if len(hits) > 1 else "")


def _region(hit: Hit, summary: Summary) -> str:
    return ascii_line(hit.region, 20) if len(summary.regions) == 1 else f"{len(summary.regions)} regions"


def _abbreviated(region: str) -> str:
    """A Region as the ids of its zones begin: euc1, apne1, usgw1.

    https://docs.aws.amazon.com/global-infrastructure/latest/regions/az-ids.html
    """
    parts = _REGION.fullmatch(region)
    if not parts:
        return region
    area, words, number = parts.groups()
    return area + "".join(_DIRECTIONS.get(word, word) for word in words[1:].split("-")) + number
