"""What a scan prints: hits page by page, and what the rules would have cost."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import click

from trailbell.cli.terminal.display import hit_line, level_text, print_hits, print_table
from trailbell.cli.terminal.table import Cell
from trailbell.hits.hit import Hit
from trailbell.lookback.cost import Cost, RuleCost
from trailbell.text.safe_text import csv_cell, one_line


FORMS = ("table", "jsonl", "csv")

_PAGE = 1000  # hits of one table: a table is laid out as a whole, so all of it is in memory
_SHOWN_ACTORS = 3
_COUNTED_ACTORS = 10
_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 31

Wipe = Callable[[], None]


def print_pages(hits: Iterable[Hit], form: str, wipe: Wipe) -> None:
    """Print hits as they come. `wipe` is called before anything is printed."""
    remaining = iter(hits)
    if form == "csv":
        _print_csv((hit_line(hit) for hit in remaining), wipe)
    elif form == "jsonl":
        for hit in remaining:
            wipe()
            print_hits([hit], form)
    else:
        page = list(islice(remaining, _PAGE))
        while True:
            wipe()
            print_hits(page, form)
            page = list(islice(remaining, _PAGE))
            if not page:
                return


def print_cost(cost: Cost, form: str) -> None:
    """Print what each rule would have cost: hits, alerts, who made them, on which days."""
    if form == "table":
        columns = ["level", "count", "alerts", "muted", "rule", "busiest day", "days", "most hits by"]
        print_table(columns, ([*_cells(rule)] for rule in cost))
    elif form == "jsonl":
        for rule in cost:
            click.echo(json.dumps(_document(rule)))
    else:
        _print_csv(map(_document, cost), lambda: None)


def _print_csv(lines: Iterable[dict[str, Any]], wipe: Wipe) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, line in enumerate(lines):
        wipe()
        if number == 0:
            writer.writerow(line)
        writer.writerow([csv_cell(_flat(value)) for value in line.values()])
        sys.stdout.flush()


def _flat(value: Any) -> str:
    if isinstance(value, list):
        return " | ".join(map(_flat, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _document(rule: RuleCost) -> dict[str, Any]:
    return {
        "rule": rule.rule,
        "ruleId": rule.rule_id,
        "level": rule.level,
        "hits": rule.hits,
        "alerts": rule.alerts,
        "muted": rule.muted,
        "actors": [
            {"key": key, "name": rule.names[key], "hits": hits} for key, hits in rule.top_actors(_COUNTED_ACTORS)
        ],
        "days": dict(sorted(rule.days.items())),
    }


def _cells(rule: RuleCost) -> Iterator[str | Cell]:
    yield level_text(rule.level if rule.hits else "muted")
    yield from (str(rule.hits), str(rule.alerts), str(rule.muted), rule.rule)
    day, hits = max(rule.days.items(), key=lambda entry: (entry[1], entry[0]), default=("", 0))
    yield f"{day}: {hits}" if day else ""
    yield _bars(rule)
    top = rule.top_actors(_SHOWN_ACTORS)
    names = [rule.names[key] for key, _ in top]
    shown = [name if names.count(name) == 1 else key for name, (key, _) in zip(names, top, strict=True)]
    yield ", ".join(f"{one_line(name, 60)} {hits / rule.hits:.0%}" for name, (_, hits) in zip(shown, top, strict=True))


def _bars(rule: RuleCost) -> str:
    """One bar for each day that had a hit, the last 31 of them."""
    days = [hits for _, hits in sorted(rule.days.items())][-_MOST_BARS:]
    return "".join(_BARS[(hits * len(_BARS) - 1) // max(days)] for hits in days)
