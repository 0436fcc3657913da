"""`trailbell malformed`: entries of log files that are no records, as the detector kept them, newest day first."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import islice

import click

from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.form import form_option
from trailbell.cli.options.times import parse_since, since_option
from trailbell.cli.terminal.display import print_table
from trailbell.store.query.malformed import KeptMalformedRecord, find_malformed
from trailbell.text.safe_text import one_line


@click.command()
@since_option("Log files that were read", "7d")
@form_option(("table", "jsonl"))
@click.option("--limit", default=100, show_default=True, metavar="N", type=click.IntRange(1), help="How many.")
@connection_options
def malformed(since: str, form: str, limit: int, connection: Connection) -> None:
    """Show malformed records, each as an outline without values.

    Malformed are entries of log files that are no records.

    The record itself is in its log file, at that index: nothing that might be secret is kept of it.

    \b
    Example:
      trailbell malformed --since 2w
    """
    now = datetime.now(UTC)
    days = _days(parse_since(since, now), now)
    with explained_errors():
        table = connection.table()
        _print(islice(find_malformed(connection.client("dynamodb"), table, days), limit), form)


def _days(since: datetime, until: datetime) -> list[str]:
    """The days from since to until, newest first."""
    count = (until.date() - since.date()).days + 1
    return [f"{until - timedelta(days=back):%Y-%m-%d}" for back in range(count)]


def _print(found: Iterable[KeptMalformedRecord], form: str) -> None:
    if form == "jsonl":
        for one in found:
            click.echo(json.dumps(asdict(one), ensure_ascii=True))
    else:
        print_table(
            ["seen (UTC)", "index", "reason", "outline", "log file"],
            (
                [
                    one.seen_at.replace("T", " ").removesuffix("Z"),
                    str(one.index),
                    one_line(one.reason, 120),
                    one_line(one.outline, 200),
                    one_line(f"s3://{one.bucket}/{one.key}", 1200),
                ]
                for one in found
            ),
            "no malformed records",
        )
