"""`scan --summary`: what the rules would have cost, and drafts of exceptions from that."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click

from trailbell.cli.scan.output import print_csv
from trailbell.cli.terminal.display import level_text, print_table
from trailbell.cli.terminal.table import Cell
from trailbell.lookback.cost import Cost, RuleCost
from trailbell.rulebook.draft import draft_exception
from trailbell.text.counts import counted
from trailbell.text.safe_text import one_line


_SHOWN_ACTORS = 3
_COUNTED_ACTORS = 10
_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 31


def print_cost(cost: Cost, form: str) -> None:
    """Print what each rule would have cost: hits, alerts, who made them, on which days."""
    if form == "table":
        columns = ["level", "count", "alerts", "muted", "rule", "busiest day", "days", "most hits by"]
        print_table(columns, ([*_cells(rule)] for rule in cost))
    elif form == "jsonl":
        for rule in cost:
            click.echo(json.dumps(_document(rule)))
    else:
        print_csv(map(_document, cost), lambda: None)


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


def write_drafts(cost: Cost, folder: Path, today: date) -> None:
    """Write a draft for each rule that has one to propose; a file that is there is left alone."""
    drafts = [draft for rule in cost if (draft := draft_exception(rule, today))]
    if drafts:
        folder.mkdir(parents=True, exist_ok=True)
    for draft in drafts:
        file = folder / draft.name
        try:
            with file.open("x", encoding="utf-8") as stream:
                stream.write(draft.content)
        except FileExistsError:
            click.echo(f"{file}: is there already and was left alone", err=True)
            continue
        click.echo(
            f"{file}: would mute {draft.mutes} of {counted(draft.of, 'hit')}; fill in its owner and reason", err=True
        )
    if not drafts:
        click.echo("no exception to propose: no actor makes most hits of a rule that can be muted", err=True)
