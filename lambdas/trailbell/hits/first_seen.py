"""First seen: whether somebody does something for the first time, or as ever, and what that makes of a hit.

A rule asks for it (`first_seen:`): values of the record make a key, such as role, account, call and Region. Each day on
which the key is seen is kept, with the earliest time of that day. What is new raises the hit's level, what is habitual
lowers it, by one step, and the mail says so; a hit is never left out. Days and earliest times do not depend on the
order in which records come, nor on how often one does.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice, product
from typing import Any

from trailbell.engine.fields import members, text_of
from trailbell.engine.predicates import compile_finder
from trailbell.engine.rulebook import UNMUTABLE, FirstSeen, Level, Rule
from trailbell.hits.hit import Hit


LEARNING_DAYS = 14
"""Days after the first sighting in an account in which nothing is called new: at first everything is."""

HABIT_DAYS = 30
"""Days before an event that its habit is read from."""

_KEYS_MAX = 20


@dataclass(frozen=True, slots=True)
class Sighting:
    """That a key was seen on a day.

    day: yyyy-mm-dd; at, event_id: the earliest event of that day.
    """

    day: str
    at: str
    event_id: str


def seen_keys(rule: Rule, fields: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a record that matches a rule, as digests: one for each combination of values; none if a value is
    missing.
    """
    if rule.first_seen is None:
        return ()
    roots = (fields, {"facts": facts})
    choices = [
        dict.fromkeys(text for one in members(compile_finder(path)(roots)) if (text := text_of(one)) is not None)
        for path in rule.first_seen.key
    ]
    return tuple(_digest(rule.rule_id, values) for values in islice(product(*choices), _KEYS_MAX))


def _digest(rule_id: str, values: Sequence[str]) -> str:
    named = "\n".join((rule_id, *values)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(named).hexdigest()[:32]


def days_before(day: str, days: int) -> str:
    """The day that was some days before another, both yyyy-mm-dd; the first of the calendar where there is none."""
    try:
        return (date.fromisoformat(day) - timedelta(days)).isoformat()
    except OverflowError:
        return date.min.isoformat()


def judged(hit: Hit, asked: FirstSeen, sightings: Mapping[str, Sequence[Sighting]], since: str) -> Hit:
    """A hit with what its keys' sightings say.

    sightings: by key, those of the days before the event's and of its own; since: the time of the first sighting in
    the account.
    """
    day = hit.event_time[:10]
    if not sightings or days_before(day, LEARNING_DAYS) < since[:10]:
        return replace(hit, seen_note=f"still learning until {_learned(since)}: whether this is new cannot be said yet")
    if any(_is_first(hit, seen) for seen in sightings.values()):
        return _moved(hit, 1, f"first time in {asked.days} days")
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
    note = f"{reason} by {by}" if step > 0 else f"{reason}, by {by}"
    if hit.level_note or (step < 0 and (hit.severity <= Level.LOW or hit.name.startswith(UNMUTABLE))):
        return replace(hit, seen_note=note)
    level = Level(min(hit.severity + step, Level.CRITICAL))
    if level is hit.severity:
        return replace(hit, seen_note=note)
    word = "raised" if step > 0 else "lowered"
    return replace(hit, level=level.word, level_note=f"{word} from {hit.level}: {note}")
