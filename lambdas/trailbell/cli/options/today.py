"""By which rulebook hits are judged again today, and the verdicts of it on some of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from trailbell.aws.errors import aws_errors
from trailbell.cli.options.aws_errors import explain
from trailbell.cli.options.connection import Connection
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cloudtrail.origin import Place
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import SettingsError
from trailbell.hits.hit import Hit
from trailbell.hits.verdict import Judge, Verdict
from trailbell.rulebook.product import is_installed
from trailbell.text.times import iso_time


if TYPE_CHECKING:
    from trailbell.ops.record_reader import Fetched

DEPLOYED, CHECKOUT = "deployed", "checkout"
MUTED, ALL, NONE = "muted", "all", "none"

_NO_EXCEPTIONS = "an installed trailbell has the product's rules and no exceptions"

Verdicts = dict[str, Verdict]
"""Today's verdicts by hit id, of those hits that were judged."""


@dataclass(frozen=True, slots=True)
class AtHand:
    """The rulebook that judges today (None if none is at hand), and where it is from, or why there is none."""

    rulebook: Rulebook | None
    said: str


def by_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --by, which says whose rulebook judges today."""
    text = "Whose rules and exceptions judge today (default: what is deployed, else this checkout's)."
    return click.option("--by", type=click.Choice([DEPLOYED, CHECKOUT]), default=None, help=text)(command)


def today_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option --today, which says of which hits today's verdict is shown."""
    text = "Whose verdict of today to show beside the one at the time: muted hits', all, or none."
    choice = click.Choice([MUTED, ALL, NONE])
    return click.option("--today", type=choice, default=MUTED, show_default=True, help=text)(command)


def rulebook_at_hand(connection: Connection, by: str | None) -> AtHand:
    """The rulebook asked for; with None what is deployed, else the checkout's. Raises nothing for what is not there."""
    if by == CHECKOUT:
        return _of_checkout("")
    found, refused = _deployed(connection)
    if found or by == DEPLOYED:
        return AtHand(found, refused or f"judged today by what is deployed in stack {connection.stack}")
    return _of_checkout(refused)


def verdicts(connection: Connection, hits: Sequence[Hit], today: str, by: str | None) -> Verdicts:
    """Today's verdicts on some hits, by their records; says on stderr by which rulebook, or why there are none."""
    judged = [] if today == NONE else [hit for hit in hits if today == ALL or hit.muted_by]
    judge = find_judge(connection, by) if judged else None
    if judge is None:
        return {}
    records = _records(connection, [hit.place for hit in judged])
    return {hit.hit_id: judge.judge(hit, records[hit.place]) for hit in judged}


def find_judge(connection: Connection, by: str | None) -> Judge | None:
    """The judge of today; says on stderr by which rulebook, or why there is none."""
    at_hand = rulebook_at_hand(connection, by)
    click.echo(at_hand.said, err=True)
    return Judge(at_hand.rulebook, iso_time(datetime.now(UTC))) if at_hand.rulebook else None


def _records(connection: Connection, places: Sequence[Place]) -> dict[Place, "Fetched"]:
    from trailbell.ops.record_reader import fetch_records

    return fetch_records(connection.client("s3"), places)


def _deployed(connection: Connection) -> tuple[Rulebook | None, str]:
    """The rulebook of the stack, or why it cannot be had."""
    if connection.table_given:
        return None, "a table is named, and no stack"
    from trailbell.ops.deployed_rulebook import deployed_rulebook

    try:
        return deployed_rulebook(connection.client, connection.deployed), ""
    except SettingsError as error:
        return None, str(error)
    except aws_errors() as error:
        return None, explain(error)


def _of_checkout(refused: str) -> AtHand:
    """The checkout's rulebook, which is not there in an installed wheel; `refused`: why not the deployed one."""
    because = f" (not by what is deployed: {refused})" if refused else ""
    if is_installed():
        return AtHand(None, f"no rulebook is at hand that could judge today: {_NO_EXCEPTIONS}{because}")
    return AtHand(find_rulebook(None, ()), f"judged today by the rules and exceptions of this checkout{because}")
