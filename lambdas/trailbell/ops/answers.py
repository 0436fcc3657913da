"""What AWS answers about a deployment, as plain values: read by ops/health.py, judged by ops/checks. Knows no AWS."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


Answer = Mapping[str, Any]
"""A part of an answer as AWS gives it."""

GONE = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "TableNotFoundException",
        "TrailNotFoundException",
    }
)
"""The codes by which AWS says that what was asked about is not there."""


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
    """An alarm: its name and state, what it means by its own description, whether its actions are enabled.

    `reason` is why it is in its state, by CloudWatch or by whoever set the state.
    """

    name: str
    state: str
    meaning: str
    acts: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LiveRule:
    """An EventBridge rule of live events: its name, what it asks for, its state, and how many targets it has."""

    name: str
    pattern: Answer
    state: str
    targets: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Hits of one account and Region: those that a live event brought, and those that a log file brought first."""

    live: int = 0
    by_files: int = 0


def as_list(value: object) -> Sequence[Any]:
    """A member of a policy that may be one thing or a list of them, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource as the stack's template declares it, with its references filled in (ops/references.py).

    `name` is the logical id without the hash that the CDK puts behind it; `kind` the type, `physical` the physical id.
    """

    name: str
    kind: str
    physical: str
    properties: Answer


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that AWS did not answer: the operation, the error's code ("" for none), and its words."""

    operation: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a resource is like now, in the template's words; `gone` names what is no longer there ("" if all is)."""

    resource: Declared
    live: Answer
    gone: str = ""
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasuredCanary:
    """How long a canary took: its name, seconds from the act to its publication, and after how long each source brought
    it, in words.
    """

    name: str
    seconds: int
    seen: str
