"""What the setting `audit` adds to a month's costs, on paper: prices of lookback/prices.py, account of
benchmarks/cost.py.

    python -m benchmarks.audit_cost [--write]

--write puts the table into docs/cost.md.
"""

import argparse
import re

from benchmarks import cost
from trailbell.lookback import prices


_REGIONS = 17  # enabled by default; each has a digest every hour, also where nothing happens
_DIGESTS_A_DAY = 24 * _REGIONS
_GETS = 2  # a digest, and the one before
_READS = 10  # of 4 KB: since, two neighbours, what was known of the one before, and the ledger of two hours
_WRITES = 2  # its own row, and that it is the newest
_MESSAGES = 3  # sent by the detector, received, deleted
_SECONDS, _GB = 0.3, 0.5
_LEDGER_KB = 0.5
_LEDGER_DAYS = 30
_ALARMS, _METRICS = 3, 0  # metrics are of failures and findings alone (handlers/metric_names.py)


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


def table() -> str:
    """The table as it stands in docs/cost.md."""
    columns = [added(accounts) for accounts in (1, 100, 1000)]
    lines = ["| $ a month, with `audit` | 1 account | 100 accounts | 1,000 accounts |", "|---|---|---|---|"]
    for name in columns[0]:
        lines.append(f"| {name} | " + " | ".join(f"{column[name]:.2f}" for column in columns) + " |")
    totals = " | ".join(f"**{sum(column.values()):.2f}**" for column in columns)
    return "\n".join([*lines, f"| **all** | {totals} |"]) + "\n"


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description="what the setting audit costs")
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        text = cost._PAGE.read_text(encoding="utf-8")
        marked = re.compile(r"(<!-- audit -->\n)(.*?)(<!-- end of audit -->)", re.DOTALL)
        cost._PAGE.write_text(marked.sub(lambda found: found[1] + table() + found[3], text), encoding="utf-8")
    print(table())


if __name__ == "__main__":
    main()
