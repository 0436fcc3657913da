"""A hit's state is what became of it: open until somebody acknowledges or resolves it, or a later call undoes the act;
reopened at any time.

It is kept beside the hit, never in it: a hit says what happened, and that does not change.
"""

from collections.abc import Iterable

from trailbell.errors import StateError
from trailbell.lazy_dataclass import dataclass


OPEN, ACKED, RESOLVED, UNDONE = "open", "acked", "resolved", "undone"
STATES = (OPEN, ACKED, RESOLVED, UNDONE)
UNRESOLVED = (OPEN, ACKED)

UNDO = "undo"
"""The action of a later call that undid the act; all others are people's."""

FALSE, CONFIRMED = "false", "confirmed"
RESOLVED_AS = (FALSE, CONFIRMED)
"""What somebody may say of a hit with its resolution: nothing was wrong, or something was."""

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
    resolved_as: of a resolved hit, false or confirmed; "" where nobody said.
    """

    word: str = OPEN
    version: int = 0
    by: str = ""
    at: str = ""
    note: str = ""
    resolved_as: str = ""


@dataclass(frozen=True, slots=True)
class StateChange:
    """One step of a hit's history: `action` is ack, resolve, reopen, note or undo; `word` the state it led to;
    `resolved_as` what was said with a resolution.
    """

    version: int
    action: str
    word: str
    by: str
    at: str
    note: str = ""
    resolved_as: str = ""


def change_state(
    before: HitState, action: str, by: str, at: str, note: str = "", resolved_as: str = ""
) -> tuple[HitState, StateChange]:
    """What an action makes of a state, and the step of history. resolved_as: of `resolve`; one that is resolved already
    may be resolved again as something else.

    Raises StateError where there is nothing to change, with who did it already and what to do instead.
    """
    judged_anew = before.word == RESOLVED and action == "resolve" and resolved_as not in ("", before.resolved_as)
    if before.word not in _FROM[action] and not judged_anew:
        raise StateError(_nothing_to_do(before, action))
    word = _BECOMES.get(action, before.word)
    version = before.version + 1
    moved = action != "note"
    judged = resolved_as if moved else before.resolved_as
    who = (by, at) if moved else (before.by, before.at)
    after = HitState(word, version, *who, note or before.note, judged)
    return after, StateChange(version, action, word, by, at, note, resolved_as)


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
