"""How hits look on a terminal, in a pipe, and as JSON lines."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trailbell.alerts.alert import Alert, alert_document
from trailbell.hits.hit import Hit, shown_document
from trailbell.text.resource_name import short_resource
from trailbell.text.safe_text import one_line


_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}
_PIPE_WIDTH = 100_000  # nothing is folded: a column is as wide as what stands in it
_NEVER_FOLDED = ("time (UTC)", "first (UTC)", "level", "count", "account", "region")


def console(*, stderr: bool = False) -> Console:
    """A console that honours NO_COLOR and does not fold lines in a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False, markup=False)


def print_hits(hits: Iterable[Hit], form: str, none: str = "") -> None:
    """Print hits as `jsonl` or `table`; none: see print_table."""
    if form == "jsonl":
        for hit in hits:
            click.echo(json.dumps(hit_line(hit), ensure_ascii=True))
    else:
        print_table(
            ["time (UTC)", "level", "rule", "call", "actor", "resource", "account", "region"],
            (hit_cells(hit) for hit in hits),
            none,
        )


def print_alerts(alerts: Iterable[Alert], form: str) -> None:
    """Print alerts, one line each: `jsonl` (alerts/alert.py without the mail's text) or `table`."""
    if form == "jsonl":
        for alert in alerts:
            document = alert_document(alert)
            del document["text"], document["hits"]
            click.echo(json.dumps(document, ensure_ascii=True))
    else:
        print_table(
            ["first (UTC)", "level", "count", "rule", "actor", "account", "also"],
            (_alert_cells(alert) for alert in alerts),
        )


def _alert_cells(alert: Alert) -> list[str | Text]:
    hit = alert.sample
    also = dict.fromkeys(name for one in alert.hits for name in one.also)
    return [
        _utc(hit),
        level_text(hit.level),
        str(len(alert.hits)),
        hit.name,
        one_line(hit.actor.name, 60),
        hit.account,
        ", ".join(also),
    ]


def hit_line(hit: Hit) -> dict[str, Any]:
    """A hit as one JSON line; `file` is the log file's path or s3:// address, `index` its position there."""
    place = hit.place
    return {
        "rule": hit.rule,
        "ruleId": hit.rule_id,
        "name": hit.name,
        "title": hit.title,
        "level": hit.level,
        "also": list(hit.also),
        "muted": hit.muted_by,
        "quiet": hit.quiet,
        "eventID": hit.event_id,
        "eventTime": hit.event_time,
        "eventSource": hit.event_source,
        "eventName": hit.event_name,
        "account": hit.account,
        "region": hit.region,
        "actor": hit.actor.text,
        "actorKey": hit.actor.key,
        "resources": list(hit.resources),
        "outcome": hit.outcome,
        "undo": list(hit.undo),
        "file": place.file,
        "index": place.index,
        "shortId": hit.short_id,
        "shown": shown_document(hit),
    }


def print_table(columns: list[str], rows: Iterable[list[str | Text]], none: str = "") -> None:
    """Print a table. none: what to say if there are no rows; otherwise nothing but its head is printed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in _NEVER_FOLDED)
    for row in rows:
        table.add_row(*row)
    console().print(table if table.row_count or not none else none)


def line_table(
    columns: list[str], rows: Iterable[list[str | Text]], least: Mapping[str, int], *, head: bool = True
) -> Table:
    """A table of one line for each row: cells are cut where the terminal ends, not below `least` characters."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=head)
    for column in columns:
        table.add_column(column, overflow="ellipsis", no_wrap=True, min_width=least.get(column))
    for row in rows:
        table.add_row(*row)
    return table


def level_text(level: str) -> Text:
    """A level in its colour."""
    return Text(level, style=_STYLES.get(level, ""))


def hit_cells(hit: Hit) -> list[str | Text]:
    """A hit as the cells of a table's row: time, level, rule, call, actor, resource, account, region."""
    acted_on = hit.main_resources
    more = f" (+{len(acted_on) - 1})" if len(acted_on) > 1 else ""
    resource = short_resource(acted_on[0]) + more if acted_on else ""
    return [
        _utc(hit),
        level_text("muted" if hit.muted_by else "replayed" if hit.quiet else hit.level),
        hit.name,
        one_line(hit.event_name, 60),
        one_line(hit.actor.name, 60),
        one_line(resource, 80),
        hit.account,
        one_line(hit.region, 30),
    ]


def _utc(hit: Hit) -> str:
    return hit.event_time.replace("T", " ").removesuffix("Z")
