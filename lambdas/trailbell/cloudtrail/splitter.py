"""The splitter cuts a log file's text into the entries of its Records, one by one or in blocks, without parsing them.

Brackets outside strings say where an entry ends, whatever else is wrong with it: so one broken record costs
only itself, and memory is bounded by the longest. JSON's grammar: RFC 8259, section 2.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from trailbell.errors import LogFileError


# Four times what CloudTrail lets a record have.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
MAX_ENTRY_BYTES = 1024 * 1024
_MAX_NAME = 40

_BOM = b"\xef\xbb\xbf"
_GAP = re.compile(rb"[ \t\n\r]*+")
# How one record ends and the next begins as CloudTrail writes them. No string can contain it, because quotes are
# escaped there; if it occurs deeper than between two records, the block is not valid JSON and the prefilter refuses it.
_BOUNDARY = b'},{"eventVersion":'
# Up to and including the next bracket, if there is one in the buffer; whole strings before it are skipped.
_STEP = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([{}\[\]]?)', re.DOTALL)
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]*+")


@dataclass(frozen=True, slots=True)
class Entry:
    """The text of one entry of Records; of one that is too long only the start, with `whole` False."""

    text: bytes
    whole: bool = True


class Splitter:
    """A log file's text, read in blocks, with a cursor before an entry of Records.

    Members of the document other than Records are skipped. If Records occurs twice, the entries of both are given:
    nothing may be lost. Every method raises LogFileError where the text cannot be that of a log file.

        while splitter.advance():
            records = splitter.take_block()      # many entries, or None
            entry = splitter.take()              # one entry

    bytes_read: the size of the text so far.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._is_open = False
        self._has_records = False
        self._buffer = b""
        self._at = 0  # the next byte to read in the buffer
        self.bytes_read = 0

    def advance(self) -> bool:
        """Go to the first entry of Records, or to the next after one that was taken; False if there is none."""
        if not self._is_open:
            self._is_open = True
            return self._open()
        if self._expect(b",]") == b",":
            return True
        return self._find_records(ended=self._expect(b",}") == b"}")

    def take(self) -> Entry:
        """Take the entry at the cursor."""
        return self._value(MAX_ENTRY_BYTES)

    def take_block(self) -> bytes | None:
        """Take all whole entries that the buffer holds, as a JSON list; None where it is not clear where one ends.

        Nobody has looked inside: the list may be invalid JSON. Then `put_back` it and take its entries one by one.
        """
        end = self._end_of_block()
        if end is None:
            return None
        block = b"".join((b"[", memoryview(self._buffer)[self._at : end], b"]"))
        self._at = end
        return block

    def put_back(self, block: bytes) -> None:
        """Return the cursor to before the block that was taken last."""
        self._at -= len(block) - len(b"[]")

    def _end_of_block(self) -> int | None:
        """Where the last entry ends that the buffer holds whole; None if that is not clear."""
        while True:
            boundary = self._buffer.rfind(_BOUNDARY, self._at)
            if boundary >= 0:
                return boundary + 1
            if len(self._buffer) - self._at > MAX_ENTRY_BYTES or not self._can_read_more():
                break
        end = len(self._buffer.rstrip(b" \t\r\n")) - len(b"]}")
        return end if end > self._at and self._buffer.startswith(b"]}", end) else None

    def _open(self) -> bool:
        while len(self._buffer) < len(_BOM) and self._read_more():
            pass
        if self._buffer.startswith(_BOM):
            self._at = len(_BOM)
        if self._peek() != b"{":
            raise self._broken("is no JSON object")
        self._at += 1
        return self._find_records(ended=self._ends())

    def _can_read_more(self) -> bool:
        """Read the next block; False at the end of the text, and where it breaks off.

        What is in the buffer then can still be taken; whoever goes on behind it is told why it broke off.
        """
        try:
            return self._read_more()
        except LogFileError as error:
            self._blocks = _broken_off(error)
            return False

    def _read_more(self) -> bool:
        """Read the next block and drop what was taken; False at the end of the text."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self.bytes_read += len(block)
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return True

    def _find_records(self, *, ended: bool) -> bool:
        """From the name of a member of the document go to the first entry of Records, or to the end."""
        while not ended:
            name = self._value(_MAX_NAME).text if self._peek() == b'"' else b""
            self._expect(b":")
            if name and _parsed(name) == "Records":
                self._has_records = True
                if self._opens_list():
                    return True
            else:
                self._value(0)
            ended = self._expect(b",}") == b"}"
        if self._peek():
            raise self._broken("goes on after its end")
        if not self._has_records:
            raise LogFileError("log file has no Records: it is JSON, but not from CloudTrail", foreign=True)
        return False

    def _opens_list(self) -> bool:
        """Enter the list that is Records; False if it is empty."""
        if self._peek() != b"[":
            kind = type(_parsed(self._value(MAX_ENTRY_BYTES).text)).__name__
            raise LogFileError(f"log file's Records is a JSON {kind}, not a list")
        self._at += 1
        if self._peek() != b"]":
            return True
        self._at += 1
        return False

    def _ends(self) -> bool:
        """Whether the object that was just opened ends at once."""
        if self._peek() != b"}":
            return False
        self._at += 1
        return True

    def _peek(self) -> bytes:
        """The next byte that is not white space, b"" at the end."""
        while True:
            gap = _GAP.match(self._buffer, self._at)
            self._at = gap.end() if gap else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._read_more():
                return b""

    def _expect(self, allowed: bytes) -> bytes:
        """Take the next byte, which must be one of these."""
        byte = self._peek()
        if not byte:
            raise self._broken("ends too early")
        if byte not in allowed:
            raise self._broken(f"has {byte!r} where one of {allowed!r} belongs")  # not what follows: it may be a secret
        self._at += 1
        return byte

    def _value(self, keep: int) -> Entry:
        """Take the value at the cursor; of one longer than `keep` bytes only the start is kept."""
        first = self._peek()
        if first and first in b'"{[':
            return self._nested(keep)
        start = b""
        while True:
            scalar = _SCALAR.match(self._buffer, self._at)
            end = scalar.end() if scalar else self._at
            start += self._buffer[self._at : end]
            self._at = end
            if end < len(self._buffer) or not self._read_more():
                break
            start = start[: keep + 1]
        if not start:
            raise self._broken("has no value where one belongs" if first else "ends too early")
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
            if not self._read_more():
                raise self._broken("ends too early")
        value, self._at = self._buffer[self._at : position], position
        if start is None and len(value) <= keep:
            return Entry(value)
        return Entry(value[:keep] if start is None else start, whole=False)

    def _broken(self, how: str) -> LogFileError:
        where = self.bytes_read - len(self._buffer) + self._at
        return LogFileError(f"log file is not valid JSON: it {how} (byte {where})")


def _broken_off(error: LogFileError) -> Iterator[bytes]:
    """No block, but the error that reading met before."""
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


def _parsed(value: bytes) -> object:
    """A JSON value that was cut out; where it cannot be parsed, a text that is the name of nothing."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return "nothing that can be read"
