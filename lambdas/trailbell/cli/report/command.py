"""`trailbell report`: what happened, as one HTML file that opens anywhere."""

import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, aws_client, connection_options
from trailbell.cli.options.rulebooks import find_rulebook, setting_option
from trailbell.cli.options.times import parse_since
from trailbell.cli.report.report_file import report_html
from trailbell.cli.scan.log_sources import LogPlace, find_sources
from trailbell.cli.scan.run import Plan, Scan, jobs_for, run_scan
from trailbell.cli.scan.work import size_of
from trailbell.cli.terminal.interrupt import STATUS, Interrupt
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.hits.hit_state import HitState
from trailbell.hits.query import HitQuery
from trailbell.lookback.report import Identity, NewestHits, pack_hits
from trailbell.store.query.hit_query import find_found
from trailbell.text.safe_text import one_line
from trailbell.text.times import iso_time


_CLOCK_SKEW = timedelta(minutes=5)


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
@click.option("--since", default="", help="How far back: 24h, 30d, or a date (default: 30d; with --from-scan: all).")
@click.option("--until", default="", help="Up to when, in the same formats (default: now).")
@click.option("--rules", type=click.Path(exists=True, path_type=Path), help="Other Sigma rules, for --from-scan.")
@click.option("--limit", default=20_000, show_default=True, type=click.IntRange(1), help="The newest hits, at most.")
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
    connection: Connection,
) -> None:
    """Write hits into one HTML file: over time, by service, rule, actor, account and resource, each with what became of
    it, its undo, and how long that works.

    The file is self-contained, needs no network and no server, and can be sent to somebody. It names people and
    resources: treat it like the log files it came from.

    \b
    Example:
      trailbell report --since 30d -o report.html
      trailbell report --from-scan ./AWSLogs -o report.html
    """
    now = datetime.now(UTC)
    kept, states = NewestHits(limit), dict[Identity, HitState]()
    if places:
        selection = Selection(since=_moment(since, now), until=_moment(until, now))
        source = _scan(places, selection, rules, settings, now, kept)
    else:
        if rules or settings:
            raise SettingsError("--rules and --setting are for --from-scan: the table's hits were found already")
        begin, end = _moment(since or "30d", now), _moment(until, now) or now + _CLOCK_SKEW
        assert begin
        source = _ask(HitQuery(since=begin, until=end), connection, limit, kept, states)
    hits = kept.newest_first()
    # The table was asked for one more than that, a scan for all there are.
    older = f"{kept.left_out:,} older ones are not" if places else "older ones are not"
    left_out = f"Only the newest {limit:,} hits are here; {older}. " if kept.left_out else ""
    document = {"made": f"{now:%Y-%m-%d %H:%M:%S} UTC", "source": source, "note": left_out, **pack_hits(hits, states)}
    content = report_html(document)
    try:
        output.write_text(content, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--output {output}: {error.strerror}") from None
    click.echo(f"{left_out}{len(hits)} hits in {output} ({len(content) / 1e6:.1f} MB)", err=True)


def _scan(
    places: tuple[str, ...],
    selection: Selection,
    rules: Path | None,
    settings: tuple[str, ...],
    now: datetime,
    kept: NewestHits,
) -> str:
    """Take the hits of log files; what the report says of where it comes from."""
    rulebook = find_rulebook(rules, settings)
    files = find_sources(places, selection, aws_client).files
    result = Scan()
    with Interrupt() as stopped:
        plan = Plan(
            rulebook=rulebook,
            selection=selection,
            seen_at=iso_time(now),
            jobs=jobs_for(files, None),
            progress=Progress(len(files), sum(map(size_of, files)), "files"),
            stopped=stopped,
        )
        with closing(run_scan(files, plan, result)) as hits:
            for hit in hits:
                kept.add(hit)
    if result.interrupted:
        click.echo("interrupted: no report was written", err=True)
        sys.exit(STATUS)
    where = ", ".join(one_line(place, 200) for place in places)
    partial = result.partial
    whole = f"{result.counts.records_read - partial:,} records in {result.files_read:,} log files of {where}"
    if not result.unreadable:
        return f"{whole}."
    more = f" but for {partial:,} records" if partial else ""
    return f"{whole}, {len(result.unreadable)} could not be read{more}."


def _ask(
    query: HitQuery, connection: Connection, limit: int, kept: NewestHits, states: dict[Identity, HitState]
) -> str:
    """Take the newest hits of the table with their states; what the report says of where it comes from."""
    with explained_errors():
        table = connection.table()
        for number, found in enumerate(find_found(connection.client("dynamodb"), table, query)):
            kept.add(found.hit)
            states[found.hit.identity] = found.state
            if number >= limit:  # newest first: one more says that there are more
                break
    return f"From the table {table}, since {query.since:%Y-%m-%d %H:%M} UTC."


def _moment(text: str, now: datetime) -> datetime | None:
    return parse_since(text, now) if text else None
