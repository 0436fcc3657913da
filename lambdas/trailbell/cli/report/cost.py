"""`trailbell cost`: what a deployment would cost a month, by the listing of a bucket or a folder."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from trailbell.cli.options.account import AccountId, account_options, aws_client
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.form import form_option
from trailbell.cli.scan.log_sources import LogPlace, find_sources
from trailbell.cli.scan.standard_input import StandardInput
from trailbell.cli.scan.work import Source
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.lookback.bill import monthly_cost
from trailbell.lookback.listed import BYTES_A_RECORD, Listed, listed
from trailbell.lookback.prices import AS_OF, REGION
from trailbell.text.counts import counted


@click.command()
@click.argument("address", type=LogPlace())
@click.option(
    "--days",
    default=7,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 366),
    help="How many whole days of a bucket to look at.",
)
@click.option(
    "--account", "accounts", multiple=True, type=AccountId(), help="Only this account's log files (repeatable)."
)
@click.option("--region", "regions", metavar="REGION", multiple=True, help="Only this region's log files (repeatable).")
@click.option("--all-metrics", is_flag=True, help='With the setting metrics set to "all".')
@form_option(("text", "json"))
@account_options
def cost(
    address: str, days: int, accounts: tuple[str, ...], regions: tuple[str, ...], all_metrics: bool, form: str
) -> None:
    """Say what a deployment would cost a month.

    It is computed from the names and sizes of the log files of a bucket or folder; nothing else is read.

    The trail itself, its bucket and its key are not in it: you have them already.

    \b
    Example:
      trailbell cost s3://my-trail-logs
      trailbell cost s3://my-trail-logs --account 111122223333 --days 30
    """
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight - timedelta(days=days) if address.startswith("s3://") else None
    selection = Selection(frozenset(accounts), frozenset(regions), begin)
    with explained_errors():
        files = find_sources([address], selection, aws_client).files
    found = listed(map(_key_and_size, files), now.date())
    if not found:
        raise SettingsError(f"{address}: no log file of a whole day below AWSLogs/ACCOUNT/CloudTrail/REGION/ was found")
    click.echo(_json(found, all_metrics) if form == "json" else _text(found, all_metrics))


def _key_and_size(file: Source) -> tuple[str, int]:
    if isinstance(file, StandardInput):
        raise SettingsError("cost goes by names and sizes, which standard input has not: give a folder or s3://bucket")
    return (str(file), file.stat().st_size) if isinstance(file, Path) else (file.key, file.size or 0)


def _text(found: Listed, every: bool) -> str:
    work, bill = found.work, monthly_cost(found.work, every=every)
    lines = [
        f"{found.first} to {found.last}: {counted(found.files, 'log file')}, {found.bytes_stored / 1e6:,.1f} MB,"
        f" {counted(len(found.accounts), 'account')}, {counted(len(found.regions), 'Region')}.",
        f"A day: {work.files:,.1f} log files; about {work.records:,.0f} records, of {BYTES_A_RECORD} bytes compressed;",
        f"and {work.hits:,.0f} hits: two an account, and no more than records, which is an assumption.",
        "",
    ]
    if found.outside:
        lines.insert(1, f"Left out: {counted(found.outside, 'log file')} of today, or outside of CloudTrail's folders.")
    lines += [f"  {name:<10} {dollars:>10,.2f}" for name, dollars in bill.parts.items()]
    lines += [
        f"  {'all':<10} {bill.total:>10,.2f}   dollars a month",
        "",
        f"List prices of {REGION}, {AS_OF}, without free tiers.",
        "Not in it: the trail, its bucket and its key; what the setting audit adds.",
    ]
    return "\n".join(lines)


def _json(found: Listed, every: bool) -> str:
    work, bill = found.work, monthly_cost(found.work, every=every)
    return json.dumps(
        {
            "from": found.first.isoformat(),
            "to": found.last.isoformat(),
            "logFiles": found.files,
            "bytes": found.bytes_stored,
            "leftOut": found.outside,
            "accounts": sorted(found.accounts),
            "regions": sorted(found.regions),
            "aDay": {"logFiles": work.files, "records": work.records, "hits": work.hits},
            "dollarsAMonth": {**bill.parts, "all": bill.total},
            "pricesOf": f"{REGION}, {AS_OF}",
        }
    )
