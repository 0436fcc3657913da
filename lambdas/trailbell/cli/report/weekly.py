"""`trailbell weekly`: the weekly report of the deployed table, as operations get it by mail."""

from datetime import UTC, date, datetime, timedelta

import click

from trailbell.alerts.weekly import weekly_subject, weekly_text
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.errors import SettingsError
from trailbell.hits.week import expiring
from trailbell.store.week import DynamoWeek
from trailbell.text.times import iso_time


_MOST_DAYS = 35  # as many as the clock's report has after an outage


@click.command()
@click.option(
    "--until",
    "--to",
    "until",
    metavar="TIME",
    default="",
    help="The last day, such as 2026-11-29 (default: today, as far as it is over).",
)
@click.option(
    "--days", default=7, show_default=True, metavar="N", type=click.IntRange(1, _MOST_DAYS), help="How many days, UTC."
)
@connection_options
def weekly(until: str, days: int, connection: Connection) -> None:
    """Print the weekly report that operations get by mail.

    It has hits, what is open, undone, muted, not delivered, and canaries.

    Time left and states are as of now, and exceptions those of this checkout.

    \b
    Example:
      trailbell weekly
      trailbell weekly --until 2026-11-29
    """
    now = datetime.now(UTC)
    try:
        last = date.fromisoformat(until) if until else now.date()
    except ValueError:
        raise SettingsError(f"--until {until}: give a day such as 2026-11-29") from None
    end = min(last, now.date()) + timedelta(days=1)
    rulebook = find_rulebook(None, ())
    exceptions = expiring((one for rule in rulebook.rules for one in rule.exceptions), now.date().isoformat())
    with explained_errors():
        client, table = connection.client("dynamodb"), connection.table()
        week = DynamoWeek(client, table).read((end - timedelta(days=days)).isoformat(), end.isoformat(), iso_time(now))
    place = f"table {table} in {client.meta.region_name}"
    text = weekly_text(week, exceptions, place=place, where=connection.options)
    click.echo(f"Subject: {weekly_subject(week)}\n\n{text}", nl=False)
