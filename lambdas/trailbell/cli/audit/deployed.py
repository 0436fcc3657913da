"""What the deployed audit found, read from the hit table and printed."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from trailbell.audit.arrivals import begin_of, text_of_hour
from trailbell.audit.newest import Newest
from trailbell.cli.terminal.display import print_table
from trailbell.cli.terminal.table import Cell
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.flows.silence import Told
from trailbell.ops.audited_days import COUNTS, FAULTS, SHOWN, DeployedDay, deployed_days, overdue_chains
from trailbell.store.arrivals import DynamoArrivals
from trailbell.store.audits import DynamoAudits


@dataclass(frozen=True, slots=True)
class DeployedAudit:
    """What it found: the days, chains that have stopped, and whose log files do not come any more."""

    days: Sequence[DeployedDay]
    overdue: Sequence[Newest]
    silent: Sequence[Told]

    @property
    def is_green(self) -> bool:
        """Whether nobody has to look at anything."""
        return not (self.overdue or self.silent) and all(day.is_green for day in self.days)

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """All of it as JSON."""
        return {
            "days": [day.document() for day in self.days],
            "overdue": [*map(_overdue_document, self.overdue)],
            "silent": [*map(_silent_document, self.silent)],
        }

    def sentences(self) -> Iterator[str]:
        """A line for each chain that has stopped and each silent source."""
        for chain in self.overdue:
            trail = chain.trail
            yield f"overdue: {trail.account} {trail.region}, trail {trail.trail}: none since {chain.end:%F %T} UTC"
        for told in self.silent:
            since = begin_of(told.since)
            yield f"silent: {told.source.account} {told.source.region}: no log file since the hour of {since:%F %R} UTC"


def read_deployed(dynamodb: Any, table: str, selection: Selection, now: datetime) -> DeployedAudit:
    """What the audit wrote into the hit table, of the last seven days where no time is asked for.

    Raises SettingsError where nothing was audited, and what botocore raises.
    """
    audits, until = DynamoAudits(dynamodb, table, 0), selection.until or now
    since = selection.since or until - SHOWN

    def is_selected(account: str, region: str) -> bool:
        asked = (selection.accounts, account), (selection.regions, region)
        return all(not names or name in names for names, name in asked)

    chains = [chain for chain in audits.chains() if is_selected(chain.trail.account, chain.trail.region)]
    if not chains:
        raise SettingsError("nothing was audited: is the setting `audit` on, and the trail's log file validation?")
    told = DynamoArrivals(dynamodb, table).told()
    return DeployedAudit(
        deployed_days(audits, chains, since, until),
        overdue_chains(chains, since, until),
        [one for one in told if is_selected(one.source.account, one.source.region)],
    )


def print_deployed(found: DeployedAudit, form: str) -> None:
    """Print it in one of the command's forms."""
    document = found.document()
    if form == "jsonl":
        for line in (line for some in document.values() for line in some):
            click.echo(json.dumps(line))
    elif form == "json":
        click.echo(json.dumps(document, indent=2))
    else:
        print_table(["day", "account", "region", "digests", *COUNTS, "chain"], map(_cells, found.days))
        for sentence in found.sentences():
            click.echo(sentence)


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
