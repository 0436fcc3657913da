"""A stream of bytes whose beginning can be looked at before it is read, and whose size is held against a bomb."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trailbell.cloudtrail.json_text import broken_off
from trailbell.errors import LogFileError, Unreadable


_FREE = 100 * 1024 * 1024
_FREE_ENTRIES = 100_000
_BYTES_OF_ENTRY = 4
"""A line of a log has ten bytes or more once compressed."""
_MOST_RATIO = 250
"""Log files inflate to ten or twenty times their size, deflate's most is a thousand, and twice a million."""


@dataclass(slots=True)
class Guard:
    """Counts what is read of a file and what comes out of it at any depth. Raises LogFileError for a bomb.

    Memory does not grow with either, so what is bounded is time: in proportion to what somebody really stored.
    """

    given: int = 0
    made: int = 0
    without_record: int = 0

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces of the file itself."""
        for piece in pieces:
            self.given += len(piece)
            yield piece

    def check(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Blocks that came out of a compression."""
        for block in blocks:
            self.made += len(block)
            if self.made > max(_FREE, self.given * _MOST_RATIO):
                bomb = f"log file inflates to more than {_MOST_RATIO} times its size: it is taken for a bomb"
                raise LogFileError(bomb, Unreadable.TOO_LARGE)
            yield block

    def passed(self, entries: int) -> None:
        """So many entries were read that are no record."""
        self.without_record += entries
        if self.without_record > max(_FREE_ENTRIES, self.given // _BYTES_OF_ENTRY):
            bomb = f"log file has {self.without_record} entries that are no record in few bytes: it is taken for a bomb"
            raise LogFileError(bomb, Unreadable.TOO_LARGE)


class Stream:
    """Bytes, read once. `peek` looks ahead without reading: where the pieces break off, reading up to there is told.

    unended: whether the last line is through, and had no end.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._ahead = b""
        self.unended = False

    def peek(self, size: int) -> bytes:
        """The next bytes, as many as asked for or as there are; maybe more."""
        parts, length = [self._ahead], len(self._ahead)
        while length < size:
            try:
                piece = next(self._pieces, None)
            except LogFileError as error:
                if not length:
                    raise
                self._pieces = broken_off(error)
                break
            if piece is None:
                break
            parts.append(piece)
            length += len(piece)
        self._ahead = b"".join(parts)
        return self._ahead

    def skip_blank(self) -> None:
        """Pass over white space."""
        while self._ahead or self.peek(1):
            self._ahead = self._ahead.lstrip()
            if self._ahead:
                return

    def __iter__(self) -> Iterator[bytes]:
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            yield ahead
        yield from self._pieces

    def read(self, size: int = -1) -> bytes:
        """As of a file, for libraries that read one: exactly so many bytes unless there are fewer, -1 for all."""
        if size < 0:
            return b"".join(self)
        found = self.peek(size)
        self._ahead = found[size:]
        return found[:size]

    def lines(self, most: int) -> Iterator[bytes]:
        """Lines without their ends; one longer than `most` bytes is cut there, and the rest of it is dropped."""
        rest = b""
        dropping = False
        for piece in self:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                if not dropping:
                    yield line[:most]
                dropping = False
            if len(rest) > most:
                if not dropping:
                    yield rest[:most]
                rest, dropping = b"", True
        self.unended = bool(rest)
        if rest and not dropping:
            yield rest
