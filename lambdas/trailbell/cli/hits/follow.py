"""`trailbell hits --follow`: the latest hits, then each new one, until Ctrl-C."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from trailbell.cli.hits.output import csv_text, json_line, table_text
from trailbell.cli.options.connection import Connection
from trailbell.cli.options.times import Zone
from trailbell.hits.query import HitQuery
from trailbell.store.query.hit_follow import Follower
from trailbell.store.query.hit_query import FoundHit, find_page
from trailbell.text.safe_text import one_line
from trailbell.text.times import utc_now


_PASSING = {
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "InternalServerError",
    "RequestLimitExceeded",
}

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells know it."""


def follow(
    connection: Connection,
    query: HitQuery,
    form: str,
    zone: Zone,
    limit: int,
    every: float,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Print the last `limit` answers, oldest first, then new ones every so many seconds. Ends by Ctrl-C alone."""
    client, table = connection.client("dynamodb"), connection.table()
    follower = Follower(client, table, query, ahead=timedelta(minutes=5))
    follower.look(datetime.now(UTC))  # what is there before the first page is not new after it
    latest = find_page(client, table, query, limit).hits[::-1]
    for found in latest:
        follower.give(found)
    _print(latest, form, zone, head=True)
    try:
        while True:
            pause(every)
            _print(_new(follower), form, zone, head=False)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _new(follower: Follower) -> list[FoundHit]:
    """What is new; nothing, with a line on stderr, while the network or the table has a moment's trouble."""
    try:
        return follower.look(datetime.now(UTC))
    except (HTTPClientError, NoConnectionError) as error:  # botocore's own, of which neither is the other
        trouble = error
    except ClientError as error:
        if error.response["Error"]["Code"] not in _PASSING:
            raise
        trouble = error
    click.echo(f"trailbell: {one_line(str(trouble), 200)}; trying again", err=True)
    return []


def _print(hits: list[FoundHit], form: str, zone: Zone, *, head: bool) -> None:
    """Print hits as they stand now; what becomes of them later is not printed again."""
    now = utc_now()
    if form == "csv":
        text = csv_text(hits, zone, now, head=head)
    elif form == "table":
        text = table_text(hits, zone, now, head=head, steady=True) if hits or head else ""
    else:
        text = "".join(json_line(found, zone, now) for found in hits)
    sys.stdout.write(text)
    sys.stdout.flush()
