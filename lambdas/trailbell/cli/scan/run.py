"""A scan as it runs: log files in, hits out, counts beside, what is done written down."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import click

from trailbell.cli.scan.state import State
from trailbell.cli.scan.work import Done, Source, name_of, size_of
from trailbell.cli.scan.workers import Answer, Workers, work_alone
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import SettingsError
from trailbell.hits.detect import DetectionCounts
from trailbell.hits.hit import Hit
from trailbell.text.safe_text import one_line


_WORTH_A_PROCESS = 1_000_000  # bytes of log files, gzipped: less is done before a second process has begun


@dataclass(slots=True)
class Scan:
    """What a scan came to; hits are yielded as they are found, not kept.

    outside: hits of records that were not asked for (another time, account or region); they are in no other count.
    """

    files_read: int = 0
    unreadable: list[str] = field(default_factory=list)
    records: int = 0
    matched: int = 0
    not_watched: int = 0
    malformed: int = 0
    hits: int = 0
    muted: int = 0
    outside: int = 0
    interrupted: bool = False

    def add(self, found: DetectionCounts) -> None:
        """Count one file that was read."""
        self.files_read += 1
        self.records += found.records_read
        self.matched += found.records_matched
        self.not_watched += found.records_not_watched
        self.malformed += found.records_malformed


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scan does: with which rules, what is wanted, how many processes, how it is watched and remembered.

    keep: what of a hit is written into `state`, for hits that are counted or grouped at the end; None: nothing.
    """

    rulebook: Rulebook
    selection: Selection
    seen_at: str
    jobs: int
    progress: Progress
    stopped: Callable[[], bool]
    state: State | None = None
    keep: Callable[[Hit], Any] | None = None


def run_scan(sources: list[Source], plan: Plan, result: Scan) -> Generator[Hit, None, None]:
    """Yield the hits of every log file in turn, counting into `result`; what cannot be read is named on stderr."""
    kept: list[Any] = []
    with ExitStack() as closing:
        if plan.state:
            plan.state.open()
            closing.callback(plan.state.close)
        closing.callback(plan.progress.wipe)
        for number, answer in _answers(sources, plan, closing):
            if isinstance(answer, Done):
                _finish(sources[number], answer, plan, result, kept)
                kept = []
                continue
            if plan.state and plan.keep:
                kept += map(plan.keep, answer)
            for hit in answer:
                result.hits += 1
                result.muted += bool(hit.muted_by)
                yield hit
    result.interrupted = plan.stopped()


def jobs_for(sources: list[Source], asked: int | None) -> int:
    """How many processes: as many as asked for, else one for each core, if there is work for them."""
    if asked:
        return min(asked, max(len(sources), 1))
    sizes = sum(map(size_of, sources))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(cores, len(sources), 1 + sizes // _WORTH_A_PROCESS), 1)


def _answers(sources: list[Source], plan: Plan, closing: ExitStack) -> Iterator[Answer]:
    if plan.jobs == 1:
        return work_alone(plan.rulebook, sources, plan.selection, plan.seen_at, plan.stopped)
    workers = closing.enter_context(Workers(plan.rulebook, plan.jobs, plan.selection, plan.seen_at))
    return workers.work_through(sources, plan.stopped)


def _finish(source: Source, done: Done, plan: Plan, result: Scan, kept: list[Any]) -> None:
    """One log file is through: count it, say what was wrong with it, write it down."""
    name = name_of(source)
    plan.progress.advance(size_of(source) if plan.progress.shown else 0)
    if done.error:
        plan.progress.wipe()
        if done.stop:
            raise SettingsError(f"{one_line(name)}: {one_line(done.error)} (with --resume a scan goes on from here)")
        result.unreadable.append(name)
        click.echo(f"{one_line(name)}: {one_line(done.error)}", err=True)
        return
    result.add(done.counts)
    result.outside += done.outside
    for malformed in done.counts.malformed:
        plan.progress.wipe()
        click.echo(f"{one_line(name)}: record {malformed.index}: {one_line(malformed.reason)}", err=True)
    if plan.state:
        plan.state.add(name, done.counts, kept)
