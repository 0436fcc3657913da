"""`trailalert scan`: the rules against local log files, by the same core the Lambda runs."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import track

from trailalert.cli.display import console, print_hits
from trailalert.cli.log_files import Found, find_log_files, read_pieces
from trailalert.cli.paths import default_rules
from trailalert.core.examine import Examination, examine
from trailalert.core.hit import Hit
from trailalert.core.logfile import MAX_INFLATED_BYTES, read_log_file
from trailalert.core.matcher import Matcher
from trailalert.core.rulebook import Rule
from trailalert.errors import LogFileError, RuleError
from trailalert.rulebook.load import load_rules


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

    def add(self, found: Examination) -> None:
        """Count one file that was read."""
        self.files_read += 1
        self.records += found.records_read
        self.matched += found.records_matched
        self.not_watched += found.records_not_watched
        self.bad += len(found.bad)
        self.hits += len(found.hits)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--rules", "rules_path", type=click.Path(exists=True, path_type=Path), help="Other Sigma rules (file or folder)."
)
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit with status 1 when there are hits.")
def scan(paths: tuple[Path, ...], rules_path: Path | None, form: str, exit_code: bool) -> None:
    """Match rules against local log files or folders of them, gzipped or not.

    Digest and Insight files are counted as ignored. A file that cannot be read is reported, does not stop
    the others, and makes the exit status 2.

    \b
    Example:
      trailalert scan ./AWSLogs --format jsonl
    """
    matcher = Matcher(_rules(rules_path))
    found = find_log_files(paths)
    result = Scan()
    print_hits(scan_files(found.files, matcher, result, progress=sys.stderr.isatty()), form)
    _report(found, result)
    if result.unreadable:
        sys.exit(2)
    if exit_code and result.hits:
        sys.exit(1)


def scan_files(files: list[Path], matcher: Matcher, result: Scan, *, progress: bool = False) -> Iterator[Hit]:
    """Yield the hits of every file in turn, counting into `result`; an unreadable file is told on stderr."""
    seen_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for file in track(files, "scanning", console=console(stderr=True), disable=not progress, transient=True):
        try:
            log_file = read_log_file(read_pieces(file), MAX_INFLATED_BYTES)
        except LogFileError as error:
            result.unreadable.append(str(file))
            click.echo(f"{file}: {error}", err=True)
            continue
        found = examine(log_file, matcher, "", str(file), seen_at)
        result.add(found)
        for bad in found.bad:
            click.echo(f"{file}: record {bad.index}: {bad.reason}", err=True)
        yield from found.hits


def _rules(path: Path | None) -> tuple[Rule, ...]:
    found = load_rules(path or default_rules())
    if found.errors:
        raise RuleError("\n".join(found.errors))
    if found.skipped:
        click.echo(f"{len(found.skipped)} rules left out: their log source is not aws/cloudtrail", err=True)
    return found.rules


def _report(found: Found, result: Scan) -> None:
    ignored = ", ".join(f"{len(files)} {kind}" for kind, files in sorted(found.ignored.items())) or "0"
    click.echo(
        f"log files: {result.files_read} read, {len(result.unreadable)} unreadable; ignored: {ignored}\n"
        f"records: {result.records} read = {result.matched} matched against rules + {result.not_watched} not watched"
        f" + {result.bad} bad; hits: {result.hits}",
        err=True,
    )
