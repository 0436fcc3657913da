"""`trailbell undo ID`: what undoes a hit, and the others of its alert, as a shell script or JSON."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import click

from trailbell.cli.hits.undo_script import Undo, undo_document, undo_script
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.hits.hit import Hit
from trailbell.hits.hit_id import parse_hit_name
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.query.alert_hits import AlertHits, find_alert
from trailbell.store.query.hit_lookup import find_hit
from trailbell.store.query.hit_query import FoundHit
from trailbell.store.states import DynamoHitStates
from trailbell.text.times import iso_time


@click.command()
@click.argument("names", metavar="ID...", nargs=-1, required=True)
@click.option("--alone", is_flag=True, help="Only these hits, not the others that were in one alert with them.")
@form_option(("script", "json"))
@connection_options
def undo(names: tuple[str, ...], alone: bool, form: str, connection: Connection) -> None:
    """Print the commands that undo a hit and its whole alert.

    Each stands with its deadline and the time left.

    Nothing is run. The output is a shell script: all but commands that can run now are comments, so what is too late,
    done already, or has a <gap> to fill in does not run. Of an episode each command goes by the act that it undoes.
    Each command needs credentials of the account it names.

    \b
    Example:
      trailbell undo k7m2p9qx
      trailbell undo k7m2p9qx | sh -x
    """
    now = datetime.now(UTC)
    with explained_errors():
        client, table = connection.client("dynamodb"), connection.table()
        hits = [find_hit(client, table, parse_hit_name(name), now)[0] for name in names]
        alerts = [_alone(client, table, hit) if alone else find_alert(client, table, hit) for hit in hits]
        act_hits = dict(_act_hits(client, table, [one.hit for alert in alerts for one in alert.hits]))
    asked = Undo(hits, alerts, iso_time(now), act_hits)
    click.echo(json.dumps(undo_document(asked), indent=2) if form == "json" else "\n".join(undo_script(asked)))


def _act_hits(client: Any, table: str, hits: Iterable[Hit]) -> Iterator[tuple[tuple[str, str], FoundHit]]:
    """The hits of the acts of episodes, as far as these are hits of their own and kept."""
    kept_hits = DynamoKeptHits(client, table)
    named = dict.fromkeys((act.account, act.event_id) for hit in hits if hit.episode for act in hit.episode.acts)
    for account, event_id in named:
        if kept := kept_hits.act(account, event_id):
            hit, state, _ = kept
            yield (account, event_id), FoundHit(hit, state, "")


def _alone(client: Any, table: str, hit: Hit) -> AlertHits:
    state, _ = DynamoHitStates(client, table).read(hit.identity)
    return AlertHits([FoundHit(hit, state, "")], recorded=True, hours=0)
