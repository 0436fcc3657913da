"""What the product costs to run, on paper: measured work times list prices, for accounts of three numbers and for none.

    python -m benchmarks.cost

Prints the tables of docs/cost.md, and writes them there with --write. Prices are those of us-east-1 as listed in
November 2026 without free tiers (lambdas/trailbell/lookback/prices.py); check them before you rely on the sum. What
claims, clock and canary request is counted anew (benchmarks/watching.py) and written into lookback/measured.json, too.
The model is lookback/bill.py, which `trailbell cost` asks as well.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from benchmarks.watching import measured as measured_anew
from benchmarks.watching import metric_names
from tools.alarms import alarms
from trailbell.lookback import bill
from trailbell.lookback.bill import MEASURED, RUNS_AN_HOUR, Calls, Work, added_by, measured, monthly_cost
from trailbell.lookback.prices import DAYS


# What an account does.
FILES_A_DAY = 3 * 288  # three busy regions, a log file every five minutes
RECORDS_A_FILE = 60

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "cost.md"


def work_of(accounts: int) -> Work:
    """What there is to do a day for so many accounts; with 0 nothing happens in the deployment's own."""
    files = FILES_A_DAY * accounts
    return Work.of(accounts, files, files * RECORDS_A_FILE)


def counted() -> dict[str, Any]:
    """What lookback/measured.json holds, counted anew."""
    found = measured_anew()
    calls = {name: getattr(found, name) for name in ("claim", "tracked", "opened", "held", "quiet", "canary")}
    metrics = {
        f"{'every' if every else 'few'}, {'hits' if hits else 'no hits'}": dict(metric_names(hits=hits, every=every))
        for every in (False, True)
        for hits in (True, False)
    }
    as_maps = {name: {"count": dict(one.count), "sent": dict(one.sent)} for name, one in calls.items()}
    return {"calls": as_maps, "log_line": found.log_line, "metrics": metrics, "alarms": [*alarms()]}


def table() -> str:
    """The costs of three deployments as Markdown, and of one in an account in which nothing happens."""
    sizes = (0, 1, 100, 10_000)
    costs = {size: monthly_cost(work_of(size)) for size in sizes}
    lines = [f"| $ a month | {_heads(sizes)} |", "|---" * 5 + "|"]
    for part in costs[1].parts:
        lines.append(f"| {part} | " + " | ".join(f"{costs[size].parts[part]:,.2f}" for size in sizes) + " |")
    lines.append("| **all** | " + " | ".join(f"**{costs[size].total:,.2f}**" for size in sizes) + " |")
    every = " | ".join(f"{monthly_cost(work_of(size), every=True).total:,.2f}" for size in sizes)
    lines.append(f"| all, with `metrics` set to `all` | {every} |")
    per_account = " | ".join(f"{costs[size].total / size:,.3f}" for size in sizes if size)
    records = {size: FILES_A_DAY * DAYS * size * RECORDS_A_FILE / 1e6 for size in sizes}
    per_million = " | ".join(f"{costs[size].total / records[size]:,.2f}" for size in sizes if size)
    return "\n".join(
        [*lines, f"| for each account | - | {per_account} |", f"| for a million records | - | {per_million} |"]
    )


def added_table() -> str:
    """What claims, clock and canary add, as Markdown: requests and bytes a day, dollars a month."""
    sizes = (0, 1, 100, 10_000)
    by_size = {size: added_by(work_of(size)) for size in sizes}
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
    calls, names = measured().calls, measured().names(hits=True, every=False)
    every, none = measured().names(hits=True, every=True), measured().names(hits=False, every=True)
    watching, all_alarms = len(bill.watching_alarms()), len(bill.alarm_names())
    lines = [
        f"- **A claim**: {_said(calls['claim'])} for each hit that is notified of.",
        f"- **Following up**: {_said(calls['tracked'])} for each hit that can be undone and has a deadline.",
        f"- **A quiet period**: {_said(calls['opened'])} for each alert that opens one.",
        f"- **A hit that is held in one**: {_said(calls['held'])}, and mostly a mail less.",
        f"- **A run of the clock**, {RUNS_AN_HOUR * 24} a day: {_said(calls['quiet'])}; it logs"
        f" {measured().log_line} bytes.",
        f"- **A canary**, 24 a day: {_said(calls['canary'])}, and one invocation of the notifier.",
        f"- **Alarms**: {watching} of {all_alarms}.",
        f"- **Metrics**: {names['clock']} of {sum(names.values())}; with `metrics` set to `all`,"
        f" {every['clock'] + bill.of_canary(True)} of {sum(every.values())}, and because a canary invokes the notifier"
        f" each hour, its {none['notifier']} that are not about hits are then sent in every hour.",
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
        MEASURED.write_text(json.dumps(counted(), indent=1) + "\n", encoding="utf-8")
        measured.cache_clear()
        _PAGE.write_text(written(_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table(), added_table(), counts(), sep="\n\n")


if __name__ == "__main__":
    main()
