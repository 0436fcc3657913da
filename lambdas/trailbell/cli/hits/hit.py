"""`trailbell hit ID`: one hit with its full story."""

import json
from datetime import UTC, datetime
from typing import Any

import click

from trailbell.cli.hits.story import story_document, story_lines
from trailbell.cli.hits.story_reading import Around, read_story, record_or_reason
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.times import Zone, zone_option
from trailbell.cli.options.today import by_option, today_option, verdicts
from trailbell.cli.terminal.pager import show
from trailbell.hits.hit_id import parse_hit_name
from trailbell.store.query.hit_lookup import find_hit


@click.command()
@click.argument("name", metavar="ID")
@click.option(
    "--hours",
    default=24,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 720),
    help="Related hits: so many hours around it.",
)
@click.option(
    "--related",
    "limit",
    default=10,
    show_default=True,
    metavar="N",
    type=click.IntRange(0, 100),
    help="How many related hits of each kind.",
)
@click.option("--record/--no-record", "with_record", default=True, help="Fetch the record from the trail bucket.")
@click.option("--show-secrets", is_flag=True, help="Leave secrets in the record as they are.")
@zone_option("Of states and related hits")
@form_option(("text", "json"))
@click.option("--pager/--no-pager", default=True, help="Long text on a terminal goes through $PAGER.")
@today_option
@by_option
@connection_options
def hit(
    name: str,
    hours: int,
    limit: int,
    with_record: bool,
    show_secrets: bool,
    zone: Zone,
    form: str,
    pager: bool,
    today: str,
    by: str | None,
    connection: Connection,
) -> None:
    """Show one hit, with its mail and its record.

    Also its state and who changed or undid it, how long it can be undone, and related hits.

    Of a muted hit also what would become of it today (of any hit with --today all).

    ID: the short id of a mail or a table (k7m2p9qx), the whole id (account/event id/act), or an event's id.
    Secrets in the record are replaced; --show-secrets leaves them.

    \b
    Example:
      trailbell hit k7m2p9qx
      trailbell hit k7m2p9qx --format json | jq .record.requestParameters
    """
    now = datetime.now(UTC)
    with explained_errors():
        client, table = connection.client("dynamodb"), connection.table()
        found, _ = find_hit(client, table, parse_hit_name(name), now)
        verdict = verdicts(connection, [found], today, by).get(found.hit_id)
    record: dict[str, Any] | str = "not asked for (--no-record)"
    if with_record:
        record = record_or_reason(connection.client("s3"), found, show_secrets=show_secrets)
    with explained_errors():
        around, where = Around(hours, limit), connection.options
        story = read_story(client, table, found, now, around=around, record=record, where=where, today=verdict)
    if form == "json":
        click.echo(json.dumps(story_document(story, zone), indent=2))
    else:
        show("\n".join(story_lines(story, zone)) + "\n", paged=pager)
