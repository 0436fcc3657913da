"""`trailbell undo ID`: what undoes a hit, and the others of its alert, as a shell script or JSON."""

import json
from datetime import UTC, datetime

import click

from trailbell.cli.hits.undo_reading import read_undo
from trailbell.cli.hits.undo_script import undo_document, undo_script
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.hits.hit_id import parse_hit_name
from trailbell.store.query.hit_lookup import find_hit
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
        asked = read_undo(client, table, hits, iso_time(now), alone=alone)
    click.echo(json.dumps(undo_document(asked), indent=2) if form == "json" else "\n".join(undo_script(asked)))
