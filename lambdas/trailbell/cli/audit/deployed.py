"""What the deployed audit found, as it is printed."""

import json
from collections.abc import Sequence

import click

from trailbell.audit.arrivals import begin_of, text_of_hour
from trailbell.audit.newest import Newest
from trailbell.cli.terminal.display import print_table
from trailbell.cli.terminal.table import Cell
from trailbell.flows.silence import Told
from trailbell.ops.audited_days import COUNTS, FAULTS, DeployedDay


def print_deployed(days: Sequence[DeployedDay], overdue: Sequence[Newest], silent: Sequence[Told], form: str) -> None:
    """Print the days, chains that have stopped, and whose log files do not come any more."""
    lines = [day.document() for day in days], [*map(_overdue_document, overdue)], [*map(_silent_document, silent)]
    if form == "jsonl":
        for line in (line for some in lines for line in some):
            click.echo(json.dumps(line))
    elif form == "json":
        document = dict(zip(("days", "overdue", "silent"), lines, strict=True))
        click.echo(json.dumps(document, indent=2))
    else:
        print_table(["day", "account", "region", "digests", *COUNTS, "chain"], map(_cells, days))
        for chain in overdue:
            trail = chain.trail
            click.echo(
                f"overdue: {trail.account} {trail.region}, trail {trail.trail}: none since {chain.end:%F %T} UTC"
            )
        for told in silent:
            since = begin_of(told.since)
            click.echo(
                f"silent: {told.source.account} {told.source.region}: no log file since the hour of {since:%F %R} UTC"
            )


def _cells(day: DeployedDay) -> list[str | Cell]:
    counts = [Cell(str(day.logs[name]), "red" if name in FAULTS and day.logs[name] else "") for name in COUNTS]
    return [day.day, day.account, day.region, str(day.digests.total()), *counts, day.chain]


def _overdue_document(chain: Newest) -> dict[str, str]:
    trail = chain.trail
    return {
        "overdue": trail.trail,
        "account": trail.account,
        "region": trail.region,
        "lastEnd": f"{chain.end:%Y-%m-%dT%H:%M:%SZ}",
    }


def _silent_document(told: Told) -> dict[str, str]:
    source = told.source
    return {
        "silent": "log files",
        "account": source.account,
        "region": source.region,
        "lastHour": text_of_hour(told.since),
    }
