"""A hit's state is what people made of it: open until somebody acknowledges or resolves it; reopened at any time.

It is kept beside the hit, never in it: a hit says what happened, and that does not change.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from trailbell.errors import StateError


OPEN, ACKED, RESOLVED = "open", "acked", "resolved"
STATES = (OPEN, ACKED, RESOLVED)
UNRESOLVED = (OPEN, ACKED)

_BECOMES = {"ack": ACKED, "resolve": RESOLVED, "reopen": OPEN}
# What must be so before, as a table: action → states in which it changes something.
_FROM = {"ack": {OPEN}, "resolve": {OPEN, ACKED}, "reopen": {ACKED, RESOLVED}, "note": {OPEN, ACKED, RESOLVED}}


@dataclass(frozen=True, slots=True)
class HitState:
    """The state of a hit.

    version: how many changes led here; of two people who change the same version the second is told so.
    by, at:  who brought it into this state (an ARN), and when (UTC, ISO 8601 with Z); "" for one never touched.
    note:    the last thing somebody wrote.
    """

    word: str = OPEN
    version: int = 0
    by: str = ""
    at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One step of a hit's history: `action` is ack, resolve, reopen or note; `word` the state it led to."""

    version: int
    action: str
    word: str
    by: str
    at: str
    note: str = ""


def change_state(before: HitState, action: str, by: str, at: str, note: str = "") -> tuple[HitState, StateChange]:
    """What an action makes of a state, and the step of history.

    Raises StateError where there is nothing to change, with who did it already and what to do instead.
    """
    if before.word not in _FROM[action]:
        raise StateError(_nothing_to_do(before, action))
    word = _BECOMES.get(action, before.word)
    version = before.version + 1
    moved = action != "note"
    after = HitState(word, version, by if moved else before.by, at if moved else before.at, note or before.note)
    return after, StateChange(version, action, word, by, at, note)


def is_in(state: HitState, muted: bool, states: Iterable[str]) -> bool:
    """Whether a hit is in one of these states; a muted hit is in none until somebody changes it."""
    return state.word in states and not (muted and not state.version)


def _nothing_to_do(before: HitState, action: str) -> str:
    if not before.version:
        return "it is open already"
    done = f"{before.word} already, by {before.by} at {before.at}"
    return f"it is {done}" + ("; reopen it first" if (action, before.word) == ("ack", RESOLVED) else "")
