"""How far a long command is, how fast, and how long it will take: one line on stderr, on a terminal only.

Drawn by hand, between two pieces of work, because a thread that draws must not be there when processes are forked.
"""

import sys
import time
from collections.abc import Callable
from typing import TextIO


_PAUSE = 0.2  # seconds between two drawings
_WIPE = "\r\x1b[K"


class Progress:
    """Counts things done of a total, weighed by their size (such as bytes); `shown` says whether it is drawn."""

    def __init__(
        self,
        total: int,
        total_size: int,
        unit: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total, self._total_size, self._unit = total, total_size, unit
        self._stream = stream or sys.stderr
        self.shown = self._stream.isatty()
        self._clock = clock
        self._began, self._drawn = clock(), 0.0
        self._done = self._size = 0
        self._is_there = False

    def advance(self, size: int) -> None:
        """One more is done."""
        self._done += 1
        self._size += size
        if self.shown and self._clock() - self._drawn >= _PAUSE:
            self._stream.write(_WIPE + self.line())
            self._stream.flush()
            self._drawn, self._is_there = self._clock(), True

    def wipe(self) -> None:
        """Take the line away, before something else is printed and at the end."""
        if self._is_there:
            self._stream.write(_WIPE)
            self._stream.flush()
            self._is_there = False

    def line(self) -> str:
        """4,711 of 10,000 files (47 %), 312 files/s, 18.2 MB/s, 17 s left."""
        seconds = max(self._clock() - self._began, 1e-9)
        share = self._size / self._total_size if self._total_size else self._done / max(self._total, 1)
        parts = [
            f"{self._done:,} of {self._total:,} {self._unit} ({share:.0%})",
            f"{self._done / seconds:,.0f} {self._unit}/s",
        ]
        if self._total_size:
            parts.append(f"{self._size / seconds / 1e6:,.1f} MB/s")
        if share:
            parts.append(f"{duration(seconds / share - seconds)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """17 s, 4 min 10 s, 2 h 5 min."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
