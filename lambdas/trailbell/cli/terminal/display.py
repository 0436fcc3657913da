"""How hits look on a terminal, in a pipe, and as JSON lines."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from trailbell.cli.terminal.screen import painter, terminal_width
from trailbell.cli.terminal.table import Cell, Row, table_lines
from trailbell.cloudtrail.record import NO_TIME, UNKNOWN_TIME
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit, shown_document
from trailbell.text.resource_name import short_resource
from trailbell.text.safe_text import one_line


if TYPE_CHECKING:
    from trailbell.alerts.alert import Alert

_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}


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


def print_alerts(alerts: Iterable["Alert"], form: str) -> None:
    """Print alerts, one line each: `jsonl` (alerts/alert.py without the mail's text) or `table`."""
    from trailbell.alerts.alert import alert_document

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


def _alert_cells(alert: "Alert") -> list[str | Cell]:
    hit = alert.sample
    also = dict.fromkeys(name for one in alert.hits for name in one.also)
    return [
        _utc(hit),
        level_text(hit.level),
        str(len(alert.hits)),
        hit.name,
        who(hit.actor),
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


def print_table(columns: list[str], rows: Iterable[Row], none: str = "") -> None:
    """Print a table. none: what to say if there are no rows; otherwise nothing but its head is printed."""
    every = list(rows)
    if not every and none:
        click.echo(none)
        return
    text, left_out = drawn_table(columns, every)
    click.echo(text, nl=False, color=True)  # a pipe was given no colours
    if left_out:
        click.echo(no_room(left_out), err=True)


def no_room(left_out: list[str]) -> str:
    """What to say of columns that a table had no room for."""
    return f"no room for {', '.join(left_out)}: a wider terminal, a pipe or another --format has them"


def drawn_table(
    columns: list[str], rows: Iterable[Row], *, head: bool = True, steady: Mapping[str, int] | None = None
) -> tuple[str, list[str]]:
    """A table as it is printed here, and the columns that are left out of it; steady: see table_lines."""
    lines, left_out = table_lines(columns, rows, terminal_width(), painter(), head=head, steady=steady)
    return "".join(f"{line}\n" for line in lines), left_out


def level_text(level: str) -> Cell:
    """A level in its colour."""
    return Cell(level, _STYLES.get(level, ""))


def hit_cells(hit: Hit) -> list[str | Cell]:
    """A hit as the cells of a table's row: time, level, rule, call, actor, resource, account, region."""
    acted_on = hit.main_resources
    more = f" (+{len(acted_on) - 1})" if len(acted_on) > 1 else ""
    resource = short_resource(acted_on[0]) + more if acted_on else ""
    return [
        _utc(hit),
        level_text("muted" if hit.muted_by else "replayed" if hit.quiet else hit.level),
        hit.name,
        one_line(hit.event_name, 60),
        who(hit.actor),
        one_line(resource, 80),
        hit.account,
        one_line(hit.region, 30),
    ]


def who(actor: Actor) -> str:
    """An actor in a table: a role's session with its name, which mostly is the person's, or says which machine."""
    session = actor.arn.rpartition("/")[2] if ":assumed-role/" in actor.arn else ""
    name = one_line(actor.name, 60)
    return f"{name} ({one_line(session, 64)})" if session and session not in actor.name else name


def _utc(hit: Hit) -> str:
    return UNKNOWN_TIME if hit.event_time == NO_TIME else hit.event_time.replace("T", " ").removesuffix("Z")
