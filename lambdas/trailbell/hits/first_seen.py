"""First seen: whether somebody does something for the first time, or as ever, and what that makes of a hit.

A rule asks for it (`first_seen:`): values of the record make a key, such as role, account, call and Region. Each day
on which the key is seen is kept, with the earliest time of that day. What is new raises the hit's level, what is
habitual lowers it, by one step, and the mail says so; a hit is never left out, nor lowered below what is mailed. Days
and earliest times do not depend on the order in which records come, nor on how often one does.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import islice, product
from typing import Any

from trailbell.engine.fields import members, text_of
from trailbell.engine.predicates import compile_finder
from trailbell.engine.rulebook import UNMUTABLE, FirstSeen, Level, Rule
from trailbell.hits.hit import Hit, shown_name
from trailbell.lazy_dataclass import dataclass


LEARNING_DAYS = 14
"""Days after the first sighting in an account in which nothing is called new: at first everything is."""

HABIT_DAYS = 30
"""Days before an event that its habit is read from."""

_KEYS_MAX = 20
_WHOSE = frozenset({"facts.actor.key", "recipientAccountId"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a key was seen on a day.

    day: yyyy-mm-dd; at, event_id: the earliest event of that day.
    """

    day: str
    at: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a record is seen under.

    keys: digests, one for each combination of values; none if a value is missing.
    what: the values for people, but those that say whose act it is.
    """

    keys: tuple[str, ...] = ()
    what: str = ""


NOT_SEEN = Seen()

_finder = lru_cache(1024)(compile_finder)  # paths that rules give


def seen_in(rule: Rule, fields: Mapping[str, Any], facts: Mapping[str, Any]) -> Seen:
    """What a record that matches a rule is seen under."""
    if rule.first_seen is None:
        return NOT_SEEN
    roots = (fields, {"facts": facts})
    choices = [
        dict.fromkeys(text for one in members(_finder(path)(roots)) if (text := text_of(one)) is not None)
        for path in rule.first_seen.key
    ]
    combinations = [*islice(product(*choices), _KEYS_MAX)]
    named = zip(rule.first_seen.key, combinations[0], strict=True) if combinations else ()
    what = ", ".join(shown_name(value) for path, value in named if path not in _WHOSE)
    return Seen(tuple(_digest(rule.rule_id, values) for values in combinations), what)


def learning_key(rule_id: str, asked: FirstSeen) -> str:
    """What the beginning of a rule's learning is kept under; a rule that asks for something else begins anew."""
    return _digest(rule_id, asked.key)


def _digest(rule_id: str, values: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([rule_id, *values]).encode()).hexdigest()[:32]


def days_before(day: str, days: int) -> str:
    """The day that was some days before another, both yyyy-mm-dd; the first of the calendar where there is none."""
    try:
        return (date.fromisoformat(day) - timedelta(days)).isoformat()
    except OverflowError:
        return date.min.isoformat()


def judged(hit: Hit, asked: FirstSeen, sightings: Mapping[str, Sequence[Sighting]], since: str) -> Hit:
    """A hit with what its keys' sightings say.

    sightings: by key, those of the days before the event's and of its own; since: when the rule's learning began in the
    account.
    """
    day = hit.event_time[:10]
    if not sightings or days_before(day, LEARNING_DAYS) < since[:10]:
        return replace(hit, seen_note=f"still learning until {_learned(since)}: whether this is new cannot be said yet")
    if any(_is_first(hit, seen) for seen in sightings.values()):
        known = (date.fromisoformat(day) - date.fromisoformat(since[:10])).days
        return _moved(hit, 1, f"first time in {min(asked.days, known)} days")
    start = days_before(day, HABIT_DAYS)
    counts = [len({one.day for one in seen if start <= one.day < day}) for seen in sightings.values()]
    seldom = min(counts)
    if asked.habit_days and seldom >= asked.habit_days:
        return _moved(hit, -1, f"as on {seldom} of the {HABIT_DAYS} days before")
    return hit


def _learned(since: str) -> str:
    return days_before(since[:10], -LEARNING_DAYS) if since else f"{LEARNING_DAYS} days from now"


def _is_first(hit: Hit, seen: Sequence[Sighting]) -> bool:
    """Whether nothing earlier is known: no earlier day, and on its own day no earlier event."""
    return not any((one.at, one.event_id) < (hit.event_time, hit.event_id) for one in seen)


def _moved(hit: Hit, step: int, reason: str) -> Hit:
    """The hit one level up or down, unless who acted has moved it so already; one about the alerter never goes down."""
    by = hit.actor.name or hit.actor.text
    what = f" ({hit.seen_what})" if hit.seen_what else ""
    note = f"{reason} by {by}{what}" if step > 0 else f"{reason}, by {by}{what}"
    if hit.level_note or (step < 0 and (hit.severity <= Level.MEDIUM or hit.name.startswith(UNMUTABLE))):
        return replace(hit, seen_note=note)
    level = Level(min(hit.severity + step, Level.CRITICAL))
    if level is hit.severity:
        return replace(hit, seen_note=note)
    word = "raised" if step > 0 else "lowered"
    return replace(hit, level=level.word, level_note=f"{word} from {hit.level}: {note}")
