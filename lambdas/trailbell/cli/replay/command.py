"""`trailbell replay`: old log files through the deployed queue; the stack does the work, not this machine."""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from trailbell.cli.options.account import AccountId
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.cli.options.connection import Connection, stack_options
from trailbell.cli.options.times import parse_window, since_option, until_option
from trailbell.cli.scan.log_sources import LogPlace, find_sources, split_address
from trailbell.cli.scan.state import State
from trailbell.cli.terminal.interrupt import STATUS, Interrupt
from trailbell.cli.terminal.progress import Progress, duration
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.object_key import ObjectKind
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.hits.detect import DetectionCounts
from trailbell.lookback.replay import Estimate, estimate, replay_message
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.ops.ingest_queue import BATCH, SqsIngestQueue
from trailbell.text.counts import counted


class Rate(click.ParamType[float]):
    """50/s, 600/min, 10000/h, as log files a second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The rate as a number of log files a second, above 0."""
        found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(?:/(s|min|h))?", str(value), re.ASCII)
        if not found or not float(found[1]):
            self.fail(f"{value!r} is no rate such as 50/s, 600/min or 10000/h", param, ctx)
        return float(found[1]) / {"s": 1, "min": 60, "h": 3600}[found[2] or "s"]


@click.command()
@click.argument("address", type=LogPlace())
@since_option("Log files")
@until_option("Log files")
@click.option(
    "--account", "accounts", multiple=True, type=AccountId(), help="Only this account's log files (repeatable)."
)
@click.option("--region", "regions", metavar="REGION", multiple=True, help="Only this region's log files (repeatable).")
@click.option("--rate", type=Rate(), default="50/s", show_default=True, help="Log files to send: 50/s, 600/min ...")
@click.option(
    "--notify", "--tell", "notify", is_flag=True, help="Notify people of the hits, too (default: they are kept)."
)
@click.option("--dry-run", is_flag=True, help="Count and estimate only; send nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@click.option(
    "--resume",
    "state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Record in FILE what was sent; continue from there if FILE exists.",
)
@stack_options("The stack to send to.", "Send to what `trailbell local --keep` left running.")
def replay(
    address: str,
    since: str,
    until: str,
    accounts: tuple[str, ...],
    regions: tuple[str, ...],
    rate: float,
    notify: bool,
    dry_run: bool,
    yes: bool,
    state: Path | None,
    connection: Connection,
) -> None:
    """Send old log files through the deployed queue again.

    For example after a rule was added.

    Whole days are sent: those of --since to --until, and the next one for late deliveries. Hits are kept once, so
    hits that are in the table already stay as they are. New ones are kept and nobody is notified, unless --notify;
    if S3's own notification of such a log file comes later, people are notified then.

    Choose a rate that the detector can keep up with: new log files wait behind the backlog in the queue.

    \b
    Example:
      trailbell replay s3://my-trail-logs --since 30d --dry-run
    """
    now = datetime.now(UTC)
    window = [moment.isoformat() if moment else "" for moment in parse_window(since, until, now)]
    options = {"places": [address], "since": since, "until": until, "accounts": sorted(accounts)}
    options |= {"regions": sorted(regions), "output": "replay, told" if notify else "replay"}
    sent = State(state, options, window) if state else None
    begin, end = (datetime.fromisoformat(text) if text else None for text in (sent.window if sent else window))
    selection = Selection(frozenset(accounts), frozenset(regions), begin, end)
    with explained_errors():
        ingest_queue = SqsIngestQueue(connection.client("sqs"), _ingest_queue_of(connection.deployed, address))
        refs = _log_files(address, selection, connection.client)
        if sent:
            list(sent.lines())
            refs = [ref for ref in refs if str(ref) not in sent.done]
        _print_estimate(estimate((ref.size or 0 for ref in refs), rate), notify, len(sent.done) if sent else 0)
        if dry_run or not refs:
            return
        if not yes and not click.confirm("Send them?", err=True):
            sys.exit(1)
        with Interrupt() as stopped:
            number = send_all(refs, ingest_queue, rate, notify, sent, stopped)
    click.echo(
        f"{number} of {counted(len(refs), 'log file')} sent; follow them with:"
        f" trailbell hits --since {since or '3650d'}",
        err=True,
    )
    if stopped():
        sys.exit(STATUS)


def send_all(
    refs: Sequence[ObjectRef],
    ingest_queue: SqsIngestQueue,
    rate: float,
    notify: bool,
    sent: State | None,
    stopped: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Send log files in batches, no faster than `rate` a second, until all are sent or `stopped()`; how many were.

    What was sent is recorded afterwards: after a crash a batch may be sent again, which changes nothing.
    """
    progress = Progress(len(refs), 0, "files")
    began, number = clock(), 0
    if sent:
        sent.open()
    try:
        for batch in _batches(refs):
            ahead = number / rate - (clock() - began)
            while ahead > 0 and not stopped():
                pause(min(ahead, 0.2))
                ahead = number / rate - (clock() - began)
            if stopped():
                break
            ingest_queue.send([replay_message(ref, notify=notify) for ref in batch])
            number += len(batch)
            for ref in batch:
                progress.advance(0)
                if sent:
                    sent.add(str(ref), DetectionCounts(), [])
    finally:
        progress.wipe()
        if sent:
            sent.close()
    return number


def _batches(refs: Sequence[ObjectRef]) -> Iterator[list[ObjectRef]]:
    remaining = iter(refs)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _ingest_queue_of(deployed: DeployedStack, address: str) -> str:
    """The URL of the stack's queue. Raises SettingsError where the detector may not read the bucket."""
    if not address.startswith("s3://"):
        raise SettingsError(f"{address}: only log files in the trail bucket can be replayed; try trailbell scan")
    bucket = deployed.output("TrailBucket")
    if split_address(address)[0] != bucket:
        raise SettingsError(f"{address}: the detector of stack {deployed.name} may read s3://{bucket} alone")
    return deployed.output("IngestQueue")


def _log_files(address: str, selection: Selection, clients: Callable[[str], Any]) -> list[ObjectRef]:
    """What the detector would read: it goes by the layout alone."""
    files = find_sources([address], selection, clients).files
    refs = [file for file in files if isinstance(file, ObjectRef)]
    return [ref for ref in refs if ref.classified.kind is ObjectKind.LOG_FILE]


def _print_estimate(found: Estimate, notify: bool, before: int) -> None:
    earlier = f" ({before:,} were sent before)" if before else ""
    done = "kept, AND PEOPLE ARE NOTIFIED" if notify else "kept, and nobody is notified"
    click.echo(
        f"{counted(found.files, 'log file')} to send{earlier}, {found.size / 1e6:,.1f} MB;"
        f" {duration(found.seconds)} at this rate\n"
        f"about {found.dollars:,.2f} US dollars, and {found.dollars_a_million_hits:,.2f} for each million new hits\n"
        f"new hits are {done}",
        err=True,
    )
