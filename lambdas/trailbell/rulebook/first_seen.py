"""`first_seen:` of a rule: what makes an act new, or habitual.

first_seen:
    key: [facts.actor.key, recipientAccountId, eventName, awsRegion]
    days: 90            # not seen in so many days: new, one level up
    habit_days: 20      # seen on so many of the 30 days before: habitual, one level down; 0 for never
"""

from typing import Any

from trailbell.engine.rulebook import FirstSeen
from trailbell.errors import RuleError
from trailbell.rulebook.misspellings import question


_MEMBERS = ("key", "days", "habit_days")
_DAYS_MAX = 365
_HABIT_MAX = 30


def compile_first_seen(content: Any, place: str) -> FirstSeen | None:
    """Raises RuleError."""
    if content is None:
        return None
    if not isinstance(content, dict):
        raise RuleError(f"{place}: first_seen is a map with key, and maybe days and habit_days")
    for name in content:
        if name not in _MEMBERS:
            raise RuleError(f"{place}: first_seen has no member {name!r}{question(str(name), _MEMBERS)}")
    key = content.get("key")
    if not isinstance(key, list) or not key or not all(isinstance(path, str) and path for path in key):
        raise RuleError(f"{place}: first_seen.key is a list of fields, such as facts.actor.key")
    known = FirstSeen(tuple(key))
    days = _number(content.get("days", known.days), "days", 1, _DAYS_MAX, place)
    return FirstSeen(
        known.key, days, _number(content.get("habit_days", known.habit_days), "habit_days", 0, _HABIT_MAX, place)
    )


def _number(given: Any, name: str, least: int, most: int, place: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise RuleError(f"{place}: first_seen.{name} is a whole number from {least} to {most}, not {given!r}")
    return given
