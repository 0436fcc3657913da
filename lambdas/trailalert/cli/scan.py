"""`trailalert scan`: the rules against local log files, by the same core the Lambda runs."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import track

from trailalert.cli.display import console, print_alerts, print_hits
from trailalert.cli.log_files import Found, find_log_files, read_pieces
from trailalert.cli.rulebooks import find_rulebook, setting_option
from trailalert.core.examine import Examination, Examiner
from trailalert.core.grouping import group_hits
from trailalert.core.hit import Hit
from trailalert.errors import LogFileError


@dataclass(slots=True)
class Scan:
    """What a scan came to; hits are yielded as they are found, not kept."""

    files_read: int = 0
    unreadable: list[str] = field(default_factory=list)
    records: int = 0
    matched: int = 0
    not_watched: int = 0
    bad: int = 0
    hits: int = 0
    muted: int = 0

    def add(self, found: Examination) -> None:
        """Count one file that was read."""
        self.files_read += 1
        self.records += found.records_read
        self.matched += found.records_matched
        self.not_watched += found.records_not_watched
        self.bad += found.records_bad
        self.hits += found.hits
        self.muted += found.hits_muted


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--rules", type=click.Path(exists=True, path_type=Path), help="Other Sigma rules (file or folder).")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.option("--alerts", is_flag=True, help="Print what the notifier would tell: one line for each alert.")
@click.option("--exit-code", is_flag=True, help="Exit with status 1 when there are hits (muted ones do not count).")
@setting_option
def scan(
    paths: tuple[Path, ...], rules: Path | None, form: str, alerts: bool, exit_code: bool, settings: tuple[str, ...]
) -> None:
    """Match rules against local log files or folders of them, gzipped or not.

    Digest and Insight files are counted as ignored. A file that cannot be read is reported, does not stop
    the others, and makes the exit status 2.

    \b
    Example:
      trailalert scan ./AWSLogs --format jsonl
    """
    examiner = Examiner(find_rulebook(rules, settings))
    found = find_log_files(paths)
    result = Scan(unreadable=found.unlisted)
    for folder in found.unlisted:
        click.echo(folder, err=True)
    hits = scan_files(found.files, examiner, result, progress=sys.stderr.isatty())
    if alerts:
        print_alerts(group_hits(_told(hits)), form)
    else:
        print_hits(hits, form)
    _report(found, result)
    if result.unreadable:
        sys.exit(2)
    if exit_code and result.hits > result.muted:
        sys.exit(1)


def _told(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Hits that the notifier gets to tell: each identity once, muted ones never."""
    seen = set()
    for hit in hits:
        if hit.identity not in seen and not hit.muted_by:
            seen.add(hit.identity)
            yield hit


def scan_files(files: list[Path], examiner: Examiner, result: Scan, *, progress: bool = False) -> Iterator[Hit]:
    """Yield the hits of every file in turn, counting into `result`; an unreadable file is told on stderr."""
    seen_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for file in track(files, "scanning", console=console(stderr=True), disable=not progress, transient=True):
        found = Examination()
        try:
            yield from examiner.examine(read_pieces(file), "", str(file), seen_at, found)
        except LogFileError as error:
            result.unreadable.append(str(file))
            click.echo(f"{file}: {error}", err=True)
            continue
        result.add(found)
        for bad in found.bad:
            click.echo(f"{file}: record {bad.index}: {bad.reason}", err=True)


def _report(found: Found, result: Scan) -> None:
    ignored = ", ".join(f"{len(files)} {kind}" for kind, files in sorted(found.ignored.items())) or "0"
    click.echo(
        f"log files: {result.files_read} read, {len(result.unreadable)} unreadable; ignored: {ignored}\n"
        f"records: {result.records} read = {result.matched} matched against rules + {result.not_watched} not watched"
        f" + {result.bad} bad; hits: {result.hits}" + (f", {result.muted} of them muted" if result.muted else ""),
        err=True,
    )
