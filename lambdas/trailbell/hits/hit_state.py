"""A hit's state is what became of it: open until somebody acknowledges or resolves it, or a later call undoes the act;
reopened at any time.

It is kept beside the hit, never in it: a hit says what happened, and that does not change.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from trailbell.errors import StateError


OPEN, ACKED, RESOLVED, UNDONE = "open", "acked", "resolved", "undone"
STATES = (OPEN, ACKED, RESOLVED, UNDONE)
UNRESOLVED = (OPEN, ACKED)

UNDO = "undo"
"""The action of a later call that undid the act; all others are people's."""

_BECOMES = {"ack": ACKED, "resolve": RESOLVED, "reopen": OPEN, UNDO: UNDONE}
# What must be so before, as a table: action → states in which it changes something.
_FROM = {
    "ack": {OPEN},
    "resolve": {OPEN, ACKED},
    "reopen": {ACKED, RESOLVED, UNDONE},
    "note": {*STATES},
    UNDO: {OPEN, ACKED, UNDONE},  # from undone: an earlier undo was read later
}


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
    """One step of a hit's history: `action` is ack, resolve, reopen, note or undo; `word` the state it led to."""

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
    closed = before.word in (RESOLVED, UNDONE) and _BECOMES.get(action) != before.word
    return f"it is {already(before)}" + ("; reopen it first" if closed else "")


def already(state: HitState) -> str:
    """That somebody brought a hit into its state, and who: "undone already, by dana at 2026-09-01T10:00:00Z"."""
    return f"{state.word} already, by {state.by} at {state.at}"
