"""One of the processes of a scan: work comes in by a pipe, answers go out by it, until it ends.

A message to it is _files_ to examine or _records_ to read again; a message from it is a list of answers, or what was
found of the records of one log file.
"""

import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from trailbell.cli.scan.work import AHEAD, CHUNK, Answer, Fetcher, Pieces, Source, matches_at, scan_detector, work
from trailbell.cloudtrail.json_text import Entry
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.episode import EpisodeAct


class Files(NamedTuple):
    """Work: to examine the log files from one number up to another."""

    first: int
    end: int


class Records(NamedTuple):
    """Work: to read again the records at some positions of a log file; with_text: those whose text is asked for."""

    number: int
    source: Source
    indexes: Sequence[int]
    with_text: Sequence[int]


ActAndText = tuple[EpisodeAct, Entry | None]
"""Of a record that was read again what it is for an episode, and its text, if that was asked for."""

RecordsAgain = tuple[int, dict[int, ActAndText]]
"""The number of a log file, and its records by position."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the processes of a scan are to know: rules, log files, which records are wanted, and what time it is."""

    rulebook: Rulebook
    sources: Sequence[Source]
    selection: Selection
    seen_at: str


def serve(task: Task, pipe: Connection, others: list[Connection]) -> None:
    """The life of a process, until the pipe ends; others: pipes that are not its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # at once: nothing here is to be tidied up
    for other in others:  # else they would stay open after the process that they belong to
        other.close()
    worker, waiting = _Worker(task), _Waiting(pipe, task.sources)
    try:
        while True:
            begun = waiting.next()
            if isinstance(begun.work, Records):
                pipe.send(worker.read_again(begun))
            else:
                for answers in worker.examine(begun):
                    pipe.send(answers)
    except (EOFError, ConnectionError):
        os._exit(0)


class _Begun(NamedTuple):
    """A log file whose content begins to come; is_last: of the work that it is part of."""

    work: Files | Records
    number: int
    source: Source
    pieces: Pieces
    is_last: bool


class _Waiting:
    """What a process has before it, in the order in which it came; of a bucket several log files are fetched ahead."""

    def __init__(self, pipe: Connection, sources: Sequence[Source]) -> None:
        self._pipe, self._sources = pipe, sources
        self._fetcher = Fetcher()
        self._begun: deque[_Begun] = deque()

    def next(self) -> _Begun:
        """The next log file. Raises EOFError where there will be none."""
        while not self._begun or (self._fetches and len(self._begun) < AHEAD and self._pipe.poll()):
            self._begin(self._pipe.recv())
        return self._begun.popleft()

    @property
    def _fetches(self) -> bool:
        """Whether there is something to gain by beginning early."""
        return not isinstance(self._begun[-1].source, Path)

    def _begin(self, work: Files | Records) -> None:
        if isinstance(work, Records):
            self._begun.append(_Begun(work, work.number, work.source, self._fetcher.begin(work.source), True))
            return
        for number in range(work.first, work.end):
            source = self._sources[number]
            self._begun.append(_Begun(work, number, source, self._fetcher.begin(source), number == work.end - 1))


class _Worker:
    """Examines log files, and reads records again."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._hit_detector = scan_detector(task.rulebook, full_parse_bytes=0)  # there is enough to read for several
        self._answers: list[Answer] = []
        self._hits = 0  # in these answers

    def examine(self, begun: _Begun) -> Iterator[list[Answer]]:
        """What comes of a log file, and of those before it that nothing was said of: now and then, and at the end of
        the work.
        """
        selection, seen_at = self._task.selection, self._task.seen_at
        for part in work(self._hit_detector, begun.source, begun.pieces, selection, seen_at):
            self._answers.append((begun.number, part))
            self._hits += len(part.hits)
            if not part.last or self._hits >= CHUNK:
                yield self._taken()
        if begun.is_last and self._answers:
            yield self._taken()

    def read_again(self, begun: _Begun) -> RecordsAgain:
        """What correlations count at some positions of a log file; what is gone is left out."""
        assert isinstance(begun.work, Records)
        work, with_text = begun.work, frozenset(begun.work.with_text)
        found = matches_at(self._rereading, work.source, begun.pieces, work.indexes, self._task.seen_at)
        return work.number, {at: (match.act, entry if at in with_text else None) for at, entry, match in found}

    @cached_property
    def _rereading(self) -> HitDetector:
        return scan_detector(self._task.rulebook, acts=True)

    def _taken(self) -> list[Answer]:
        taken, self._answers, self._hits = self._answers, [], 0
        return taken
