"""A splitter that inflates into memory which is used again, and gives blocks of records where they lie.

A block is valid until the splitter is asked for anything else: nothing is copied but the record that the memory ends
in. Whatever does not look as CloudTrail writes it is left to `Splitter`, which gives the same entries.
"""

from collections.abc import Iterator
from typing import Protocol

from trailbell.cloudtrail.json_text import Entry, broken_off
from trailbell.cloudtrail.splitter import BEGINNING, BOUNDARY, END, MAX_ENDING, MAX_ENTRY_BYTES, SPACE, Splitter
from trailbell.errors import LogFileError


_SPACE_BYTES = 128 * 1024  # stays in the processor's cache
_MIN_READ = 16 * 1024
_MAX_SPARE = 8
_OPENING, _CLOSING, _COMMA = b"[],"
_spare: list[bytearray] = []
"""Memory that no splitter uses now. To get it anew costs as much as inflating a small log file."""


class Content(Protocol):
    """What cloudtrail/inflate.py's Inflated is."""

    def readinto(self, space: memoryview, /) -> int:
        """Write what comes next; the number of bytes, 0 at the end."""

    def __iter__(self) -> Iterator[bytes]:
        """What comes next, in blocks."""


class BlockSplitter(Splitter):
    """A log file's text with a cursor, as Splitter has it; `close` it in the end.

    As long as blocks are taken, the text is in `_space` from `_at` to `_to`, and `_buffer` is empty. The byte before it
    is free: a block is made a JSON list by writing a bracket there, and one over the byte behind it.
    """

    def __init__(self, content: Content) -> None:
        self._content, self._content_blocks = content, iter(content)
        super().__init__(self._content_blocks)
        self._space = _spare.pop() if _spare else bytearray(_SPACE_BYTES)
        self._view = memoryview(self._space)
        self._at = self._to = 1
        self._in_place = True
        self._block: tuple[int, int, int] | None = None
        """The block that was taken last: where it starts and ends, and the byte that its bracket stands for."""

    def close(self) -> None:
        """Give the memory back. The last block is not valid any more."""
        if len(self._space) == _SPACE_BYTES and len(_spare) < _MAX_SPARE:
            _spare.append(self._space)
        self._space, self._block = bytearray(), None
        self._view = memoryview(self._space)
        self._at = self._to = 0

    def advance(self) -> bool:
        """As Splitter has it."""
        if self._in_place:
            self._end_block()
            if self._is_open and self._space[self._at] == _COMMA:  # a block leaves what is behind it
                self._at += 1
                return True
            if not self._is_open and self._begins():
                return True
            self._leave()
        return super().advance()

    def take(self) -> Entry:
        """As Splitter has it."""
        if self._in_place:
            self._leave()
        return super().take()

    def take_block(self) -> bytes | None:
        """As Splitter has it."""
        if self._in_place:
            self._leave()
        return super().take_block()

    def take_in_place(self) -> bytes | memoryview | None:
        """As `take_block`; of what is not bytes, the bytes are others as soon as the splitter is asked again."""
        end = self._end_in_place() if self._in_place or self._enter() else None
        if end is None:
            return self.take_block()
        start = self._at
        self._block = start, end, self._space[end]
        self._space[start - 1], self._space[end] = _OPENING, _CLOSING
        self._at = end
        return self._view[start - 1 : end + 1]

    def put_back(self, block: bytes | memoryview) -> None:
        """As Splitter has it."""
        if not self._in_place:
            super().put_back(block)
        elif self._block:
            self._at = self._block[0]
            self._leave()

    def _begins(self) -> bool:
        """Whether the text begins as CloudTrail's log files do; then the cursor is before the first entry."""
        self._fill()
        if not self._space.startswith(BEGINNING + b"{", self._at, self._to):
            return False
        self._at += len(BEGINNING)
        self._is_open = self._has_records = True
        return True

    def _end_in_place(self) -> int | None:
        """Where the last entry ends that is there as a whole; None if that is not clear."""
        if self._ending() is not None and not self._fill():
            return self._ending()  # all that is left: mostly a small log file as a whole
        while True:
            boundary = self._space.rfind(BOUNDARY, self._at, self._to)
            if boundary >= 0:
                return boundary + 1
            if self._to - self._at > MAX_ENTRY_BYTES or not self._fill():
                return self._ending()

    def _ending(self) -> int | None:
        """Where the last entry ends, if the text there ends as a log file."""
        ending = bytes(self._view[max(self._at, self._to - MAX_ENDING) : self._to])
        end = self._to - len(ending) + len(ending.rstrip(SPACE)) - len(END)
        is_end = self._at < end <= self._at + MAX_ENTRY_BYTES and self._space.startswith(END, end, self._to)
        return end if is_end else None

    def _fill(self) -> bool:
        """Read more; False at the end of the text, and where it breaks off: whoever goes on is told why."""
        if self._blocks is not self._content_blocks:
            return False
        self._make_room()
        try:
            size = self._content.readinto(self._view[self._to :])
        except LogFileError as error:
            self._blocks = broken_off(error)
            return False
        self._to += size
        self.bytes_read += size
        return size > 0

    def _make_room(self) -> None:
        """Move the text to the front if it is short or has to be, into more memory if it is long."""
        left, room = self._to - self._at, len(self._space) - self._to
        if left > _MIN_READ and room >= _MIN_READ:
            return
        space = self._space
        if len(space) - left - 1 < _MIN_READ:
            space = bytearray(2 * len(space))
        view = memoryview(space)
        view[1 : 1 + left] = self._view[self._at : self._to]
        self._space, self._view = space, view
        self._at, self._to = 1, 1 + left

    def _end_block(self) -> None:
        """Undo what was written over the text."""
        if self._block:
            _, end, byte = self._block
            self._space[end] = byte
            self._block = None

    def _leave(self) -> None:
        """Go on as Splitter does."""
        self._end_block()
        self._buffer, self._at, self._to = bytes(self._view[self._at : self._to]), 0, 1
        self._in_place = False

    def _enter(self) -> bool:
        """Go on in place; False where that cannot be."""
        left = memoryview(self._buffer)[self._at :]
        if self._blocks is not self._content_blocks or len(left) > _SPACE_BYTES // 2:
            return False
        self._view[1 : 1 + len(left)] = left
        self._buffer, self._at, self._to = b"", 1, 1 + len(left)
        self._in_place = True
        return True
