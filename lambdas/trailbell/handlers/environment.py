"""A function's environment as a type: everything missing is told at once, at cold start."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trailbell
from trailbell.engine.rulebook import Level
from trailbell.errors import SettingsError


_RULEBOOK = Path(trailbell.__file__).parent / "rulebook.json"


@dataclass(frozen=True, slots=True)
class Environment:
    """What the stack tells its functions (infra/functions.py sets it).

    topic_arn is "" for the detector, max_inflated_bytes unused by the notifier.
    chat_topic_arn, event_bus: the notifier's other readers, "" for none; chat_level: the lowest the chat is told.
    runbook_url: see alerts/links.py.
    """

    table: str
    topic_arn: str
    retention_days: int
    max_inflated_bytes: int
    rulebook: Path
    chat_topic_arn: str = ""
    chat_level: str = Level.MEDIUM.word
    event_bus: str = ""
    runbook_url: str = ""


def read_environment(*, needs_topic: bool, environ: Mapping[str, str] = os.environ) -> Environment:
    """Read the variables. Raises SettingsError naming every one that is missing or no whole number."""
    wrong = []

    def read(name: str, required: bool = True) -> str:
        value = environ.get(name, "")
        if required and not value:
            wrong.append(f"{name} is not set")
        return value

    def number(name: str) -> int:
        value = read(name)
        if value and not (value.isascii() and value.isdigit()):
            wrong.append(f"{name} is {value!r}, not a whole number")
            return 0
        return int(value or 0)

    found = Environment(
        table=read("TRAILBELL_TABLE"),
        topic_arn=read("TRAILBELL_TOPIC_ARN", required=needs_topic),
        retention_days=number("TRAILBELL_RETENTION_DAYS"),
        max_inflated_bytes=0 if needs_topic else number("TRAILBELL_MAX_INFLATED_BYTES"),
        rulebook=Path(environ.get("TRAILBELL_RULEBOOK") or _RULEBOOK),
        chat_topic_arn=read("TRAILBELL_CHAT_TOPIC_ARN", required=False),
        chat_level=read("TRAILBELL_CHAT_LEVEL", required=False) or Level.MEDIUM.word,
        event_bus=read("TRAILBELL_EVENT_BUS", required=False),
        runbook_url=read("TRAILBELL_RUNBOOK_URL", required=False),
    )
    if found.chat_level.upper() not in Level.__members__:
        wrong.append(f"TRAILBELL_CHAT_LEVEL is {found.chat_level!r}, not a level")
    if wrong:
        raise SettingsError("; ".join(wrong) + " (the stack sets these; deploy it again)")
    return found


def seconds_left(context: Any) -> float:
    """Until Lambda stops the function; for ever where it is not Lambda that calls.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """
    return context.get_remaining_time_in_millis() / 1000 if context else math.inf
