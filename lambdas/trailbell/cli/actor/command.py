"""`trailbell actor PRINCIPAL`: what somebody did, by the hits of the table, or by all records of log files."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from trailbell.cli.actor.reading import LogActs
from trailbell.cli.actor.words import Story, story_document, story_lines
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.exit_codes import Exit
from trailbell.cli.options.form import form_option
from trailbell.cli.options.times import last_second, parse_since, parse_window, since_option, until_option
from trailbell.cli.scan.log_sources import LogPlace, find_sources
from trailbell.cli.terminal.pager import show
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.hits.query import HitQuery
from trailbell.lookback.acts import Act, Who, act_of_hit
from trailbell.lookback.principals import Choice, Network, choices
from trailbell.lookback.profile import profile_of
from trailbell.text.counts import counted
from trailbell.text.safe_text import one_line


_SINCE = "90d"


@dataclass(frozen=True, slots=True)
class _Window:
    """From `since` up to but without `until` (None: open)."""

    since: datetime | None
    until: datetime | None
    now: datetime


@click.command()
@click.argument("principal")
@click.option(
    "--logs",
    "places",
    multiple=True,
    type=LogPlace(),
    help="Read these log files, all records of them (repeatable): a path, or s3://bucket/prefix.",
)
@click.option("--hits/--no-hits", "with_hits", default=None, help="The hits of the table (default: without --logs).")
@since_option("Acts", _SINCE)
@until_option("Acts")
@click.option("--all", "take_all", is_flag=True, help="Of several principals of that name take all together.")
@click.option("--inferred", is_flag=True, help="Count what is linked by an inference, too.")
@click.option(
    "--lines",
    default=60,
    show_default=True,
    metavar="N",
    type=click.IntRange(0),
    help="Lines of the story, the newest.",
)
@form_option(("text", "json"))
@click.option("--pager/--no-pager", default=True, help="Long text on a terminal goes through $PAGER.")
@connection_options
def actor(
    principal: str,
    places: tuple[str, ...],
    with_hits: bool | None,
    since: str,
    until: str,
    take_all: bool,
    inferred: bool,
    lines: int,
    form: str,
    pager: bool,
    connection: Connection,
) -> None:
    """Show what somebody did, from the first act to the last.

    Which calls and denials, from where, on what, and in time.

    PRINCIPAL is an ARN, an account's id, a user's or session's name, a source identity, or the end of an access
    key's id (four characters or more). Of several that go by it the exit status is 2, and they are listed.

    Of one person behind many roles everything is counted that AWS links: sessions that were given to its calls, one
    source identity, one Identity Center user. A session of the same name is an inference, and named as one.

    \b
    Example:
      trailbell actor alice@example.com
      trailbell actor arn:aws:iam::111122223333:role/Deploy --logs ./AWSLogs
    """
    now = datetime.now(UTC)
    window = _Window(*parse_window(since, until, now), now)
    asks_table = not places if with_hits is None else with_hits
    if not (places or asks_table):
        raise SettingsError("--no-hits without --logs leaves nothing to read")
    network, hits, logs = Network(), list[Act](), None
    if asks_table:
        with explained_errors():
            hits = _hits(connection, window)
        for act in hits:
            network.add(act)
    if places:
        logs = _logs(connection, places, window)
        logs.add_to(network)
        _say_what_is_missing(logs)
    named = network.named(principal)
    if not named:
        raise SettingsError(f"nobody goes by {one_line(principal, 200)} in {_sources(hits, logs, asks_table)}")
    links = network.linked(named)
    found = choices(named, network.linked([next(iter(named))]))
    if len(found) > 1 and not take_all:
        raise SettingsError(_ambiguous(principal, found))
    members = {*named, *(who for who, link in links.items() if link.is_stated or inferred)}
    profile = profile_of(_acts(hits, logs, members))
    story = Story(principal, named, links, profile, _sources(hits, logs, asks_table), inferred)
    if form == "json":
        click.echo(json.dumps(story_document(story), indent=2))
    else:
        show("\n".join(story_lines(story, lines)) + "\n", paged=pager)
    if logs and logs.is_partial:
        sys.exit(Exit.FAILED)


def _hits(connection: Connection, window: _Window) -> list[Act]:
    from trailbell.store.query.hit_query import find_hits  # here, as log files are read without botocore

    query = HitQuery(window.since or parse_since(_SINCE, window.now), last_second(window.until, window.now))
    return [act_of_hit(hit) for hit in find_hits(connection.client("dynamodb"), connection.table(), query)]


def _logs(connection: Connection, places: tuple[str, ...], window: _Window) -> LogActs:
    selection = Selection(since=window.since, until=window.until)
    sources = find_sources(places, selection, connection.client)
    for reason in (*sources.unlisted, *sources.passed_over):
        click.echo(one_line(reason, 400), err=True)
    if not sources.files:
        raise SettingsError(f"no log file of that time in {', '.join(places)} (--since says how far back)")
    named = frozenset(str(Path(place)) for place in places)
    return LogActs(sources.files, selection, connection.client, is_partial=bool(sources.unlisted), named=named)


def _acts(hits: list[Act], logs: LogActs | None, members: set[Who]) -> Iterable[Act]:
    yield from (act for act in hits if act.who in members)
    if logs:
        yield from logs.of(members)


def _sources(hits: list[Act], logs: LogActs | None, asks_table: bool) -> str:
    parts = [f"{counted(len(hits), 'hit')} of the table"] if asks_table else []
    parts += [f"{counted(logs.records, 'record')} of {counted(len(logs.sources), 'log file')}"] if logs else []
    return " and ".join(parts)


def _ambiguous(principal: str, found: list[Choice]) -> str:
    lines = [f"  {one_line(one.key, 300)}  {one_line(one.text, 200)} (by {one.named})" for one in found]
    return f"{one_line(principal, 200)} names several; give one of these, or --all:\n" + "\n".join(lines)


def _say_what_is_missing(logs: LogActs) -> None:
    """What was not read is counted and named, beside the output."""
    if logs.malformed:
        click.echo(f"{logs.malformed} malformed records are in no count", err=True)
    for reason in logs.unreadable:
        click.echo(reason, err=True)
