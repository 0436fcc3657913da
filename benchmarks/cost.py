"""What the product costs to run, on paper: measured work times list prices, for accounts of three numbers and for none.

    python -m benchmarks.cost

Prints the tables of docs/cost.md, and writes them there with --write. Prices are those of us-east-1 as listed in
November 2026 without free tiers, each from the page beside it; check them before you rely on the sum. What claims,
clock and canary request is counted (benchmarks/watching.py). Everything else is an assumption and stands here.
"""

import argparse
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from benchmarks.watching import RUNS_AN_HOUR, Calls, Watching, measured, metric_names
from tools.alarms import alarms


# Prices, US dollars.
LAMBDA_GB_SECOND = 0.0000133334  # arm64: https://aws.amazon.com/lambda/pricing/
_LAMBDA_REQUEST = 0.20e-6
_SQS_REQUEST = 0.40e-6  # https://aws.amazon.com/sqs/pricing/
_S3_GET = 0.40e-6  # https://aws.amazon.com/s3/pricing/
# On demand, 1 KB written, 4 KB read; reading the stream from Lambda is free: https://aws.amazon.com/dynamodb/pricing/
DYNAMODB_WRITE = 0.625e-6
DYNAMODB_READ = 0.125e-6
_DYNAMODB_GB_MONTH = 0.25
_SNS_PUBLISH = 0.50e-6  # and nothing for a delivery to SQS: https://aws.amazon.com/sns/pricing/
_SNS_EMAIL = 2.0e-5
_LOGS_GB = 0.50  # https://aws.amazon.com/cloudwatch/pricing/
_ALARM, _METRIC = 0.10, 0.30  # a month each; a metric only for the hours in which it is sent
# Nothing: a rule's schedule (https://aws.amazon.com/eventbridge/pricing/), a call to Parameter Store at its standard
# throughput (https://aws.amazon.com/systems-manager/pricing/), the first copy of the call's event
# (https://aws.amazon.com/cloudtrail/pricing/).

# Of the alarms that every deployment has (ops/advice.toml); ChannelFailing comes with a channel, those of the audit
# with the setting audit (benchmarks/audit_cost.py), that of live events with the setting live.
_WATCHING_ALARMS = [name for name in alarms() if name.startswith(("Clock", "Canary"))]
_OTHER_ALARMS = [
    name
    for name in alarms()
    if name not in (*_WATCHING_ALARMS, "ChannelFailing") and not name.startswith(("Audit", "Live"))
]
_CANARY_METRICS = 1  # of the detector's: CanariesDetected

# What an account does.
FILES_A_DAY = 3 * 288  # three busy regions, a log file every five minutes
RECORDS_A_FILE = 60
_HITS_A_DAY = 2.0
_POINTERS_A_HIT = 7
_ROW_KB = {"hit": 4, "pointer": 1}
DAYS = 365 / 12

# What it takes (benchmarks: reading, batch). On Lambda a tenth of a gigabyte-second goes to waiting for S3.
MEMORY_GB = 1.0
_BATCH = 5  # log files an invocation; up to ten when there is a backlog
_SECONDS_A_BATCH = 0.15  # ten objects read at the same time: one latency of S3, DynamoDB if there are hits
_SECONDS_A_RECORD = 6e-6  # twice what was measured here, for Graviton at 1 GB (0.57 of a core)
_LOG_BYTES_A_BATCH = 1500
_LOG_BYTES_OF_LAMBDA = 350  # START, END and REPORT of an invocation
_CLOCK_GB, _NOTIFIER_GB = 0.25, 0.5  # infra/clock.py, infra/functions.py
SECONDS_A_REQUEST = 0.02  # within a Region
_SECONDS_A_RUN = 0.1  # beside the requests

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "cost.md"
_HOURS = 24.0


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


def monthly_cost(accounts: int) -> Cost:
    """What a deployment costs a month that reads the trail of so many accounts; with 0 nothing happens in its own."""
    files = FILES_A_DAY * DAYS * accounts
    records, batches, hits = files * RECORDS_A_FILE, files / _BATCH, _HITS_A_DAY * DAYS * accounts
    seconds = batches * _SECONDS_A_BATCH + records * _SECONDS_A_RECORD
    writes = hits * (_ROW_KB["hit"] + _POINTERS_A_HIT * _ROW_KB["pointer"] + 1)  # and the delivery record
    stored = hits * (_ROW_KB["hit"] + _POINTERS_A_HIT * _ROW_KB["pointer"]) * 1e-6 * 400 / DAYS  # kept 400 days
    parts = {
        "Lambda": seconds * MEMORY_GB * LAMBDA_GB_SECOND + (batches + hits) * _LAMBDA_REQUEST,
        "SQS": (files + 2 * batches) * _SQS_REQUEST,
        "S3": files * _S3_GET,
        "DynamoDB": writes * DYNAMODB_WRITE + 4 * hits * DYNAMODB_READ + stored * _DYNAMODB_GB_MONTH,
        "SNS": hits * _SNS_EMAIL,
        "logs": batches * _LOG_BYTES_A_BATCH * 1e-9 * _LOGS_GB,
        "alarms": len(_OTHER_ALARMS) * _ALARM,
        "metrics": _metrics(accounts) * _METRIC,
    }
    for added in added_by(accounts).values():
        parts = {name: parts[name] + added.parts.get(name, 0) for name in parts}
    return Cost(parts)


def added_by(accounts: int) -> dict[str, Added]:
    """What claims, following up, clock and canary add to a deployment of so many accounts: every hit of the model can
    be undone, has a deadline, and opens a quiet period.
    """
    found = _measured()
    alone = accounts == 0  # then the log files of canaries are the only ones
    return {
        "claims": _of_calls(found.claim, _HITS_A_DAY * accounts),
        "following up": _of_calls(found.tracked, _HITS_A_DAY * accounts),
        "quiet periods": _of_calls(found.opened, _HITS_A_DAY * accounts),
        "clock": _clock(found),
        "canary": _canary(found, with_files=alone),
        "alarms": Added(parts={"alarms": len(_WATCHING_ALARMS) * _ALARM}),
        "metrics": Added(parts={"metrics": (_watched_metrics(accounts) - _metrics(accounts)) * _METRIC}),
    }


def _metrics(accounts: int) -> float:
    """Metrics without clock and canary, each by the part of all hours in which it is sent."""
    hit, none, with_hits = metric_names(), metric_names(hits=False), _hours_with_hits(accounts)
    detector = none["detector"] - _CANARY_METRICS + (hit["detector"] - none["detector"]) * with_hits
    return detector * min(accounts, 1) + (hit["notifier"] + hit["handover"]) * with_hits


def _watched_metrics(accounts: int) -> float:
    """Metrics with them: a canary has detector and notifier send theirs in every hour, but for those about hits."""
    hit, none = sum(metric_names().values()), sum(metric_names(hits=False).values())
    return none + (hit - none) * _hours_with_hits(accounts)


def _hours_with_hits(accounts: int) -> float:
    return min(_HITS_A_DAY * accounts / _HOURS, 1)


def _of_calls(calls: Calls, a_day: float) -> Added:
    """Calls that are made so often a day."""
    written = calls.number("dynamodb.PutItem", "dynamodb.DeleteItem") + 3 * calls.number("dynamodb.BatchWriteItem")
    read = calls.number("dynamodb.Query", "dynamodb.BatchGetItem")
    parts = {
        "DynamoDB": written * DYNAMODB_WRITE + read * DYNAMODB_READ,
        "SQS": calls.number("sqs") * _SQS_REQUEST,
        "SNS": calls.number("sns") * _SNS_PUBLISH,
    }
    monthly = {name: dollars * a_day * DAYS for name, dollars in parts.items()}
    return Added(calls.requests * a_day, calls.bytes_sent * a_day, monthly)


def _invocation(memory_gb: float, requests: int, log_bytes: int) -> dict[str, float]:
    """One invocation of a function that waits for so many requests."""
    seconds = _SECONDS_A_RUN + requests * SECONDS_A_REQUEST
    logged = (log_bytes + _LOG_BYTES_OF_LAMBDA) * 1e-9 * _LOGS_GB
    return {"Lambda": seconds * memory_gb * LAMBDA_GB_SECOND + _LAMBDA_REQUEST, "logs": logged}


def _with_invocations(added: Added, one: dict[str, float], a_day: float) -> Added:
    more = {name: added.parts.get(name, 0) + dollars * a_day * DAYS for name, dollars in one.items()}
    return Added(added.requests, added.sent, added.parts | more)


def _clock(found: Watching) -> Added:
    runs = RUNS_AN_HOUR * _HOURS
    one = _invocation(_CLOCK_GB, found.quiet.requests, found.log_line)
    return _with_invocations(_of_calls(found.quiet, runs), one, runs)


def _canary(found: Watching, *, with_files: bool) -> Added:
    """A canary an hour, with an invocation of the notifier; with_files: also its log file, read alone."""
    added = _with_invocations(_of_calls(found.canary, _HOURS), _invocation(_NOTIFIER_GB, 2, _LOG_BYTES_A_BATCH), _HOURS)
    if not with_files:
        return added
    added = _with_invocations(added, _invocation(MEMORY_GB, 2, _LOG_BYTES_A_BATCH), _HOURS)
    parts = added.parts | {
        "SQS": added.parts["SQS"] + 3 * _SQS_REQUEST * _HOURS * DAYS,
        "S3": _S3_GET * _HOURS * DAYS,
    }
    return Added(added.requests + 4 * _HOURS, added.sent, parts)


_measured = cache(measured)


def table() -> str:
    """The costs of three deployments as Markdown, and of one in an account in which nothing happens."""
    sizes = (0, 1, 100, 10_000)
    costs = {size: monthly_cost(size) for size in sizes}
    lines = [f"| $ a month | {_heads(sizes)} |", "|---" * 5 + "|"]
    for part in costs[1].parts:
        lines.append(f"| {part} | " + " | ".join(f"{costs[size].parts[part]:,.2f}" for size in sizes) + " |")
    lines.append("| **all** | " + " | ".join(f"**{costs[size].total:,.2f}**" for size in sizes) + " |")
    per_account = " | ".join(f"{costs[size].total / size:,.3f}" for size in sizes if size)
    records = {size: FILES_A_DAY * DAYS * size * RECORDS_A_FILE / 1e6 for size in sizes}
    per_million = " | ".join(f"{costs[size].total / records[size]:,.2f}" for size in sizes if size)
    return "\n".join(
        [*lines, f"| for each account | - | {per_account} |", f"| for a million records | - | {per_million} |"]
    )


def added_table() -> str:
    """What claims, clock and canary add, as Markdown: requests and bytes a day, dollars a month."""
    sizes = (0, 1, 100, 10_000)
    by_size = {size: added_by(size) for size in sizes}
    lines = [
        f"| $ a month | {_heads(sizes)} | requests a day, 1 account | bytes sent a day, 1 account |",
        "|---" * 7 + "|",
    ]
    for name in by_size[1]:
        dollars = " | ".join(f"{sum(by_size[size][name].parts.values()):,.4f}" for size in sizes)
        one = by_size[1][name]
        lines.append(f"| {name} | {dollars} | {one.requests:,.0f} | {one.sent:,.0f} |")
    totals = {size: sum(sum(one.parts.values()) for one in by_size[size].values()) for size in sizes}
    requests, sent = (sum(getattr(one, name) for one in by_size[1].values()) for name in ("requests", "sent"))
    dollars = " | ".join(f"**{totals[size]:,.2f}**" for size in sizes)
    lines.append(f"| **all** | {dollars} | {requests:,.0f} | {sent:,.0f} |")
    return "\n".join(lines)


def counts() -> str:
    """What was counted of each, in one line each."""
    found, names, runs = _measured(), metric_names(), RUNS_AN_HOUR * _HOURS
    without_hits = metric_names(hits=False)["notifier"]
    lines = [
        f"- **A claim**: {_said(found.claim)} for each hit that is notified of.",
        f"- **Following up**: {_said(found.tracked)} for each hit that can be undone and has a deadline.",
        f"- **A quiet period**: {_said(found.opened)} for each alert that opens one.",
        f"- **A hit that is held in one**: {_said(found.held)}, and mostly a mail less.",
        f"- **A run of the clock**, {runs:.0f} a day: {_said(found.quiet)}; it logs {found.log_line} bytes.",
        f"- **A canary**, {_HOURS:.0f} a day: {_said(found.canary)}, and one invocation of the notifier.",
        f"- **Alarms**: {len(_WATCHING_ALARMS)} of {len(_WATCHING_ALARMS) + len(_OTHER_ALARMS)}.",
        f"- **Metrics**: {names['clock'] + _CANARY_METRICS} of {sum(names.values())}; and because a canary invokes the"
        f" notifier each hour, its {without_hits} that are not about hits are sent in every hour.",
    ]
    return "\n".join(lines)


def _said(calls: Calls) -> str:
    each = ", ".join(f"{count} {name}" for name, count in sorted(calls.count.items()))
    return f"{calls.requests} request{'s' * (calls.requests > 1)}, {calls.bytes_sent:,} bytes ({each})"


def _heads(sizes: tuple[int, ...]) -> str:
    return " | ".join(("idle" if size == 0 else f"{size:,} account{'s' * (size > 1)}") for size in sizes)


def written(text: str) -> str:
    """The page's text with the tables made anew."""
    for name, drawn in (("cost", table()), ("added", added_table()), ("counts", counts())):
        marked = re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- end of {name} -->)", re.DOTALL)
        text = marked.sub(lambda found, drawn=drawn: f"{found[1]}{drawn}\n{found[3]}", text)  # type: ignore[misc]
    return text


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description="What the product costs a month")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/cost.md")
    if parser.parse_args().write:
        _PAGE.write_text(written(_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table(), added_table(), counts(), sep="\n\n")


if __name__ == "__main__":
    main()
