"""`trailbell undelivered --muted`: what exceptions muted and mute no more, shown or delivered."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import click

from trailbell.cli.hits.output import today_members
from trailbell.cli.options.connection import Connection
from trailbell.cli.options.today import CHECKOUT, DEPLOYED, find_judge
from trailbell.cli.terminal.display import hit_cells, hit_line, print_table
from trailbell.errors import SettingsError
from trailbell.hits.verdict import Today
from trailbell.ops.muted import MutedHit, MutedHits
from trailbell.ops.undelivered import Delivery, UndeliveredHits
from trailbell.text.counts import counted
from trailbell.text.safe_text import one_line


_NAMED = 5

_NO_JUDGE = f"nothing to judge muted hits by; see the line above, or give --by {CHECKOUT}"


def muted_hits(
    connection: Connection,
    hits: UndeliveredHits,
    window: tuple[datetime, datetime],
    by: str | None,
    form: str,
    *,
    deliver: bool,
) -> int:
    """Show the muted hits of a time that would be notified of today, or deliver them; how many are left undelivered.

    What is delivered is judged by what is deployed unless --by says otherwise: a checkout that lacks an exception of
    the deployment would deliver what that mutes. Raises SettingsError where no rulebook is at hand.
    """
    judge = find_judge(connection, by or (DEPLOYED if deliver else None))
    if judge is None:
        raise SettingsError(_NO_JUDGE)
    muted, counts = MutedHits(connection.client, hits, judge), Counter[Today]()
    found = muted.to_notify(_counted(muted.judged(*window), counts))
    left = say_delivery(muted.deliver(found)) if deliver else _show(found, form)
    for line in muted.unreadable:
        click.echo(f"unreadable: {one_line(line, 300)}", err=True)
    click.echo(
        f"{counts.total()} muted hits that nobody was notified of: {counts[Today.NOTIFIED]} would be notified of today,"
        f" {counts[Today.MUTED]} are still muted, {counts[Today.NO_RULE]} no rule reports",
        err=True,
    )
    return left + len(muted.unreadable)


def say_delivery(delivery: Delivery) -> int:
    """Say what the delivery came to; how many hits are still undelivered."""
    left = len(delivery.undelivered)
    click.echo(
        f"{counted(delivery.notified_now, 'hit')} notified now, {delivery.notified_before} notified before,"
        f" {left} undelivered"
    )
    for name in delivery.undelivered[:_NAMED]:
        click.echo(f"  undelivered (see the notifier's log): {one_line(name, 300)}", err=True)
    return left


def _counted(judged: Iterable[MutedHit], counts: Counter[Today]) -> Iterator[MutedHit]:
    for one in judged:
        counts[one.verdict.today] += 1
        yield one


def _show(found: Iterable[MutedHit], form: str) -> int:
    """Print them as they were found, with the verdict at the time and today's; how many there are."""
    shown = list(found)
    if form == "jsonl":
        for one in shown:
            line = {**hit_line(one.hit), "mutedUntil": one.hit.muted_until, **today_members(one.hit, one.verdict)}
            click.echo(json.dumps(line, ensure_ascii=True))
        return len(shown)
    rows = ([*hit_cells(one.hit), today_members(one.hit, one.verdict)["todayText"]] for one in shown)
    columns = ["time (UTC)", "level", "rule", "call", "actor", "resource", "account", "region", "today"]
    print_table(columns, rows, "no muted hit would be notified of today")
    return len(shown)
