"""Log files worked on by several processes at once; what comes of them is given in the order of the files.

Each process has a pipe of its own. It takes log files in ascending order and writes its answers in the same order,
so the first file that is still open is always the first its process is at: it can be waited for. What the others
have found by then is kept, but not without limit: then their pipes are left full, and they wait.

A process ends when its pipe does, however the first one ended. Ctrl-C is left to the first.
"""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from trailbell.cli.scan.work import AHEAD, Answer, Fetcher, Part, Pieces, Source, scan_detector, work
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LocalError


_MAX_KEPT = 20_000  # hits found before their turn
_MAX_AHEAD = 256  # log files begun before the turn of the first that is open
_LOCAL_AHEAD = 2  # files on disk have nothing to wait for; few, so that the last ones are shared fairly
_LOOK_SECONDS = 0.2


class Workers:
    """Processes that examine log files. Start them before any thread; leave the `with` block to end them."""

    def __init__(self, rulebook: Rulebook, count: int, selection: Selection, seen_at: str) -> None:
        # On Linux a forked process has the rulebook already and starts in a hundredth of the time.
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        pipes = [context.Pipe() for _ in range(count)]
        self._pipes: list[Connection] = [ours for ours, _ in pipes]
        self._processes = []
        for number, (_, theirs) in enumerate(pipes):
            others = [end for pipe in pipes for end in pipe if end is not theirs]
            arguments = (rulebook, theirs, others if context.get_start_method() == "fork" else [], selection, seen_at)
            process = context.Process(target=_serve, args=arguments, name=f"scan {number}", daemon=True)
            process.start()
            self._processes.append(process)
        for _, theirs in pipes:
            theirs.close()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()
        for pipe in self._pipes:
            pipe.close()

    def work_through(self, sources: Sequence[Source], stopped: Callable[[], bool]) -> Iterator[Answer]:
        """What comes of every log file, in their order, until all are through or `stopped()`."""
        turn = _Turn(self._pipes, sources)
        while not turn.is_over:
            turn.hand_out()
            if stopped():
                return
            turn.listen()
            yield from turn.due()


class _Turn:
    """Who works on what, and what was found before its turn."""

    def __init__(self, pipes: list[Connection], sources: Sequence[Source]) -> None:
        self._pipes, self._sources = pipes, sources
        self._open: dict[Connection, deque[int]] = {pipe: deque() for pipe in pipes}
        self._found: dict[int, deque[Part]] = {}
        self._kept = 0
        self._next = 0  # the first file that nobody has
        self._first = 0  # the first file that is not through

    @property
    def is_over(self) -> bool:
        """Whether every log file is through."""
        return self._first == len(self._sources)

    def hand_out(self) -> None:
        """Give the next log files to those who have least to do."""
        while self._next < min(len(self._sources), self._first + _MAX_AHEAD):
            pipe = min(self._pipes, key=lambda pipe: len(self._open[pipe]))
            if len(self._open[pipe]) >= (_LOCAL_AHEAD if isinstance(self._sources[self._next], Path) else AHEAD):
                return
            pipe.send((self._next, self._sources[self._next]))
            self._open[pipe].append(self._next)
            self._next += 1

    def listen(self) -> None:
        """Take answers, of all while there is room, else of the one whose turn it is."""
        full = self._kept >= _MAX_KEPT
        pipes = [pipe for pipe, files in self._open.items() if files and (not full or files[0] == self._first)]
        for ready in wait(pipes, _LOOK_SECONDS):
            assert isinstance(ready, Connection)
            try:
                number, answer = ready.recv()
            except (EOFError, ConnectionError):
                raise LocalError("a process of the scan has ended (out of memory?): try --jobs 1") from None
            self._found.setdefault(number, deque()).append(answer)
            self._kept += len(answer.hits)
            if answer.last:
                self._open[ready].popleft()

    def due(self) -> Iterator[Answer]:
        """What was found for the log file whose turn it is, and the next ones if it is through."""
        while waiting := self._found.get(self._first):
            answer = waiting.popleft()
            number = self._first
            self._kept -= len(answer.hits)
            if answer.last:
                del self._found[number]
                self._first += 1
            yield number, answer


def _serve(rulebook: Rulebook, pipe: Connection, others: list[Connection], selection: Selection, seen_at: str) -> None:
    """The life of a process: log files in, answers out, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # at once: nothing here is to be tidied up
    for other in others:  # else they would stay open after the process that they belong to
        other.close()
    hit_detector = scan_detector(rulebook, full_parse_bytes=0)  # there is enough to read for several processes
    fetcher = Fetcher()
    begun: deque[tuple[int, Source, Pieces]] = deque()
    try:
        while True:
            while not begun or (len(begun) < AHEAD and pipe.poll()):
                number, source = pipe.recv()
                begun.append((number, source, fetcher.begin(source)))
            number, source, pieces = begun.popleft()
            for answer in work(hit_detector, source, pieces, selection, seen_at):
                pipe.send((number, answer))
    except (EOFError, ConnectionError):
        os._exit(0)
