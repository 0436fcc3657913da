"""How an audit looks on a terminal and as JSON: a line for each file and gap, a row for each day."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from trailbell.audit.chain import Gap
from trailbell.audit.day import AuditedDay, DayName, by_day
from trailbell.audit.region import FileVerdict
from trailbell.audit.verdict import HARMLESS, Verdict
from trailbell.cli.terminal.display import print_table
from trailbell.cli.terminal.table import Cell
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


FORMS = ("table", "json", "jsonl")
SCHEMA = "trailbell.audit/1"

_OWN_COLUMN = (Verdict.VALID, Verdict.MISSING, Verdict.ALTERED)
_MAX_KEY = 1024  # characters: what S3 lets a key have


def line(found: FileVerdict | Gap) -> dict[str, str]:
    """A verdict as a JSON object of its own."""
    if isinstance(found, Gap):
        return {
            "type": "gap",
            "verdict": Verdict.GAP.value,
            "account": found.trail.account,
            "region": found.trail.region,
            "trail": found.trail.trail,
            "from": iso_time(found.since),
            "to": iso_time(found.until),
            "cause": found.cause.value,
        }
    return {"type": "digest" if found.digest else "log", "key": found.key, "verdict": found.verdict.value}


def print_lines(verdicts: Iterable[FileVerdict | Gap]) -> None:
    """One JSON object a line, as they come."""
    for found in verdicts:
        click.echo(json.dumps(line(found)))


def print_document(verdicts: Sequence[FileVerdict | Gap]) -> None:
    """All verdicts and days as one JSON document."""
    days = [_day_document(name, day) for name, day in by_day(verdicts).items()]
    click.echo(json.dumps({"schema": SCHEMA, "days": days, "verdicts": list(map(line, verdicts))}, indent=2))


def print_days(verdicts: Sequence[FileVerdict | Gap]) -> None:
    """The days as a table, then each file that is not valid and each gap."""
    columns = ["day", "account", "region", "digests", "listed", "valid", "missing", "altered", "other", "chain"]
    print_table(columns, ([*_cells(name, day)] for name, day in by_day(verdicts).items()))
    told = [
        found for found in verdicts if isinstance(found, Gap) or found.verdict not in (Verdict.VALID, Verdict.UNPROVEN)
    ]
    if told:
        click.echo()
        print_table(["verdict", "what"], ([_verdict(found), _what(found)] for found in told))


def is_harmless(found: FileVerdict | Gap) -> bool:
    """Whether a verdict leaves the exit status at 0."""
    return isinstance(found, Gap) or found.verdict in HARMLESS


def _cells(name: DayName, day: AuditedDay) -> Iterator[str | Cell]:
    account, region, date = name
    yield from (date, account, region, str(day.digests.total()), str(day.listed))
    for verdict in _OWN_COLUMN:
        count = day.logs[verdict]
        yield Cell(str(count), "red" if count and verdict not in HARMLESS else "")
    others = {verdict: count for verdict, count in sorted(day.logs.items()) if verdict not in _OWN_COLUMN}
    yield ", ".join(f"{count} {verdict}" for verdict, count in others.items())
    yield Cell(day.chain, "" if all(verdict in HARMLESS for verdict in day.digests) else "red")


def _day_document(name: DayName, day: AuditedDay) -> dict[str, Any]:
    account, region, date = name
    return {
        "account": account,
        "region": region,
        "day": date,
        "listed": day.listed,
        "digests": _counts(day.digests),
        "logs": _counts(day.logs),
        "gaps": len(day.gaps),
        "chain": day.chain,
    }


def _counts(counts: Counter[Verdict]) -> Mapping[str, int]:
    return {verdict.value: count for verdict, count in sorted(counts.items())}


def _verdict(found: FileVerdict | Gap) -> Cell:
    verdict = Verdict.GAP if isinstance(found, Gap) else found.verdict
    return Cell(verdict.value, "" if verdict in HARMLESS else "red")


def _what(found: FileVerdict | Gap) -> str:
    if isinstance(found, Gap):
        trail = found.trail
        where = f"{trail.account} {trail.region}, trail {one_line(trail.trail, 128)}"
        return f"{where}: nothing is proven from {iso_time(found.since)} to {iso_time(found.until)} ({found.cause})"
    return f"{'digest' if found.digest else 'log'} {one_line(found.key, _MAX_KEY)}"
