"""A scan as it runs: log files in, hits out, counts beside, what is done written down."""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from trailbell.cli.options.filters import Wanted
from trailbell.cli.scan.counted import Counted
from trailbell.cli.scan.standard_input import StandardInput
from trailbell.cli.scan.work import (
    Answer,
    Part,
    Source,
    name_of,
    seconds_of,
    size_of,
    work_alone,
)
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import SettingsError
from trailbell.hits.detect import DetectionCounts, Span
from trailbell.hits.hit import Hit
from trailbell.lookback.remembered import Remembered
from trailbell.text.safe_text import one_line


if TYPE_CHECKING:
    from trailbell.cli.scan.correlating import ScanEpisodes
    from trailbell.cli.scan.state import State
    from trailbell.cli.scan.workers import Workers

_WORTH_A_PROCESS = 0.08  # seconds of work for each: as much as a process costs until it is at its best


@dataclass(slots=True)
class Scan:
    """What a scan came to; hits are yielded as they are found, not kept.

    counts:  of all records that were read, also those of log files that could be read no further, and their hits.
    partial: those of these records that are in a log file that was not read to its end.
    cut:     whether the scan was interrupted in the middle of a log file.
    outside: hits of records that were not asked for (another time, account or region); they are in no other count.
    foreign: files that are JSON of something else, named and passed over.
    again, muted_again: those hits, and those of them that are muted, whose records were delivered more than once.
    episodes: hits of correlations.
    span:    about when the records are from.
    """

    files_read: int = 0
    unreadable: list[str] = field(default_factory=list)
    counts: DetectionCounts = field(default_factory=DetectionCounts)
    partial: int = 0
    cut: bool = False
    outside: int = 0
    foreign: list[str] = field(default_factory=list)
    again: int = 0
    muted_again: int = 0
    episodes: int = 0
    interrupted: bool = False
    span: Span = field(default_factory=Span)


@dataclass(slots=True)
class _Open:
    """The log file whose turn it is: what was counted of it so far, and what is kept of its hits, and of what
    correlations count."""

    counts: DetectionCounts = field(default_factory=DetectionCounts)
    kept: list[Any] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)


class Plan(NamedTuple):
    """What a scan does: with which rules, what is wanted, how many processes, how it is watched and remembered.

    keep: what of a hit is written into `state`, for hits that are counted or grouped at the end; None: nothing.
    before: log files that are done already, and what correlations count of them.
    wanted: which hits; the others are counted as outside.
    """

    rulebook: Rulebook
    selection: Selection
    seen_at: str
    jobs: int
    progress: Progress
    stopped: Callable[[], bool]
    state: "State | None" = None
    keep: Callable[[Hit], Any] | None = None
    before: Sequence[tuple[Source, Sequence[Counted]]] = ()
    wanted: Wanted = Wanted()


def run_scan(sources: list[Source], plan: Plan, result: Scan) -> Generator[Hit, None, None]:
    """Yield the hits of every log file in turn, then those of episodes, counting into `result`; what cannot be read is
    named on stderr.
    """
    file, episodes = _Open(), _Counting(plan.rulebook)
    for number, (_, counted) in enumerate(plan.before, start=len(sources)):
        episodes.add(counted, number)
    with ExitStack() as ending:
        workers = ending.enter_context(_workers(sources, plan)) if plan.jobs > 1 else None
        with ExitStack() as closing:
            if plan.state:
                plan.state.open()
                closing.callback(plan.state.close)
            closing.callback(plan.progress.wipe)
            for number, answer in _answers(sources, plan, workers):
                part = _wanted(answer, plan.wanted)
                file.counts.add(part.counts)
                result.counts.add(part.counts)
                result.outside += part.outside
                for time in part.span:
                    result.span.add(time)
                if plan.state and plan.keep:
                    file.kept += map(plan.keep, part.hits)
                if plan.state:
                    file.counted += part.counted
                episodes.add(part.counted, number)
                yield from part.hits
                if part.last:
                    _finish(sources[number], part, plan, result, file)
                    file = _Open()
        if file.counts.records_read:
            result.cut, result.partial = True, result.partial + file.counts.records_read
        result.interrupted = plan.stopped()
        if result.interrupted:
            ending.close()  # its processes are at other files
            workers = None
        all_sources = [*sources, *(source for source, _ in plan.before)]
        yield from _episode_hits(episodes.hits(plan, all_sources, workers), plan.wanted, result)


class _Counting:
    """What correlations count of a scan; they are imported when they count something."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook
        self._episodes: ScanEpisodes | None = None

    def add(self, counted: Sequence[Counted], number: int) -> None:
        """What was found in the log file of that number."""
        if counted and self._episodes is None:
            from trailbell.cli.scan.correlating import ScanEpisodes

            self._episodes = ScanEpisodes(self._rulebook)
        if self._episodes:
            self._episodes.add(counted, number)

    def hits(self, plan: Plan, sources: Sequence[Source], workers: "Workers | None") -> Iterator[Hit | str]:
        """As ScanEpisodes has them; sources: by the numbers that were given."""
        if not self._episodes:
            return iter(())
        from trailbell.cli.scan.rereading import Rereading

        return self._episodes.hits(Rereading(sources, plan.rulebook, plan.seen_at, workers))


def _episode_hits(hits: Iterable[Hit | str], wanted: Wanted, result: Scan) -> Iterator[Hit]:
    """The hits of episodes that are wanted; of what cannot be read again the line that says so."""
    for hit in hits:
        if isinstance(hit, Hit) and not wanted.holds(hit):
            result.outside += 1
            continue
        result.episodes += 1
        if isinstance(hit, Hit):
            yield hit
        else:
            click.echo(one_line(hit), err=True)


def _wanted(part: Part, wanted: Wanted) -> Part:
    """A part with those of its hits that are wanted; the others are counted as outside."""
    hits = [hit for hit in part.hits if wanted.holds(hit)]
    if len(hits) == len(part.hits):
        return part
    counts = replace(part.counts, hits=len(hits), hits_muted=sum(bool(hit.muted_by) for hit in hits))
    return replace(part, hits=hits, counts=counts, outside=part.outside + len(part.hits) - len(hits))


def each_counted_once(hits: Iterable[Hit], restored: Iterable[str], result: Scan) -> Iterator[Hit]:
    """The hits, with those that were found before counted as again; restored: ids of a scan that goes on."""
    seen = Remembered()
    for hit_id in restored:
        result.again += not seen.is_new(hit_id)
    for hit in hits:
        if not seen.is_new(hit.hit_id):
            result.again += 1
            result.muted_again += bool(hit.muted_by)
        yield hit


def jobs_for(sources: list[Source], asked: int | None) -> int:
    """How many processes: as many as asked for, else one for each core, if there is work for them."""
    if any(isinstance(source, StandardInput) for source in sources):
        return 1  # a second process could not read it
    if asked:
        return min(asked, max(len(sources), 1))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    seconds = 0.0
    for source in sources:  # a few tell, where there is plenty
        seconds += seconds_of(source)
        if seconds >= cores * _WORTH_A_PROCESS:
            break
    return max(min(cores, len(sources), int(seconds / _WORTH_A_PROCESS)), 1)


def _workers(sources: list[Source], plan: Plan) -> "Workers":
    from trailbell.cli.scan.worker import Task  # here, as one process needs none of it
    from trailbell.cli.scan.workers import Workers

    return Workers(Task(plan.rulebook, sources, plan.selection, plan.seen_at), plan.jobs)


def _answers(sources: list[Source], plan: Plan, workers: "Workers | None") -> Iterator[Answer]:
    if workers:
        return workers.work_through(plan.stopped)
    return work_alone(plan.rulebook, sources, plan.selection, plan.seen_at, plan.stopped)


def _finish(source: Source, end: Part, plan: Plan, result: Scan, file: _Open) -> None:
    """One log file is through: say what was wrong with it, write it down."""
    name = name_of(source)
    plan.progress.advance(size_of(source) if plan.progress.shown else 0)
    for malformed in end.counts.malformed:
        plan.progress.wipe()
        click.echo(f"{one_line(name)}: record {malformed.index}: {one_line(malformed.reason)}", err=True)
    for note in end.notes:
        plan.progress.wipe()
        click.echo(f"{one_line(name)}: {one_line(note)}", err=True)
    if end.error:
        plan.progress.wipe()
        if end.stop:
            raise SettingsError(f"{one_line(name)}: {one_line(end.error)} (with --resume a scan goes on from here)")
        (result.foreign if end.foreign else result.unreadable).append(name)
        result.partial += file.counts.records_read
        passed_over = "passed over: " if end.foreign else ""
        click.echo(f"{one_line(name)}: {passed_over}{one_line(end.error)}", err=True)
        return
    result.files_read += 1
    if plan.state:
        plan.state.add(name, file.counts, file.kept, file.counted)
