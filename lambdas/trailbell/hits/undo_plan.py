"""What of a hit's undo can be done now: each step, whether it may run as it stands, and how long it works."""

import re
from dataclasses import dataclass

from trailbell.hits.hit import Hit
from trailbell.hits.undo import seconds_left


# As fill_steps and rules write what a person must fill in; a value of the record that looks like one is held back, too.
_GAP = re.compile(r"<[^<>]+>")


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One step: a command or a sentence. gaps: what must be filled in before it can run, as it stands there."""

    text: str
    command: bool
    gaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """How a hit is undone, as of a moment.

    until:   the deadline as text, "" for none.
    seconds: seconds left until then, negative if it has passed, None if there is none or it is no time.
    """

    hit: Hit
    steps: tuple[UndoStep, ...]
    until: str
    seconds: int | None

    @property
    def expired(self) -> bool:
        """Whether it is too late."""
        return self.seconds is not None and self.seconds <= 0


def undo_plan(hit: Hit, now: str) -> UndoPlan:
    """How a hit is undone at a moment (UTC, ISO 8601 with Z)."""
    until = hit.undo_until if hit.undo else ""
    return UndoPlan(hit, tuple(map(_step, hit.undo)), until, seconds_left(until, now) if until else None)


def _step(text: str) -> UndoStep:
    command = not text[:1].isupper() and " " in text  # as the mail tells them apart
    return UndoStep(text, command, tuple(dict.fromkeys(_GAP.findall(text))) if command else ())
