"""One change of one hit's state, as the commands and the page make it: who and when are kept, and nobody's is lost."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from trailbell.errors import SettingsError, StateError
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import HitState, change_state
from trailbell.store.states import DynamoHitStates
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


MAX_NOTE = 1000
"""Characters of a note."""

Find = Callable[[datetime], tuple[Hit, int]]
"""Gives a hit as the table has it now, and when its row expires (epoch seconds)."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody makes of a hit: ack, resolve, reopen or note, with a note, and what it is resolved as.

    seen: the version of the state that they looked at, None where they did not look.
    """

    action: str
    note: str = ""
    resolved_as: str = ""
    seen: int | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A hit in its new state; `text` says what was done, for the person who asked."""

    hit: Hit
    state: HitState
    text: str


def checked_note(note: str) -> str:
    """The note as it is kept: one line. Raises SettingsError for one that is too long."""
    if len(note) > MAX_NOTE:
        raise SettingsError(f"a note is at most {MAX_NOTE} characters, this one has {len(note)}")
    return one_line(note, MAX_NOTE)


def change_hit(find: Find, states: DynamoHitStates, said: Said, by: str) -> Changed:
    """Change one hit's state.

    Raises StateError where there is nothing to change, where somebody else was faster, and where the state is no more
    the one that was looked at (a note is taken all the same); SettingsError where there is no such hit.
    """
    now = datetime.now(UTC)
    found, expires_at = find(now)
    before, _ = states.read(found.identity)
    if said.seen not in (None, before.version) and said.action != "note":
        raise StateError(f"it was changed since you looked: {_who(before)}. Look again, then repeat")
    after, change = change_state(before, said.action, by, iso_time(now), said.note, said.resolved_as)
    states.write(found.identity, after, change, expires_at)
    was = f" (was {before.word})" if before.word != after.word else ""
    judged = f" as {after.resolved_as}" if after.resolved_as else ""
    return Changed(found, after, f"{found.short_id} {found.name}: {after.word}{judged}{was}")


def _who(state: HitState) -> str:
    by = f" by {state.by} at {state.at}" if state.by else ""
    return f"it is {state.word}{by}" + (f" ({state.note})" if state.note else "")
