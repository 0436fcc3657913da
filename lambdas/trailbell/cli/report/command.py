"""`trailbell report`: what happened, as one HTML file that opens anywhere."""

import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from trailbell.cli.options.account import aws_client
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, connection_options
from trailbell.cli.options.exit_codes import Exit
from trailbell.cli.options.filters import Filters, filter_options
from trailbell.cli.options.rulebooks import find_rulebook, setting_option
from trailbell.cli.options.times import last_second, parse_since, parse_window, since_option, until_option
from trailbell.cli.report.report_file import report_html
from trailbell.cli.report.scanned import scanned_document
from trailbell.cli.scan.log_sources import LogPlace, find_sources
from trailbell.cli.scan.run import Plan, Scan, jobs_for, run_scan
from trailbell.cli.scan.status import read_all
from trailbell.cli.scan.work import size_of
from trailbell.cli.terminal.interrupt import STATUS, Interrupt
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.hits.hit_state import HitState
from trailbell.hits.query import HitQuery
from trailbell.lookback.report import Identity, NewestHits, pack_hits
from trailbell.store.deliveries import alerts_of
from trailbell.store.query.hit_query import find_found
from trailbell.text.counts import counted
from trailbell.text.times import iso_time


@click.command()
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write."
)
@click.option(
    "--from-scan",
    "places",
    multiple=True,
    type=LogPlace(),
    help="Scan these log files instead of querying the table (repeatable): a path, or s3://bucket/prefix.",
)
@since_option("Hits (default: 30d; with --from-scan all)")
@until_option("Hits")
@filter_options
@click.option("--rules", type=click.Path(exists=True, path_type=Path), help="Other Sigma rules, for --from-scan.")
@click.option(
    "--limit", default=20_000, show_default=True, metavar="N", type=click.IntRange(1), help="The newest hits, at most."
)
@connection_options
@setting_option
def report(
    output: Path,
    places: tuple[str, ...],
    since: str,
    until: str,
    rules: Path | None,
    limit: int,
    settings: tuple[str, ...],
    filters: Filters,
    connection: Connection,
) -> None:
    """Write hits into one HTML file.

    It shows them over time, by service, rule, actor, account and resource, each with what became of it, its
    undo, and how long that works.

    The file is self-contained, needs no network and no server, and can be sent to somebody. It names people and
    resources: treat it like the log files it came from.

    \b
    Example:
      trailbell report --since 30d -o report.html
      trailbell report --from-scan ./AWSLogs -o report.html
    """
    now = datetime.now(UTC)
    begin, end = parse_window(since, until, now)
    whole = True
    if places:
        document, whole = _scan(
            places, Selection(since=begin, until=end), rules, settings, filters, now, NewestHits(limit)
        )
    else:
        if rules or settings:
            raise SettingsError("--rules and --setting are for --from-scan: the table's hits were found already")
        query = filters.query(begin or parse_since("30d", now), last_second(end, now))
        document = _ask(query, connection, NewestHits(limit), limit, now)
    content = report_html(document)
    try:
        output.write_text(content, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--output {output}: {error.strerror}") from None
    click.echo(
        f"{document['note']}{counted(len(document['hits']), 'hit')} in {output} ({len(content) / 1e6:.1f} MB)", err=True
    )
    if not whole:
        sys.exit(Exit.FAILED)


def _scan(
    places: tuple[str, ...],
    selection: Selection,
    rules: Path | None,
    settings: tuple[str, ...],
    filters: Filters,
    now: datetime,
    kept: NewestHits,
) -> tuple[dict[str, Any], bool]:
    """The page's document of what log files hold, and whether all of them were read."""
    rulebook = find_rulebook(rules, settings)
    sources = find_sources(places, selection, aws_client)
    for place in (*sources.unlisted, *sources.passed_over):
        click.echo(place, err=True)
    files = sources.files
    result = Scan()
    with Interrupt() as stopped:
        plan = Plan(
            rulebook=rulebook,
            selection=selection,
            seen_at=iso_time(now),
            jobs=jobs_for(files, None),
            progress=Progress(len(files), sum(map(size_of, files)), "files"),
            stopped=stopped,
            wanted=filters.wanted(rulebook),
        )
        with closing(run_scan(files, plan, result)) as hits:
            for hit in hits:
                kept.add(hit)
    if result.interrupted:
        click.echo("interrupted: no report was written", err=True)
        sys.exit(STATUS)
    return scanned_document(kept, places, result, now), read_all(places, sources, result)


def _ask(query: HitQuery, connection: Connection, kept: NewestHits, limit: int, now: datetime) -> dict[str, Any]:
    """The page's document of the newest hits of the table, with their states."""
    states = dict[Identity, HitState]()
    with explained_errors():
        client, table = connection.client("dynamodb"), connection.table()
        for number, found in enumerate(find_found(client, table, query)):
            kept.add(found.hit)
            states[found.hit.identity] = found.state
            if number >= limit:  # newest first: one more says that there are more
                break
        hits = kept.newest_first()
        alerts = alerts_of(client, table, hits)
    note = f"Only the newest {limit:,} hits are here; older ones are not. " if kept.left_out else ""
    source = f"From the table {table}, since {query.since:%Y-%m-%d %H:%M} UTC."
    made = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    return {"made": made, "source": source, "note": note, **pack_hits(hits, states, alerts)}
