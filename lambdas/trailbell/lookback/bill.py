"""What a deployment costs a month: what it has to do, times what was measured of that work, times list prices.

What claims, following up, quiet periods, clock and canary request, and how many metrics are sent, was counted while the
product's own code did it, and is read from measured.json (`python -m benchmarks.cost --write`). All else is an
assumption and stands here.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from trailbell.lookback.prices import (
    ALARM,
    DAYS,
    DYNAMODB_GB_MONTH,
    DYNAMODB_READ,
    DYNAMODB_WRITE,
    LAMBDA_GB_SECOND,
    LAMBDA_REQUEST,
    LOGS_GB,
    METRIC,
    S3_GET,
    SNS_EMAIL,
    SNS_PUBLISH,
    SQS_REQUEST,
)


MEASURED = Path(__file__).with_name("measured.json")
RUNS_AN_HOUR = 12  # infra/clock.py: SCHEDULE
MEMORY_GB = 1.0
SECONDS_A_REQUEST = 0.02  # within a Region
_HITS_A_DAY = 2.0  # of an account
_POINTERS_A_HIT = 7
_ROW_KB = {"hit": 4, "pointer": 1}
_KEPT_DAYS = 400

# What it takes (benchmarks: reading, batch). On Lambda a tenth of a gigabyte-second goes to waiting for S3.
_BATCH = 5  # log files an invocation; up to ten when there is a backlog
_SECONDS_A_BATCH = 0.15  # ten objects read at the same time: one latency of S3, DynamoDB if there are hits
_SECONDS_A_RECORD = 6e-6  # twice what was measured here, for Graviton at 1 GB (0.57 of a core)
_LOG_BYTES_A_BATCH = 1500
_LOG_BYTES_OF_LAMBDA = 350  # START, END and REPORT of an invocation
_CLOCK_GB, _NOTIFIER_GB = 0.25, 0.5  # infra/clock.py, infra/functions.py
_SECONDS_A_RUN = 0.1  # beside the requests
_HOURS = 24.0
_OPTIONAL = ("Audit", "ChannelFailing", "Live")
"""How alarms are called that a setting brings."""


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do a day, in all accounts together."""

    accounts: float
    files: float
    records: float
    hits: float

    @classmethod
    def of(cls, accounts: float, files: float, records: float) -> "Work":
        """With the hits that so many accounts are taken to make; a record makes one at most."""
        return cls(accounts, files, records, min(_HITS_A_DAY * accounts, records))


@dataclass
class Calls:
    """Calls by service and operation, and the bytes of their parameters."""

    count: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)

    def number(self, *names: str) -> int:
        """How many calls of these were made: dynamodb, or dynamodb.PutItem."""
        return sum(count for name, count in self.count.items() if name in names or name.partition(".")[0] in names)

    @property
    def requests(self) -> int:
        """All calls."""
        return self.count.total()

    @property
    def bytes_sent(self) -> int:
        """Of all calls."""
        return self.sent.total()


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted: the calls of each part, the bytes a run of the clock logs, and metrics by service, in an hour
    with hits and in one without; `every`: with the setting `metrics` set to "all". alarms: those that there can be
    (ops/advice.toml).
    """

    calls: Mapping[str, Calls]
    log_line: int
    metrics: Mapping[str, Mapping[str, int]]
    alarms: tuple[str, ...]

    def names(self, *, hits: bool, every: bool) -> Mapping[str, int]:
        """Metrics by service."""
        return self.metrics[f"{'every' if every else 'few'}, {'hits' if hits else 'no hits'}"]


@cache
def measured() -> Measured:
    """What was counted, as it was written."""
    found = json.loads(MEASURED.read_text(encoding="utf-8"))
    calls = {name: Calls(Counter(one["count"]), Counter(one["sent"])) for name, one in found["calls"].items()}
    return Measured(calls, found["log_line"], found["metrics"], tuple(found["alarms"]))


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars a month: each part, and what it is in all."""

    parts: dict[str, float]

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Added:
    """What one thing adds: requests and bytes a day, dollars a month by part."""

    requests: float = 0
    sent: float = 0
    parts: dict[str, float] = field(default_factory=dict)


def monthly_cost(work: Work, *, every: bool = False) -> Cost:
    """What a deployment costs a month that has so much to do; every: with the setting `metrics` set to "all"."""
    files, records, hits = work.files * DAYS, work.records * DAYS, work.hits * DAYS
    batches = files / _BATCH
    seconds = batches * _SECONDS_A_BATCH + records * _SECONDS_A_RECORD
    writes = hits * (_ROW_KB["hit"] + _POINTERS_A_HIT * _ROW_KB["pointer"] + 1)  # and the delivery record
    stored = hits * (_ROW_KB["hit"] + _POINTERS_A_HIT * _ROW_KB["pointer"]) * 1e-6 * _KEPT_DAYS / DAYS
    parts = {
        "Lambda": seconds * MEMORY_GB * LAMBDA_GB_SECOND + (batches + hits) * LAMBDA_REQUEST,
        "SQS": (files + 2 * batches) * SQS_REQUEST,
        "S3": files * S3_GET,
        "DynamoDB": writes * DYNAMODB_WRITE + 4 * hits * DYNAMODB_READ + stored * DYNAMODB_GB_MONTH,
        "SNS": hits * SNS_EMAIL,
        "logs": batches * _LOG_BYTES_A_BATCH * 1e-9 * LOGS_GB,
        "alarms": (len(alarm_names()) - len(watching_alarms())) * ALARM,
        "metrics": _metrics(work, every=every) * METRIC,
    }
    for added in added_by(work, every=every).values():
        parts = {name: parts[name] + added.parts.get(name, 0) for name in parts}
    return Cost(parts)


def added_by(work: Work, *, every: bool = False) -> dict[str, Added]:
    """What claims, following up, clock and canary add to that: every hit is taken to be one that can be undone, has a
    deadline, and opens a quiet period.
    """
    calls = measured().calls
    return {
        "claims": _of_calls(calls["claim"], work.hits),
        "following up": _of_calls(calls["tracked"], work.hits),
        "quiet periods": _of_calls(calls["opened"], work.hits),
        "clock": _clock(),
        "canary": _canary(with_files=not work.files),  # then the log files of canaries are the only ones
        "alarms": Added(parts={"alarms": len(watching_alarms()) * ALARM}),
        "metrics": Added(parts={"metrics": _watching_metrics(work, every=every) * METRIC}),
    }


def alarm_names() -> tuple[str, ...]:
    """The alarms that every deployment has, beside those that a setting brings."""
    return tuple(name for name in measured().alarms if not name.startswith(_OPTIONAL))


def watching_alarms() -> tuple[str, ...]:
    """Those of clock and canary."""
    return tuple(name for name in alarm_names() if name.startswith(("Clock", "Canary")))


def _metrics(work: Work, *, every: bool) -> float:
    """Metrics without clock and canary, each by the part of all hours in which it is sent."""
    hit, none = (measured().names(hits=hits, every=every) for hits in (True, False))
    with_hits = _hours_with_hits(work)
    detector = none["detector"] - of_canary(every) + (hit["detector"] - none["detector"]) * with_hits
    return detector * min(work.files, 1) + (hit["notifier"] + hit["handover"]) * with_hits


def _watching_metrics(work: Work, *, every: bool) -> float:
    """What clock and canary add: a canary has detector and notifier send theirs in every hour, but those about hits."""
    hit, none = (sum(measured().names(hits=hits, every=every).values()) for hits in (True, False))
    return none + (hit - none) * _hours_with_hits(work) - _metrics(work, every=every)


def of_canary(every: bool) -> int:
    """Of the detector's metrics those that only a canary makes: CanariesDetected, where all counts are metrics."""
    return int(every)


def _hours_with_hits(work: Work) -> float:
    return min(work.hits / _HOURS, 1)


def _of_calls(calls: Calls, a_day: float) -> Added:
    """Calls that are made so often a day."""
    written = calls.number("dynamodb.PutItem", "dynamodb.DeleteItem") + 3 * calls.number("dynamodb.BatchWriteItem")
    read = calls.number("dynamodb.Query", "dynamodb.BatchGetItem")
    parts = {
        "DynamoDB": written * DYNAMODB_WRITE + read * DYNAMODB_READ,
        "SQS": calls.number("sqs") * SQS_REQUEST,
        "SNS": calls.number("sns") * SNS_PUBLISH,
    }
    monthly = {name: dollars * a_day * DAYS for name, dollars in parts.items()}
    return Added(calls.requests * a_day, calls.bytes_sent * a_day, monthly)


def _invocation(memory_gb: float, requests: int, log_bytes: int) -> dict[str, float]:
    """One invocation of a function that waits for so many requests."""
    seconds = _SECONDS_A_RUN + requests * SECONDS_A_REQUEST
    logged = (log_bytes + _LOG_BYTES_OF_LAMBDA) * 1e-9 * LOGS_GB
    return {"Lambda": seconds * memory_gb * LAMBDA_GB_SECOND + LAMBDA_REQUEST, "logs": logged}


def _with_invocations(added: Added, one: dict[str, float], a_day: float) -> Added:
    more = {name: added.parts.get(name, 0) + dollars * a_day * DAYS for name, dollars in one.items()}
    return Added(added.requests, added.sent, added.parts | more)


def _clock() -> Added:
    runs, quiet = RUNS_AN_HOUR * _HOURS, measured().calls["quiet"]
    one = _invocation(_CLOCK_GB, quiet.requests, measured().log_line)
    return _with_invocations(_of_calls(quiet, runs), one, runs)


def _canary(*, with_files: bool) -> Added:
    """A canary an hour, with an invocation of the notifier; with_files: also its log file, read alone."""
    added = _of_calls(measured().calls["canary"], _HOURS)
    added = _with_invocations(added, _invocation(_NOTIFIER_GB, 2, _LOG_BYTES_A_BATCH), _HOURS)
    if not with_files:
        return added
    added = _with_invocations(added, _invocation(MEMORY_GB, 2, _LOG_BYTES_A_BATCH), _HOURS)
    parts = added.parts | {
        "SQS": added.parts["SQS"] + 3 * SQS_REQUEST * _HOURS * DAYS,
        "S3": S3_GET * _HOURS * DAYS,
    }
    return Added(added.requests + 4 * _HOURS, added.sent, parts)
