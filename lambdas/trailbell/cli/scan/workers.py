"""Log files worked on by several processes at once; what comes of them is given in the order of the files.

Each process has a pipe of its own. It takes log files in ascending order, small ones of this machine several at a
time, and writes its answers in the same order, so the first file that is still open is always among the first its
process has: it can be waited for. What the others have found by then is kept, but not without limit: then their pipes
are left full, and they wait.

A process ends when its pipe does, however the first one ended. Ctrl-C is left to the first.
"""

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from trailbell.cli.scan.work import AHEAD, Answer, Part, Source, seconds_of
from trailbell.cli.scan.worker import Files, Records, RecordsAgain, Task, serve
from trailbell.errors import LocalError


_MAX_KEPT = 20_000  # hits found before their turn
_MAX_AHEAD = 2048  # log files begun before the turn of the first that is open
_LOCAL_AHEAD = 2  # batches of files on disk, which have nothing to wait for; few, so that the last are shared fairly
_BATCH_SECONDS = 0.02  # of work, a hundred times what a message costs
_BATCHES_LEFT = 4  # for each process at least, while there are as many files: so that all end at nearly the same time
_LOOK_SECONDS = 0.2


class Workers:
    """Processes that examine log files. Start them before any thread; leave the `with` block to end them."""

    def __init__(self, task: Task, count: int) -> None:
        # On Linux a forked process has rules and file names already and starts in a hundredth of the time.
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        pipes = [context.Pipe() for _ in range(count)]
        self._sources = task.sources
        self._pipes: list[Connection] = [ours for ours, _ in pipes]
        self._processes = []
        for number, (_, theirs) in enumerate(pipes):
            others = [end for pipe in pipes for end in pipe if end is not theirs]
            arguments = (task, theirs, others if context.get_start_method() == "fork" else [])
            process = context.Process(target=serve, args=arguments, name=f"scan {number}", daemon=True)
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

    def work_through(self, stopped: Callable[[], bool]) -> Iterator[Answer]:
        """What comes of every log file, in their order, until all are through or `stopped()`."""
        turn = _Turn(self._pipes, self._sources)
        while not turn.is_over:
            turn.hand_out()
            if stopped():
                return
            turn.listen()
            yield from turn.due()

    def read_again(self, wanted: Iterable[Records]) -> Iterator[RecordsAgain]:
        """What correlations count at some positions of log files, in any order of the files; what is gone is left out.
        Only once all log files are through.
        """
        waiting = deque(wanted)
        open_ = dict.fromkeys(self._pipes, 0)
        while waiting or any(open_.values()):
            for pipe in self._pipes:
                while waiting and open_[pipe] < _ahead(waiting[0].source):
                    _send(pipe, waiting.popleft())
                    open_[pipe] += 1
            for pipe in _ready([pipe for pipe, count in open_.items() if count]):
                open_[pipe] -= 1
                yield _received(pipe)


class _Turn:
    """Who works on what, and what was found before its turn."""

    def __init__(self, pipes: list[Connection], sources: Sequence[Source]) -> None:
        self._pipes, self._sources = pipes, sources
        self._open: dict[Connection, deque[Files]] = {pipe: deque() for pipe in pipes}
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
            if len(self._open[pipe]) >= _ahead(self._sources[self._next]):
                return
            batch = Files(self._next, self._end_of_batch())
            _send(pipe, batch)
            self._open[pipe].append(batch)
            self._next = batch.end

    def _end_of_batch(self) -> int:
        """Up to which file the next ones are worked on together: those of a bucket are fetched one by one."""
        most = max((len(self._sources) - self._next) // (_BATCHES_LEFT * len(self._pipes)), 1)
        seconds, end = 0.0, self._next
        while seconds <= _BATCH_SECONDS and end < self._next + most and isinstance(self._sources[end], Path):
            seconds += seconds_of(self._sources[end])
            end += 1
        return max(end, self._next + 1)

    def listen(self) -> None:
        """Take answers, of all while there is room, else of the one whose turn it is."""
        full = self._kept >= _MAX_KEPT
        pipes = [pipe for pipe, files in self._open.items() if files and (not full or files[0].first <= self._first)]
        for ready in _ready(pipes):
            given: list[Answer] = _received(ready)
            for number, part in given:
                self._found.setdefault(number, deque()).append(part)
                self._kept += len(part.hits)
                if part.last and number == self._open[ready][0].end - 1:
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


def _ahead(source: Source) -> int:
    """How much a process has before it, at most, before it is given a log file."""
    return _LOCAL_AHEAD if isinstance(source, Path) else AHEAD


def _ready(pipes: list[Connection]) -> Iterator[Connection]:
    """Those of the pipes from which something can be received, after a moment at the latest."""
    for ready in wait(pipes, _LOOK_SECONDS):
        assert isinstance(ready, Connection)
        yield ready


def _send(pipe: Connection, what: Files | Records) -> None:
    try:
        pipe.send(what)
    except ConnectionError:
        raise _ended() from None


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, ConnectionError):
        raise _ended() from None


def _ended() -> LocalError:
    return LocalError("a process of the scan has ended (out of memory?): try --jobs 1")
