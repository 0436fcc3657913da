"""`trailbell rules scorecard`: how each rule does, by the hits of the table and what people said of them."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trailbell.alerts.mail_lines import span
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.rulebooks import rules_of, setting_option
from trailbell.cli.options.times import last_second, parse_since, parse_window, since_option, until_option
from trailbell.cli.terminal.display import level_text, print_table
from trailbell.hits.query import HitQuery
from trailbell.lookback.navigator import SCORES, navigator_layer
from trailbell.lookback.scorecard import Score, ScoredHit, scorecard, totals
from trailbell.store.deliveries import delivery_alerts
from trailbell.store.dynamo import batches
from trailbell.store.query.hit_query import FoundHit, find_found
from trailbell.store.states import DynamoHitStates
from trailbell.store.workers import Workers
from trailbell.text.safe_text import csv_cell, one_line
from trailbell.text.times import iso_time


_SINCE = "90d"
_AT_ONCE = 500
_READERS = 8


@click.command("scorecard")
@since_option("Hits", _SINCE)
@until_option("Hits")
@form_option(("table", "json", "csv"))
@click.option(
    "--navigator",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a layer for the ATT&CK Navigator (format 4.5), too.",
)
@click.option(
    "--score",
    type=click.Choice(SCORES),
    default=SCORES[0],
    show_default=True,
    help="What the layer's scores are: numbers of rules, or of hits.",
)
@setting_option
@connection_options
def show_scorecard(
    since: str,
    until: str,
    form: str,
    navigator: Path | None,
    score: str,
    settings: tuple[str, ...],
    connection: Connection,
) -> None:
    """Show how each rule does: hits, alerts, false ones.

    Also how many were resolved as confirmed, when it fired last, and how soon somebody looked (half of its hits
    waited no longer).

    Rules with most false hits come first; those that never fired in this time are among them, last.

    \b
    Example:
      trailbell rules scorecard --since 30d
      trailbell rules scorecard --navigator layer.json --score hits
    """
    now = datetime.now(UTC)
    begin, end = parse_window(since, until, now)
    begin = begin or parse_since(_SINCE, now)
    rules, _ = rules_of(None, settings)
    with explained_errors():
        scores = scorecard(rules, _scored(connection, HitQuery(begin, last_second(end, now))))
    if form == "json":
        click.echo(json.dumps([_document(one) for one in scores], indent=2))
    elif form == "csv":
        click.echo(_csv(scores), nl=False)
    else:
        _print(scores)
    if navigator:
        layer = navigator_layer(scores, score, iso_time(begin))
        navigator.write_text(json.dumps(layer, indent=2) + "\n", encoding="utf-8")
        click.echo(
            f"{navigator}: {len(layer['techniques'])} techniques, layer format {layer['versions']['layer']}", err=True
        )


def _scored(connection: Connection, query: HitQuery) -> Iterator[ScoredHit]:
    """The hits of the table with their alerts, and the history of those that somebody touched."""
    client, table = connection.client("dynamodb"), connection.table()
    states, workers = DynamoHitStates(client, table), Workers(_READERS)
    for some in batches(find_found(client, table, query), _AT_ONCE):
        keys = {identity: one.hit.hit_id for one in some for identity in one.hit.delivery_identities}
        alerts: dict[str, str] = {}
        for identity, alert in delivery_alerts(client, table, keys).items():
            alerts[keys[identity]] = alert or keys[identity]  # a record of a version before names no alert
        touched = [one for one in some if one.state.version]
        read = workers.each(lambda one: states.read(one.hit.identity)[1], touched)
        histories = dict(zip((one.hit.hit_id for one in touched), read, strict=True))
        yield from (_one(found, histories.get(found.hit.hit_id, []), alerts) for found in some)


def _one(found: FoundHit, history: list[Any], alerts: dict[str, str]) -> ScoredHit:
    return ScoredHit(found.hit, found.state, history, alerts.get(found.hit.hit_id, ""))


def _document(one: Score) -> dict[str, Any]:
    return {
        "rule": one.name,
        "ruleId": one.rule_id,
        "level": one.level,
        "tags": list(one.tags),
        "operations": one.operations,
        "hits": one.hits,
        "alsoMatched": one.also,
        "muted": one.muted,
        "alerts": one.alerts,
        "open": one.waits,
        "resolved": one.resolved,
        "resolvedFalse": one.false,
        "confirmed": one.confirmed,
        "undone": one.undone,
        "lastFired": one.last_fired,
        "neverFired": not one.has_fired,
        "medianSecondsToAcknowledge": one.median_seconds_to_look,
        "gone": one.is_gone,
    }


def _csv(scores: Sequence[Score]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    documents = [_document(one) for one in scores]
    writer.writerow(documents[0] if documents else [])
    for document in documents:
        writer.writerow([csv_cell(_cell(value)) for value in document.values()])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _print(scores: Sequence[Score]) -> None:
    fired = [one for one in scores if one.has_fired]
    print_table(
        ["rule", "level", "hits", "alerts", "false", "confirmed", "open", "looked after", "last fired (UTC)"],
        (
            [
                one_line(one.name) + (" (gone)" if one.is_gone else ""),
                level_text(one.level),
                str(one.hits),
                str(one.alerts),
                str(one.false),
                str(one.confirmed),
                str(one.waits),
                "" if one.median_seconds_to_look is None else span(one.median_seconds_to_look),
                one.last_fired[:16].replace("T", " "),
            ]
            for one in fired
        ),
        "no rule fired in this time",
    )
    counts = totals(scores)
    never = [one.name for one in scores if not one.has_fired]
    click.echo(
        f"{counts['fired']} of {counts['rules']} rules fired: {counts['hits']} hits, {counts['false']} false, "
        f"{counts['confirmed']} confirmed; {len(never)} never fired (--format json names them)",
        err=True,
    )
