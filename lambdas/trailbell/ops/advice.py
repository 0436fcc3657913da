"""What a condition means and what to do about it, read from advice.toml: the one source for doctor, alarms and pages.

Pure, and the stack reads it at synth: it may import nothing of AWS.
"""

import functools
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from trailbell.text.safe_text import one_line


_FILE = Path(__file__).with_name("advice.toml")
_MAX_VALUE = 2000  # no name in AWS is as long


@dataclass(frozen=True, slots=True)
class Advice:
    """What a condition means, what to do in words, commands to paste in order, and what the operators' page adds."""

    meaning: str
    fix: str
    commands: tuple[str, ...] = ()
    background: str = ""

    @property
    def next_step(self) -> str:
        """What to do, with the commands, on one line."""
        run = f"Run: {'; '.join(self.commands)}" if self.commands else ""
        return " ".join(part for part in (self.fix, run) if part)

    @property
    def text(self) -> str:
        """Meaning and next step, as an alarm's description has them."""
        return f"{self.meaning} {self.next_step}"


def advice_on(condition: str, **values: object) -> Advice:
    """The advice on a condition such as `trail.not-logging`, its {names} filled in; a list of values is many words.

    Each value is one safe line in sentences, and whole words for a shell in commands: some are names that anybody
    may have chosen. Raises KeyError for a condition that the table lacks, or a name without its value.
    """
    known = table()[condition]
    words = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    lines = {name: [one_line(str(word), _MAX_VALUE) for word in found] for name, found in words.items()}
    said = {name: ", ".join(found) for name, found in lines.items()}
    quoted = {name: shlex.join(found) for name, found in lines.items()}
    return replace(
        known,
        meaning=known.meaning.format(**said),
        fix=known.fix.format(**said),
        commands=tuple(command.format(**quoted) for command in known.commands),
    )


def alarm_advice(name: str) -> Advice:
    """The advice on an alarm by its name within the stack, such as `Silence`. Raises KeyError for one we lack."""
    return advice_on(f"alarm.{name}")


@functools.cache
def table() -> Mapping[str, Advice]:
    """All conditions by name, {names} not filled in, in the order of the file."""
    document = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        f"{subject}.{condition}": Advice(
            members["meaning"], members["fix"], tuple(members.get("commands", ())), members.get("background", "")
        )
        for subject, conditions in document.items()
        for condition, members in conditions.items()
    }
