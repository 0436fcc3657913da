"""A follow-up: what is said later about an act that was notified of. It was undone, its deadline is near, or over."""

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any

from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import RESOLVED, UNRESOLVED
from trailbell.hits.undo import seconds_left
from trailbell.lazy_dataclass import dataclass


class What(StrEnum):
    """What a follow-up is about."""

    UNDONE = "undone"
    REMINDER = "reminder"
    TOO_LATE = "too-late"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """name: apart from the others of the same act, such as reminder-24h; word: of hits/undoing.py, WORDS.

    at, by, by_key, event_name, event_id: of the call that undid it; of a reminder `at` is when it was due.
    note: what is left to know once that call was made, "" if nothing.
    """

    what: What
    name: str
    at: str
    word: str = ""
    by: str = ""
    by_key: str = ""
    event_name: str = ""
    event_id: str = ""
    note: str = ""


def still_news(follow_up: FollowUp, hit: Hit, state: str, undone_at: str, now: str) -> bool:
    """Whether a follow-up is worth saying at a moment (UTC, ISO 8601 with Z).

    state: of the hit (hits/hit_state.py); undone_at: when the act was undone, as far as it matters to another word.
    Of an act that was resolved nothing is, of one that was undone nothing that came later, and no reminder.
    """
    if follow_up.what is What.UNDONE:
        return state != RESOLVED and (follow_up.word == What.UNDONE or not undone_at or follow_up.at < undone_at)
    if state not in UNRESOLVED:
        return False
    left = seconds_left(hit.undo_until, now)
    return follow_up.what is What.TOO_LATE or left is None or left > 0


def followed_as(name: str) -> str:
    """What the delivery record of a follow-up of an act is kept under: its act's, continued."""
    return f"{ACT}-{name}"


def follow_up_document(follow_up: FollowUp) -> dict[str, str]:
    """A follow-up as its row and the alert hold it; empty values left out."""
    members = {
        "what": str(follow_up.what),
        "name": follow_up.name,
        "at": follow_up.at,
        "word": follow_up.word,
        "by": follow_up.by,
        "byKey": follow_up.by_key,
        "eventName": follow_up.event_name,
        "eventID": follow_up.event_id,
        "note": follow_up.note,
    }
    return {name: value for name, value in members.items() if value}


def follow_up_from_document(document: Mapping[str, Any]) -> FollowUp:
    """Read `follow_up_document` back. Raises KeyError or ValueError for what none has written."""
    spelt = {"by_key": "byKey", "event_name": "eventName", "event_id": "eventID"}
    texts = {part.name: str(document.get(spelt.get(part.name, part.name), "")) for part in fields(FollowUp)}
    return FollowUp(What(texts.pop("what")), **texts)
