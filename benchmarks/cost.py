"""What the product costs to run, on paper: measured work times list prices, for accounts of three numbers.

    python -m benchmarks.cost

Prices are those of us-east-1 as listed in November 2026 without free tiers; check them on
https://aws.amazon.com/pricing/ before you rely on the sum. Everything else is an assumption and stands here.
"""

from dataclasses import dataclass


# Prices, US dollars.
_LAMBDA_GB_SECOND = 0.0000133334  # arm64
_LAMBDA_REQUEST = 0.20e-6
_SQS_REQUEST = 0.40e-6
_S3_GET = 0.40e-6
_DYNAMODB_WRITE = 0.625e-6  # on demand, 1 KB
_DYNAMODB_READ = 0.125e-6
_DYNAMODB_GB_MONTH = 0.25
_SNS_EMAIL = 2.0e-5
_LOGS_GB = 0.50
_ALARM, _METRIC = 0.10, 0.30  # a month each

# What is there, once for a deployment (infra/watch.py, handlers).
_ALARMS, _METRICS = 13, 35

# What an account does.
_FILES_A_DAY = 3 * 288  # three busy regions, a log file every five minutes
_RECORDS_A_FILE = 60
_HITS_A_DAY = 2.0
_POINTERS_A_HIT = 7
_ROW_KB = {"hit": 4, "pointer": 1}
_DAYS = 365 / 12

# What it takes (benchmarks: reading, batch). On Lambda a tenth of a gigabyte-second goes to waiting for S3.
_MEMORY_GB = 1.0
_BATCH = 5  # log files an invocation; up to ten when there is a backlog
_SECONDS_A_BATCH = 0.15  # ten objects read at the same time: one latency of S3, DynamoDB if there are hits
_SECONDS_A_RECORD = 6e-6  # twice what was measured here, for Graviton at 1 GB (0.57 of a core)
_LOG_BYTES_A_BATCH = 1500


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars a month: each part, and what it is in all."""

    parts: dict[str, float]

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(self.parts.values())


def monthly_cost(accounts: int) -> Cost:
    """What a deployment costs a month that reads the trail of so many accounts."""
    files = _FILES_A_DAY * _DAYS * accounts
    records, batches, hits = files * _RECORDS_A_FILE, files / _BATCH, _HITS_A_DAY * _DAYS * accounts
    seconds = batches * _SECONDS_A_BATCH + records * _SECONDS_A_RECORD
    writes = hits * (_ROW_KB["hit"] + _POINTERS_A_HIT * _ROW_KB["pointer"] + 1)  # and the delivery record
    stored = hits * (_ROW_KB["hit"] + _POINTERS_A_HIT * _ROW_KB["pointer"]) * 1e-6 * 400 / _DAYS  # kept 400 days
    return Cost(
        {
            "Lambda": seconds * _MEMORY_GB * _LAMBDA_GB_SECOND + (batches + hits) * _LAMBDA_REQUEST,
            "SQS": (files + 2 * batches) * _SQS_REQUEST,
            "S3": files * _S3_GET,
            "DynamoDB": writes * _DYNAMODB_WRITE + 4 * hits * _DYNAMODB_READ + stored * _DYNAMODB_GB_MONTH,
            "SNS mail": hits * _SNS_EMAIL,
            "logs": batches * _LOG_BYTES_A_BATCH * 1e-9 * _LOGS_GB,
            "alarms and metrics": _ALARMS * _ALARM + _METRICS * _METRIC,
        }
    )


def table() -> str:
    """The costs of three deployments as Markdown."""
    sizes = (1, 100, 10_000)
    costs = {size: monthly_cost(size) for size in sizes}
    lines = ["| $ a month | " + " | ".join(f"{size:,} accounts" for size in sizes) + " |", "|---" * 4 + "|"]
    for part in costs[1].parts:
        lines.append(f"| {part} | " + " | ".join(f"{costs[size].parts[part]:,.2f}" for size in sizes) + " |")
    lines.append("| **all** | " + " | ".join(f"**{costs[size].total:,.2f}**" for size in sizes) + " |")
    per_account = " | ".join(f"{costs[size].total / size:,.3f}" for size in sizes)
    records = {size: _FILES_A_DAY * _DAYS * size * _RECORDS_A_FILE / 1e6 for size in sizes}
    per_million = " | ".join(f"{costs[size].total / records[size]:,.2f}" for size in sizes)
    return "\n".join([*lines, f"| for each account | {per_account} |", f"| for a million records | {per_million} |"])


if __name__ == "__main__":
    print(table())
