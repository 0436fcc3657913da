"""`trailbell ack`, `resolve`, `reopen` and `note`: what people make of hits, with who and when."""

import functools
from collections.abc import Callable
from typing import Any

import click

from trailbell.cli.hits.state_changes import Said, change_hit, checked_note
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.errors import SettingsError, StateError
from trailbell.hits.hit_id import parse_hit_name
from trailbell.hits.hit_state import RESOLVED_AS
from trailbell.store.query.hit_lookup import find_hit
from trailbell.store.states import DynamoHitStates


def _change_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The hits' names, --note, and where they are."""
    command = connection_options(command)
    command = click.option("--note", "-m", default="", help="A line for those who look at the hit later.")(command)
    return click.argument("names", metavar="ID...", nargs=-1, required=True)(command)


@click.command()
@_change_options
def ack(names: tuple[str, ...], note: str, connection: Connection) -> None:
    """Acknowledge hits: somebody is looking at them. Who and when are kept; nobody is notified.

    \b
    Example:
      trailbell ack k7m2p9qx --note "asking alice"
    """
    _change("ack", names, note, connection)


@click.command()
@click.option(
    "--as",
    "resolved_as",
    type=click.Choice(RESOLVED_AS),
    default=None,
    help="Say what it was: false (nothing was wrong; see rules tune), or confirmed (something was).",
)
@_change_options
def resolve(names: tuple[str, ...], note: str, connection: Connection, resolved_as: str | None) -> None:
    """Resolve hits: nothing is left to do.

    `trailbell hits --open` shows them no more.

    What is resolved already may be resolved again with another --as.

    \b
    Example:
      trailbell resolve k7m2p9qx --as false --note "planned, CHG-4711"
    """
    _change("resolve", names, note, connection, resolved_as or "")


@click.command()
@_change_options
def reopen(names: tuple[str, ...], note: str, connection: Connection) -> None:
    """Open hits again.

    Takes back `ack` and `resolve`, and what a later call undid; the history keeps all of it.

    \b
    Example:
      trailbell reopen k7m2p9qx --note "it happened again"
    """
    _change("reopen", names, note, connection)


@click.command()
@click.argument("name", metavar="ID")
@click.argument("text", nargs=-1, required=True)
@connection_options
def note(name: str, text: tuple[str, ...], connection: Connection) -> None:
    """Write a line to a hit's history; its state stays.

    \b
    Example:
      trailbell note k7m2p9qx alice says it was her
    """
    _change("note", (name,), " ".join(text), connection)


def _change(action: str, names: tuple[str, ...], note: str, connection: Connection, resolved_as: str = "") -> None:
    """Do it to each hit; those that refuse are named at the end, and the others are done all the same."""
    said = Said(action, checked_note(note), resolved_as)
    selection = [parse_hit_name(name) for name in names]
    refused = list[str]()
    with explained_errors():
        client, table, by = connection.client("dynamodb"), connection.table(), connection.caller()
        states = DynamoHitStates(client, table)
        for name, parsed in zip(names, selection, strict=True):
            find = functools.partial(find_hit, client, table, parsed)
            try:
                click.echo(change_hit(find, states, said, by).text)
            except (StateError, SettingsError) as error:
                refused.append(f"{name}: {error}")
    if refused:
        raise StateError("\n".join(refused))
