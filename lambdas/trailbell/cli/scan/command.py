"""`trailbell scan`: the rules against log files, here or in a bucket, by the same core the Lambda runs."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailbell.cli.options.account import account_options, aws_client
from trailbell.cli.options.exit_codes import Exit
from trailbell.cli.options.filters import Filters, filter_options
from trailbell.cli.options.rulebooks import find_rules
from trailbell.cli.scan.log_sources import LogPlace, Sources, find_sources
from trailbell.cli.scan.options import (
    Output,
    Scope,
    Work,
    output_options,
    same_scan,
    scope_options,
    work_options,
)
from trailbell.cli.scan.result import Asked, print_counts, print_result
from trailbell.cli.scan.run import Plan, Scan, each_counted_once, jobs_for, run_scan
from trailbell.cli.scan.standard_input import STANDARD_INPUT, StandardInput
from trailbell.cli.scan.status import read_all
from trailbell.cli.scan.work import name_of, size_of
from trailbell.cli.terminal.interrupt import Interrupt
from trailbell.cli.terminal.progress import Progress
from trailbell.errors import SettingsError
from trailbell.text.times import iso_time


if TYPE_CHECKING:
    from trailbell.cli.scan.state import Done, State


@click.command()
@click.argument("places", nargs=-1, required=True, type=LogPlace())
@scope_options
@filter_options
@output_options
@work_options
@account_options
def scan(places: tuple[str, ...], scope: Scope, filters: Filters, output: Output, work: Work) -> None:
    """Match rules against log files.

    PLACES are files and folders of this machine, s3://bucket/prefix, and - for standard input.

    Records are found in whatever they come in, recognised by content: log files, gzipped or not, JSON lines, lists or
    one record, the output of `aws cloudtrail lookup-events`, EventBridge events, exports of CloudWatch Logs, Firehose,
    Splunk and Elastic, archives.

    Where folders have CloudTrail's layout, only those of the accounts, regions and days asked for are looked into
    (and the day after --until, for late deliveries); after that the record's own time, account and region decide.

    Files of other kinds in a folder are counted as ignored. A file that cannot be read is reported, does not stop the
    others, and makes the exit status 2; so does it if no log file was found at all. Ctrl-C ends with what there is so
    far, and status 130.
    A document of --rules that cannot run is named and counted; it changes the exit status only with --strict.

    \b
    Example:
      trailbell scan ./AWSLogs --format jsonl
      aws cloudtrail lookup-events --output json | trailbell scan -
      trailbell scan s3://my-trail-logs --since 30d --summary
    """
    output.check()
    if work.state and STANDARD_INPUT in places:
        raise SettingsError("--resume goes on with files: standard input comes only once")
    now = datetime.now(UTC)
    in_use = find_rules(work.rules, work.settings, strict=work.strict)
    rulebook = in_use.rulebook
    wanted = filters.wanted(rulebook)
    window = scope.window(now)
    state = _state(work.state, lambda: same_scan(places, rulebook, scope, output, filters), window)
    selection = scope.selection(state.window if state else window)
    result = Scan()
    done = [*state.lines()] if state else []
    restored = list(_restore(done, result))
    sources = find_sources(places, selection, aws_client)
    for place in (*sources.unlisted, *sources.passed_over):
        click.echo(place, err=True)
    with Interrupt() as stopped:
        by_name = {name_of(file): file for file in sources.files}
        if state:
            sources.files = [file for file in sources.files if name_of(file) not in state.done]
        progress = _progress(sources)
        plan = Plan(
            rulebook=rulebook,
            selection=selection,
            seen_at=iso_time(now),
            jobs=jobs_for(sources.files, work.jobs),
            progress=progress,
            stopped=stopped,
            state=state,
            keep=output.keep if output.kind != "hits" else None,
            before=[(by_name[one.file], one.counted) for one in done if one.file in by_name],
            wanted=wanted,
        )
        with closing(run_scan(sources.files, plan, result)) as found:
            hits = each_counted_once(found, map(output.kept_id, restored), result)
            if work.seed_table:
                from trailbell.cli.scan.seeding import seeded  # here, as this needs boto3

                hits = seeded(hits, rulebook, work.seed_table)
            asked = Asked(places, rulebook, filters.said, now)
            print_result(output, restored, hits, progress.wipe, asked, result)
    for source in sources.files:
        if isinstance(source, StandardInput):
            source.close()
    status = _status(read_all(places, sources, result), result, hits_fail=work.exit_code)
    if status or not output.silent:
        print_counts(sources, result)
        if in_use.counts:
            click.echo(in_use.counts, err=True)
    sys.exit(status)


def _progress(sources: Sources) -> Progress:
    """The progress over all files; their sizes are asked for only where it is shown."""
    progress = Progress(len(sources.files), 0, "files")
    return Progress(len(sources.files), sum(map(size_of, sources.files)), "files") if progress.shown else progress


def _status(whole: bool, result: Scan, *, hits_fail: bool) -> int:
    """The exit status: interrupted, something unread or nothing to read, hits where they are a failure, or 0."""
    if result.interrupted:
        return Exit.INTERRUPTED
    if not whole:
        return Exit.FAILED
    return int(hits_fail and (result.counts.hits > result.counts.hits_muted or result.episodes > 0))


def _state(file: Path | None, scan: Callable[[], dict[str, Any]], window: list[str]) -> "State | None":
    """What was done so far, if that is kept in a file."""
    if file is None:
        return None
    from trailbell.cli.scan.state import State  # here, as most scans go on from none

    return State(file, scan(), window)


def _restore(done: "Iterable[Done]", result: Scan) -> Iterator[Any]:
    """What was kept of the hits of log files that are done already; their counts go into `result`."""
    for one in done:
        result.files_read += 1
        result.counts.add(one.counts)
        yield from one.hits
