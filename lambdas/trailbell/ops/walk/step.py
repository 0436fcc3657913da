"""A step on the way from a log file to a reader: whether an event passed it, and what to do where it did not."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How far an event came at a step."""

    PASSED = "passed"
    STOPPED = "stopped"
    """It ended here."""
    WAITS = "waits"
    """It is on its way and goes on by itself."""
    UNKNOWN = "unknown"
    """It cannot be seen: nobody may look, or nothing is kept of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, how far the event came, that in a sentence, and what to do ("" for nothing)."""

    name: str
    state: State
    said: str
    action: str = ""

    @property
    def ends(self) -> bool:
        """Whether the event did not get past it (yet)."""
        return self.state in (State.STOPPED, State.WAITS)


def passed(name: str, said: str) -> Step:
    """A step that the event passed."""
    return Step(name, State.PASSED, said)


def stopped(name: str, said: str, action: str) -> Step:
    """The step at which it ended."""
    return Step(name, State.STOPPED, said, action)


def waits(name: str, said: str, action: str = "") -> Step:
    """The step at which it is now."""
    return Step(name, State.WAITS, said, action)


def unknown(name: str, said: str, action: str = "") -> Step:
    """A step that cannot be seen."""
    return Step(name, State.UNKNOWN, said, action)
