"""What AWS answers about a deployment, as plain values: read by ops/health.py, judged by ops/checks. Knows no AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


Answer = Mapping[str, Any]
"""A part of an answer as AWS gives it."""


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail that writes into the bucket. `prefix` stands before AWSLogs/, "" for none."""

    name: str
    arn: str
    home: str
    prefix: str
    multi_region: bool
    validated: bool
    organisation: bool
    topic: str


@dataclass(frozen=True, slots=True)
class TrailStatus:
    """Whether a trail logs, why CloudTrail cannot deliver ("" if it can), and when it delivered last (None: never)."""

    logging: bool
    delivery_error: str
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: `waiting` counts all its messages, received ones and delayed ones, too."""

    url: str
    arn: str
    waiting: int
    policy: Answer
    dead_letters: str


@dataclass(frozen=True, slots=True)
class EventSource:
    """An event source mapping: its id, the ARN of what feeds the function, and its state (Enabled, Disabled ...)."""

    uuid: str
    source: str
    state: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm: its name and state, what it means by its own description, and whether its actions are enabled."""

    name: str
    state: str
    meaning: str
    acts: bool


def as_list(value: object) -> Sequence[Any]:
    """A member of a policy that may be one thing or a list of them, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]
