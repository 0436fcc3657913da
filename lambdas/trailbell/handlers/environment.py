"""A function's environment as a type: everything missing is said at once, at cold start."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trailbell
from trailbell.alerts.quiet import QuietMinutes
from trailbell.cloudtrail.object_key import ANYWHERE, TrailPlace
from trailbell.engine.rulebook import Level
from trailbell.errors import SettingsError
from trailbell.lazy_dataclass import dataclass


_QUIET = QuietMinutes()
_RULEBOOK = Path(trailbell.__file__).parent / "rulebook.json"


class Variables:
    """The environment, read name by name. What is wrong is collected, until `check` raises it."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._faults: list[str] = []

    def text(self, name: str, *, required: bool = True) -> str:
        """A variable, "" where it is not set."""
        value = self._environ.get(name, "")
        if required and not value:
            self._faults.append(f"{name} is not set")
        return value

    def number(self, name: str) -> int:
        """A whole number, 0 where it is none."""
        value = self.text(name)
        if value and not (value.isascii() and value.isdigit()):
            self._faults.append(f"{name} is {value!r}, not a whole number")
            return 0
        return int(value or 0)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Whole numbers with commas between, none where it is not set or one of them is none."""
        parts = [part for part in self.text(name, required=False).split(",") if part]
        if not all(part.isascii() and part.isdigit() for part in parts):
            self._faults.append(f"{name} is {','.join(parts)!r}, not whole numbers")
            return ()
        return tuple(map(int, parts))

    def quiet(self, name: str) -> QuietMinutes:
        """Quiet periods as JSON, a map of names to minutes with the rest under "default"; the defaults if not set."""
        try:
            given = {
                str(key): int(minutes) for key, minutes in json.loads(self.text(name, required=False) or "{}").items()
            }
        except (ValueError, TypeError, AttributeError) as error:
            self._faults.append(f"{name} is no map of minutes: {error}")
            return QuietMinutes()
        return QuietMinutes(given.pop("default", QuietMinutes().otherwise), given)

    def level(self, name: str) -> Level:
        """A level's word, medium where it is not set."""
        value = self.text(name, required=False) or Level.MEDIUM.word
        if value.upper() not in Level.__members__:
            self._faults.append(f"{name} is {value!r}, not a level")
            return Level.MEDIUM
        return Level[value.upper()]

    def check(self) -> None:
        """Raise SettingsError that names everything which is missing or wrong."""
        if self._faults:
            raise SettingsError("; ".join(self._faults) + " (the stack sets these; deploy it again)")


@dataclass(frozen=True, slots=True)
class Environment:
    """What the stack sets for its functions (infra/functions.py), beside what channels declare.

    max_inflated_bytes: 0 for the notifier.
    quiet:              how long the notifier's quiet periods are.
    trail:              where the trail writes; anywhere for the notifier.
    runbook_url:        see alerts/links.py.
    where:              options of the commands in mails that lead to this deployment.
    reminder_hours:     before a deadline; none for no reminders, and for the notifier.
    live_accounts:      whose live events the detector believes; none for any account's, None if nobody's.
    """

    table: str
    retention_days: int
    max_inflated_bytes: int
    rulebook: Path
    runbook_url: str = ""
    where: str = ""
    reminder_hours: tuple[int, ...] = ()
    quiet: QuietMinutes = _QUIET
    trail: TrailPlace = ANYWHERE
    live_accounts: frozenset[str] | None = None


def read_environment(variables: Variables, *, detects: bool) -> Environment:
    """Read the detector's variables, or the notifier's; `variables.check()` then says what is wrong."""
    return Environment(
        table=variables.text("TRAILBELL_TABLE"),
        retention_days=variables.number("TRAILBELL_RETENTION_DAYS"),
        max_inflated_bytes=variables.number("TRAILBELL_MAX_INFLATED_BYTES") if detects else 0,
        rulebook=rulebook_path(variables),
        runbook_url=variables.text("TRAILBELL_RUNBOOK_URL", required=False),
        where=variables.text("TRAILBELL_WHERE", required=False),
        quiet=variables.quiet("TRAILBELL_QUIET_MINUTES"),
        reminder_hours=variables.numbers("TRAILBELL_REMINDER_HOURS"),
        trail=_trail(variables) if detects else ANYWHERE,
        live_accounts=_live_accounts(variables) if detects else None,
    )


def rulebook_path(variables: Variables) -> Path:
    """Where the rulebook is: in the asset, unless a variable says otherwise."""
    return Path(variables.text("TRAILBELL_RULEBOOK", required=False) or _RULEBOOK)


def _trail(variables: Variables) -> TrailPlace:
    return TrailPlace(variables.text("TRAILBELL_TRAIL_BUCKET"), variables.text("TRAILBELL_TRAIL_PREFIX"))


def _live_accounts(variables: Variables) -> frozenset[str] | None:
    """Live events are believed only where the stack says that it has connected them."""
    is_live = variables.text("TRAILBELL_LIVE", required=False) == "true"
    given = variables.text("TRAILBELL_LIVE_ACCOUNTS", required=False).split(",")
    return frozenset(filter(None, map(str.strip, given))) if is_live else None


def seconds_left(context: Any) -> float:
    """Until Lambda stops the function; for ever where it is not Lambda that calls.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """
    return context.get_remaining_time_in_millis() / 1000 if context else math.inf
