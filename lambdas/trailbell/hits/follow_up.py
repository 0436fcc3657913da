"""A follow-up: what is said later about an act that was notified of. It was undone, its deadline is near, or over."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


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
