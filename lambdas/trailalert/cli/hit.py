"""`trailalert hit ID`: one hit with its full story."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from trailalert.aws.hit_lookup import find_hit, was_told
from trailalert.aws.hit_states import DynamoHitStates
from trailalert.aws.hits_around import RelatedHits, find_related
from trailalert.aws.record_reader import fetch_record
from trailalert.cli.aws_errors import explain, explained_errors
from trailalert.cli.connection import Connection, connection_options
from trailalert.cli.hit_output import found_line, table_text
from trailalert.cli.pager import show
from trailalert.cli.times import Zone, ZoneType, show_time, zone_name
from trailalert.core.hit import Hit, hit_document
from trailalert.core.hit_id import parse_hit_name, short_id
from trailalert.core.hit_state import HitState, StateChange
from trailalert.core.mail import mail_text
from trailalert.core.redaction import redacted_record, shown_record
from trailalert.core.safe_text import one_line
from trailalert.core.subject import mail_subject
from trailalert.errors import LogFileError


@click.command()
@click.argument("name", metavar="ID")
@click.option(
    "--hours", default=24, show_default=True, type=click.IntRange(1, 720), help="Related hits: so far around it."
)
@click.option(
    "--related", "limit", default=10, show_default=True, type=click.IntRange(0, 100), help="How many of each."
)
@click.option("--record/--no-record", "with_record", default=True, help="Fetch the record from the trail bucket.")
@click.option("--show-secrets", is_flag=True, help="Leave secrets in the record as they are.")
@click.option(
    "--tz",
    "zone",
    type=ZoneType(),
    default="utc",
    envvar="TRAILALERT_TZ",
    show_default=True,
    help="Of states and related hits: utc, local, Europe/Berlin ...",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--pager/--no-pager", default=True, help="Long text on a terminal goes through $PAGER.")
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
    local: bool,
    table: str,
    stack: str,
) -> None:
    """Show one hit: its state and who changed it, the alert as mailed, related hits, and the record itself.

    ID: as a table shows it (261126-0a1b2c3d), as a mail shows it (account/event id/rule id), or an event's id.
    Secrets in the record are replaced; --show-secrets leaves them.

    \b
    Example:
      trailalert hit 261126-0a1b2c3d
      trailalert hit 261126-0a1b2c3d --format json | jq .record.requestParameters
    """
    connection = Connection(local, table, stack)
    with explained_errors():
        client, where = connection.client("dynamodb"), connection.table()
        found, _ = find_hit(client, where, parse_hit_name(name), datetime.now(UTC))
        state, history = DynamoHitStates(client, where).read(found.identity)
        told = was_told(client, where, found)
        related = find_related(client, where, found, hours, limit)
    record = _record(connection, found, show_secrets=show_secrets) if with_record else "not asked for (--no-record)"
    if form == "json":
        click.echo(json.dumps(_document(found, state, history, told, related, record, zone), indent=2))
    else:
        text = "\n".join(_story(found, state, history, told, related, record, zone, hours))
        show(text + "\n", paged=pager)


def _record(connection: Connection, found: Hit, *, show_secrets: bool) -> dict[str, Any] | str:
    """The record as people may see it, or why it cannot be had: the rest of the story does not depend on it."""
    try:
        fields = fetch_record(connection.client("s3"), found.place)
    except LogFileError as error:
        return one_line(str(error))
    except (BotoCoreError, ClientError) as error:
        return explain(error)
    return shown_record(fields) if show_secrets else redacted_record(fields)


def _document(
    found: Hit,
    state: HitState,
    history: list[StateChange],
    told: bool,
    related: RelatedHits,
    record: dict[str, Any] | str,
    zone: Zone,
) -> dict[str, Any]:
    return {
        "id": short_id(found),
        "hit": hit_document(found),
        "state": {"state": state.word, "by": state.by, "at": state.at, "note": state.note},
        "history": [
            {"action": one.action, "state": one.word, "by": one.by, "at": one.at, "note": one.note} for one in history
        ],
        "told": told,
        "alert": {"subject": mail_subject([found]), "text": mail_text([found])},
        "relatedByActor": [found_line(one, zone) for one in related.actor],
        "relatedByResource": [found_line(one, zone) for one in related.resource],
        **({"record": record} if isinstance(record, dict) else {"recordMissing": record}),
    }


def _story(
    found: Hit,
    state: HitState,
    history: list[StateChange],
    told: bool,
    related: RelatedHits,
    record: dict[str, Any] | str,
    zone: Zone,
    hours: int,
) -> Iterator[str]:
    yield f"Hit {short_id(found)}: {_standing(found, state, told)}"
    for one in history:
        note = f": {one_line(one.note)}" if one.note else ""
        yield f"  {show_time(one.at, zone)} ({zone_name(zone)})  {one.action} by {one_line(one.by)}{note}"
    yield from ("", f"Subject: {mail_subject([found])}", "", mail_text([found]).rstrip())
    for title, hits in (("by the same actor", related.actor), ("on the same resource", related.resource)):
        yield from ("", f"Other hits {title}, {hours} h around it:" + ("" if hits else " none"))
        if hits:
            yield table_text(hits, zone).rstrip("\n")
    if isinstance(record, dict):
        yield from ("", "The record:", json.dumps(record, indent=2, ensure_ascii=True))
    else:
        yield from ("", f"The record: {record}")


def _standing(found: Hit, state: HitState, told: bool) -> str:
    """In what state a hit is, and whether anybody was told of it."""
    told_words = "told" if told else "not told yet"
    if found.muted_by and not told:
        told_words = f"not told (muted by {one_line(found.muted_by)})"
    elif found.quiet:
        told_words = "not told (found by a replay of history)"
    by = f" by {one_line(state.by)} at {state.at}" if state.version and state.by else ""
    return f"{state.word}{by}; {told_words}"
