"""JSON text that comes in blocks, with a cursor: values are taken or passed over without being parsed.

Brackets outside strings say where a value ends, whatever else is wrong with it; memory is bounded by what is kept.
JSON's grammar: RFC 8259, section 2.
"""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from trailbell.errors import LogFileError


BOM = b"\xef\xbb\xbf"
_GAP = re.compile(rb"[ \t\n\r]*+")
# Up to and including the next bracket, if there is one in the buffer; whole strings before it are skipped.
_STEP = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([{}\[\]]?)', re.DOTALL)
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]*+")


class Entry(NamedTuple):
    """The text of a value; of one that is too long only the start, with `whole` False."""

    text: bytes
    whole: bool = True


class JsonText:
    """JSON text, read in blocks, with a cursor. Methods raise LogFileError where the text cannot be JSON.

    bytes_read: the size of the text so far.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._buffer = b""
        self._at = 0  # the next byte to read in the buffer
        self.bytes_read = 0

    def skip_mark(self) -> None:
        """Pass over a mark of byte order at the beginning."""
        while len(self._buffer) < len(BOM) and self.read_more():
            pass
        if self._buffer.startswith(BOM):
            self._at = len(BOM)

    def take_byte(self) -> None:
        """Take the byte that was just seen."""
        self._at += 1

    def read_more(self) -> bool:
        """Read the next block and drop what was taken; False at the end of the text."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self.bytes_read += len(block)
        if self._at < len(self._buffer):
            # Not `[at:] + block`: the rest as an object of its own, of another size each time, is what malloc keeps for
            # later once it is freed, and many of those leave no room between them that is as large as a block.
            block = b"".join((memoryview(self._buffer)[self._at :], block))
        self._buffer = block
        self._at = 0
        return True

    def peek(self) -> bytes:
        """The next byte that is not white space, b"" at the end."""
        while True:
            gap = _GAP.match(self._buffer, self._at)
            self._at = gap.end() if gap else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self.read_more():
                return b""

    def ahead(self, size: int) -> bytes:
        """The next bytes, fewer at the end of the text; they are not taken."""
        while len(self._buffer) - self._at < size and self.read_more():
            pass
        return self._buffer[self._at : self._at + size]

    def expect(self, allowed: bytes) -> bytes:
        """Take the next byte, which must be one of these."""
        byte = self.peek()
        if not byte:
            raise self.broken("ends too early")
        if byte not in allowed:
            raise self.broken(f"has {byte!r} where one of {allowed!r} belongs")  # not what follows: it may be a secret
        self._at += 1
        return byte

    def value(self, keep: int) -> Entry:
        """Take the value at the cursor; of one longer than `keep` bytes only the start is kept."""
        first = self.peek()
        if first and first in b'"{[':
            return self._nested(keep)
        start = b""
        while True:
            scalar = _SCALAR.match(self._buffer, self._at)
            end = scalar.end() if scalar else self._at
            start += self._buffer[self._at : end]
            self._at = end
            if end < len(self._buffer) or not self.read_more():
                break
            start = start[: keep + 1]
        if not start:
            raise self.broken("has no value where one belongs" if first else "ends too early")
        return Entry(start[:keep], len(start) <= keep)

    def _nested(self, keep: int) -> Entry:
        """Take a string, an object or a list, up to the bracket or quote that closes it."""
        start: bytes | None = None
        in_string = self._buffer[self._at : self._at + 1] == b'"'
        depth, position = 0, self._at + in_string
        while True:
            depth, position, in_string, ended = _scan(self._buffer, position, depth, in_string)
            if ended:
                break
            if position - self._at > keep:  # too long to be kept: keep its start, drop the rest as it is read
                start = self._buffer[self._at : self._at + keep] if start is None else start
                self._at = position
            position -= self._at
            if not self.read_more():
                raise self.broken("ends too early")
        value, self._at = self._buffer[self._at : position], position
        if start is None and len(value) <= keep:
            return Entry(value)
        return Entry(value[:keep] if start is None else start, whole=False)

    def broken(self, how: str) -> LogFileError:
        """The error for a text that is no JSON at the cursor."""
        where = self.bytes_read - len(self._buffer) + self._at
        return LogFileError(f"log file is not valid JSON: it {how} (byte {where})")


def broken_off(error: LogFileError) -> Iterator[bytes]:
    """No block, but the error that reading ahead met."""
    raise error
    yield b""


def _scan(text: bytes, position: int, depth: int, in_string: bool) -> tuple[int, int, bool, bool]:
    """Read on in a value: (depth, position, whether inside a string, whether the value ended)."""
    while True:
        if in_string:
            rest = _STRING_REST.match(text, position)
            position = rest.end() if rest else position
            if not (rest and rest[1]):
                return depth, position, True, False
            if not depth:
                return 0, position, False, True
        step = _STEP.match(text, position)
        position = step.end() if step else position
        if step and step[1]:
            depth += 1 if step[1] in b"{[" else -1
            if depth <= 0:
                return 0, position, False, True
            in_string = False
        elif position == len(text):
            return depth, position, False, False
        else:  # the quote of a string whose end is not in the buffer
            in_string, position = True, position + 1


def parsed(value: bytes) -> object:
    """A JSON value that was cut out; where it cannot be parsed, a text that is the name of nothing."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return "nothing that can be read"
