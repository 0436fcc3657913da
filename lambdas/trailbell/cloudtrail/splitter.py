"""A log file's text is cut into the entries of its Records without being parsed.

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
# Up to and with the next bracket, if there is one in the text at hand; whole strings on the way are passed over.
_STEP = re.compile(rb'(?:[^"{}\[\]]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([{}\[\]]?)', re.DOTALL)
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]*+")


@dataclass(frozen=True, slots=True)
class Entry:
    """The text of one entry of Records; of one that is too long only the start, with `whole` False."""

    text: bytes
    whole: bool = True


class Splitter:
    """The text of a log file, from block to block. `at` is the next byte to read in `text`, `size` counts all.

    Everything else at the top level is passed over. If Records stands there twice, the entries of both are
    given: nothing may be lost. Every method raises LogFileError where the text cannot be a log file's.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._has_records = False
        self.text = b""
        self.at = 0
        self.size = 0

    def open(self) -> bool:
        """Read up to the first entry of Records; False if the log file has none."""
        while len(self.text) < len(_BOM) and self.more():
            pass
        if self.text.startswith(_BOM):
            self.at = len(_BOM)
        if self._peek() != b"{":
            raise self._broken("is no JSON object")
        self.at += 1
        return self._find_records(ended=self._ends())

    def take(self) -> Entry:
        """Take the entry at hand."""
        return self._value(MAX_ENTRY_BYTES)

    def go_on(self) -> bool:
        """After an entry: go to the next one; False at the end of the log file."""
        if self._expect(b",]") == b",":
            return True
        return self._find_records(ended=self._expect(b",}") == b"}")

    def more(self) -> bool:
        """Get the next block and let go of what was read; False at the end."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self.size += len(block)
        self.text = self.text[self.at :] + block
        self.at = 0
        return True

    def _find_records(self, *, ended: bool) -> bool:
        """Go through the members of the document, from the name of one, to an entry of Records or the end."""
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
            raise LogFileError("log file has no Records: it is JSON, but not from CloudTrail")
        return False

    def _opens_list(self) -> bool:
        """Enter the list that is Records; False if it is empty."""
        if self._peek() != b"[":
            kind = type(_parsed(self._value(MAX_ENTRY_BYTES).text)).__name__
            raise LogFileError(f"log file's Records is a JSON {kind}, not a list")
        self.at += 1
        if self._peek() != b"]":
            return True
        self.at += 1
        return False

    def _ends(self) -> bool:
        """Whether the object that was just opened ends at once."""
        if self._peek() != b"}":
            return False
        self.at += 1
        return True

    def _peek(self) -> bytes:
        """The next byte that is not white space, b"" at the end."""
        while True:
            gap = _GAP.match(self.text, self.at)
            self.at = gap.end() if gap else self.at
            if self.at < len(self.text):
                return self.text[self.at : self.at + 1]
            if not self.more():
                return b""

    def _expect(self, allowed: bytes) -> bytes:
        """Take the next byte, which must be one of these."""
        byte = self._peek()
        if not byte:
            raise self._broken("ends too early")
        if byte not in allowed:
            raise self._broken(f"has {byte!r} where one of {allowed!r} belongs")  # no more: it may be a secret
        self.at += 1
        return byte

    def _value(self, keep: int) -> Entry:
        """Take the value at hand; of one longer than `keep` bytes only so much is kept."""
        first = self._peek()
        if first and first in b'"{[':
            return self._nested(keep)
        start = b""
        while True:
            scalar = _SCALAR.match(self.text, self.at)
            end = scalar.end() if scalar else self.at
            start += self.text[self.at : end]
            self.at = end
            if end < len(self.text) or not self.more():
                break
            start = start[: keep + 1]
        if not start:
            raise self._broken("has no value where one belongs" if first else "ends too early")
        return Entry(start[:keep], len(start) <= keep)

    def _nested(self, keep: int) -> Entry:
        """Take a string, an object or a list: up to the bracket or quote that closes it."""
        start: bytes | None = None
        in_string = self.text[self.at : self.at + 1] == b'"'
        depth, position = 0, self.at + in_string
        while True:
            depth, position, in_string, ended = _scan(self.text, position, depth, in_string)
            if ended:
                break
            if position - self.at > keep:  # too long to be kept: remember the start, let go of what was seen
                start = self.text[self.at : self.at + keep] if start is None else start
                self.at = position
            position -= self.at
            if not self.more():
                raise self._broken("ends too early")
        value, self.at = self.text[self.at : position], position
        if start is None and len(value) <= keep:
            return Entry(value)
        return Entry(value[:keep] if start is None else start, whole=False)

    def _broken(self, how: str) -> LogFileError:
        where = self.size - len(self.text) + self.at
        return LogFileError(f"log file is not valid JSON: it {how} (byte {where})")


def _scan(text: bytes, position: int, depth: int, in_string: bool) -> tuple[int, int, bool, bool]:
    """Go on in a value: (depth, position, whether in a string, whether the value ended)."""
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
        else:  # the quote of a string that does not end in the text at hand
            in_string, position = True, position + 1


def _parsed(value: bytes) -> object:
    """A JSON value that was cut out; a text that is no name where it cannot be parsed."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return "nothing that can be read"
