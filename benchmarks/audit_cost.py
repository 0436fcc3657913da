"""What the setting `audit` adds to a month's costs, and silence by account and Region, on paper: prices are those of
lookback/prices.py, the account is that of benchmarks/cost.py.

    python -m benchmarks.audit_cost [--write]

--write puts the tables into docs/cost.md.
"""

import argparse
from collections.abc import Callable

from benchmarks import cost
from trailbell.lookback import prices


_REGIONS = 17  # enabled by default; each has a digest every hour, also where nothing happens
_DIGESTS_A_DAY = 24 * _REGIONS
_GETS = 2  # a digest, and the one before
_READS = 12  # of 4 KB: since, two neighbours, what was known of the one before, and the ledger of three hours
_WRITES = 2  # its own row, and that it is the newest
_MESSAGES = 3  # sent by the detector, received, deleted
_SECONDS, _GB = 0.3, 0.5
_LEDGER_KB = 0.5
_LEDGER_DAYS = 30
_ALARMS, _METRICS = 3, 0  # metrics are of failures and findings alone (handlers/metric_names.py)

_BUSY_REGIONS, _IDLE_HOURS = 3, 2  # as the model account has them; the others have log files in so many hours a day
_CONTAINERS = 2  # of the detector, each of which writes an hour that it has not seen
_SILENCE_ROW_KB = 0.35
_RUNS = 24  # a day
_RUN_SECONDS, _RUN_GB = 2.0, 1.0


def added(accounts: int) -> dict[str, float]:
    """Dollars a month by part, for the trail of so many accounts."""
    files = cost.FILES_A_DAY * prices.DAYS * accounts
    digests = _DIGESTS_A_DAY * prices.DAYS * accounts
    stored = cost.FILES_A_DAY * accounts * _LEDGER_DAYS * _LEDGER_KB * 1e-6
    return {
        "ledger": files * prices.DYNAMODB_WRITE + stored * prices.DYNAMODB_GB_MONTH,
        "digests, in the table": digests * (_WRITES * prices.DYNAMODB_WRITE + _READS * prices.DYNAMODB_READ),
        "digests, SQS and S3": digests * (_MESSAGES * prices.SQS_REQUEST + _GETS * prices.S3_GET),
        "digests, Lambda": digests * (_SECONDS * _GB * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUEST),
        "alarms and metrics": _ALARMS * prices.ALARM + _METRICS * prices.METRIC,
    }


def silence(accounts: int) -> dict[str, float]:
    """The same of silence by account and Region, which is always on."""
    hours = _BUSY_REGIONS * 24 + (_REGIONS - _BUSY_REGIONS) * _IDLE_HOURS
    rows_kb = _REGIONS * accounts * _SILENCE_ROW_KB
    runs = _RUNS * prices.DAYS
    return {
        "hours, written": hours * _CONTAINERS * prices.DAYS * accounts * prices.DYNAMODB_WRITE,
        "hours, read": runs * max(rows_kb / 4, 1) * prices.DYNAMODB_READ,
        "Lambda": runs * (_RUN_SECONDS * _RUN_GB * prices.LAMBDA_GB_SECOND + prices.LAMBDA_REQUEST),
    }


def table(what: Callable[[int], dict[str, float]], title: str) -> str:
    """A table as it stands in docs/cost.md."""
    columns = [what(accounts) for accounts in (1, 100, 1000)]
    lines = [f"| $ a month{title} | 1 account | 100 accounts | 1,000 accounts |", "|---|---|---|---|"]
    for name in columns[0]:
        lines.append(f"| {name} | " + " | ".join(f"{column[name]:.2f}" for column in columns) + " |")
    totals = " | ".join(f"**{sum(column.values()):.2f}**" for column in columns)
    return "\n".join([*lines, f"| **all** | {totals} |"]) + "\n"


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description="what the setting audit costs")
    parser.add_argument("--write", action="store_true")
    tables = {"audit": table(added, ", with `audit`"), "silence": table(silence, "")}
    if parser.parse_args().write:
        text = cost._PAGE.read_text(encoding="utf-8")
        for name, written in tables.items():
            begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
            head, _, rest = text.partition(begin)
            text = head + begin + written + end + rest.partition(end)[2]
        cost._PAGE.write_text(text, encoding="utf-8")
    print(*tables.values(), sep="\n")


if __name__ == "__main__":
    main()
