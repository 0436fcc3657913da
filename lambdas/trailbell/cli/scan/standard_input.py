"""Standard input as a log file. It can be read once, so it is kept for the records that are read again."""

import sys
from collections.abc import Iterator
from functools import cached_property
from typing import IO, Any


STANDARD_INPUT = "-"

_PIECE = 256 * 1024
_IN_MEMORY = 8 * 1024 * 1024


class StandardInput:
    """A log file that comes through a pipe."""

    size = 0

    def __str__(self) -> str:
        return STANDARD_INPUT

    @cached_property
    def _kept(self) -> IO[bytes]:
        import tempfile  # here, as files are scanned without it

        return tempfile.SpooledTemporaryFile(_IN_MEMORY)

    @cached_property
    def _ended(self) -> list[bool]:
        return []

    def close(self) -> None:
        """Forget what was kept."""
        if self._ended or "_kept" in vars(self):
            self._kept.close()

    def pieces(self) -> Iterator[bytes]:
        """The content as it comes; once it was read to its end, from what was kept."""
        if self._ended:
            self._kept.seek(0)
            while piece := self._kept.read(_PIECE):
                yield piece
            return
        stream: Any = sys.stdin.buffer
        while piece := stream.read1(_PIECE):  # what is there, without waiting for more
            self._kept.write(piece)
            yield piece
        self._ended.append(True)
