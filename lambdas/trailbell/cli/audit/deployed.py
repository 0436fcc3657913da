"""What the deployed audit found, as it is printed."""

import json
from collections.abc import Sequence

import click

from trailbell.audit.newest import Newest
from trailbell.cli.terminal.display import print_table
from trailbell.cli.terminal.table import Cell
from trailbell.ops.audited_days import COUNTS, FAULTS, DeployedDay


def print_deployed(days: Sequence[DeployedDay], overdue: Sequence[Newest], form: str) -> None:
    """Print the days, and chains that have stopped."""
    if form == "jsonl":
        for line in (*(day.document() for day in days), *map(_overdue_document, overdue)):
            click.echo(json.dumps(line))
    elif form == "json":
        document = {"days": [day.document() for day in days], "overdue": list(map(_overdue_document, overdue))}
        click.echo(json.dumps(document, indent=2))
    else:
        print_table(["day", "account", "region", "digests", *COUNTS, "chain"], map(_cells, days))
        for chain in overdue:
            trail = chain.trail
            click.echo(
                f"overdue: {trail.account} {trail.region}, trail {trail.trail}: none since {chain.end:%F %T} UTC"
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
