"""`trailbell hit ID`: one hit with its full story."""

import json
from datetime import UTC, datetime
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from trailbell.cli.hits.story import Story, story_document, story_lines
from trailbell.cli.options.aws_errors import explain, explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.times import Zone, zone_option
from trailbell.cli.options.today import by_option, today_option, verdicts
from trailbell.cli.terminal.pager import show
from trailbell.errors import LogFileError
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_id import parse_hit_name
from trailbell.ops.record_reader import fetch_record
from trailbell.store.follow_ups import DynamoFollowUps
from trailbell.store.query.episodes import episode_now
from trailbell.store.query.hit_lookup import find_hit, was_notified
from trailbell.store.query.hits_around import find_related
from trailbell.store.states import DynamoHitStates
from trailbell.text.redaction import redacted_record, shown_record
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


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
        state, history = DynamoHitStates(client, table).read(found.identity)
        follow_ups = [one for one, _ in DynamoFollowUps(client, table).known([found])] if found.kept_as == ACT else []
        notified = was_notified(client, table, found)
        related = find_related(client, table, found, hours, limit)
        goes_on = episode_now(client, table, found.episode) if found.episode else None
        verdict = verdicts(connection, [found], today, by).get(found.hit_id)
    record = _record(connection, found, show_secrets=show_secrets) if with_record else "not asked for (--no-record)"
    follow_ups.sort(key=lambda one: one.at)
    story = Story(
        hit=found,
        state=state,
        history=history,
        notified=notified,
        related=related,
        hours=hours,
        record=record,
        follow_ups=follow_ups,
        now=iso_time(now),
        limit=limit,
        today=verdict,
        episode=goes_on,
        where=connection.options,
    )
    if form == "json":
        click.echo(json.dumps(story_document(story, zone), indent=2))
    else:
        show("\n".join(story_lines(story, zone)) + "\n", paged=pager)


def _record(connection: Connection, found: Hit, *, show_secrets: bool) -> dict[str, Any] | str:
    """The record as people may see it, or why it cannot be had: the rest of the story does not depend on it."""
    try:
        fields = fetch_record(connection.client("s3"), found.place)
    except LogFileError as error:
        return one_line(str(error))
    except (BotoCoreError, ClientError) as error:
        return explain(error)
    return shown_record(fields) if show_secrets else redacted_record(fields)
