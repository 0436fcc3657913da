"""Several files at once: reading waits for S3 or a disk, inflating and hashing leave Python's lock to others."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar


Thing = TypeVar("Thing")
Answer = TypeVar("Answer")

S3_THREADS = 32
"""Objects fetched at once; a client needs as many connections."""


class Threads:
    """Works on things in portions, whose answers come in the order of the things."""

    def __init__(self, threads: int, portion: int) -> None:
        self._pool = ThreadPoolExecutor(threads)
        self._ahead, self._portion = threads * 3, portion

    def __enter__(self) -> "Threads":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __call__(self, function: Callable[[Thing], Answer], things: Sequence[Thing], /) -> Iterator[Answer]:
        """The answers; raises what the function raises."""
        waiting: deque[Future[list[Answer]]] = deque()
        for at in range(0, len(things), self._portion):
            portion = things[at : at + self._portion]
            waiting.append(self._pool.submit(_answer, function, portion))
            if len(waiting) > self._ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _answer(function: Callable[[Thing], Answer], portion: Sequence[Thing]) -> list[Answer]:
    return [function(thing) for thing in portion]


def disk_threads() -> Threads:
    """One for each core, of files on this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Threads(cores, 64)


def s3_threads() -> Threads:
    """Of objects, which have to be waited for."""
    return Threads(S3_THREADS, 1)
