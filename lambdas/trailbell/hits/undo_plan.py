"""What of a hit's undo can be done now: each step, whether it may run as it stands, and how long it works."""

import re

from trailbell.hits.dated_steps import DatedStep, dated_steps, deadline_at
from trailbell.hits.episode import EpisodeAct
from trailbell.hits.hit import Hit
from trailbell.hits.undo import seconds_left
from trailbell.lazy_dataclass import dataclass


# As fill_steps and rules write what a person must fill in; a value of the record that looks like one is held back, too.
_GAP = re.compile(r"<[^<>]+>")


@dataclass(frozen=True, slots=True)
class UndoStep:
    """One step: a command or a sentence. gaps: what must be filled in before it can run, as it stands there.

    until, seconds: of its own deadline, as the plan has them; acts: those of an episode that it undoes.
    """

    text: str
    command: bool
    gaps: tuple[str, ...]
    until: str
    seconds: int | None
    acts: tuple[EpisodeAct, ...]

    @property
    def expired(self) -> bool:
        """Whether it is too late for it."""
        return self.seconds is not None and self.seconds <= 0


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """How a hit is undone, as of a moment.

    until:   the deadline as text, "" for none; of an episode the next one of its acts (hits/dated_steps.py).
    seconds: seconds left until then, negative if it has passed, None if there is none or it is no time.
    """

    hit: Hit
    steps: tuple[UndoStep, ...]
    until: str
    seconds: int | None

    @property
    def expired(self) -> bool:
        """Whether it is too late; of an episode steps without a deadline may still help."""
        return self.seconds is not None and self.seconds <= 0


def undo_plan(hit: Hit, now: str) -> UndoPlan:
    """How a hit is undone at a moment (UTC, ISO 8601 with Z)."""
    until = deadline_at(hit, now)
    return UndoPlan(hit, tuple(_step(one, now) for one in dated_steps(hit)), until, _left(until, now))


def _step(step: DatedStep, now: str) -> UndoStep:
    command = not step.text[:1].isupper() and " " in step.text  # as the mail tells them apart
    gaps = tuple(dict.fromkeys(_GAP.findall(step.text))) if command else ()
    return UndoStep(step.text, command, gaps, step.until, _left(step.until, now), step.acts)


def _left(until: str, now: str) -> int | None:
    return seconds_left(until, now) if until else None
