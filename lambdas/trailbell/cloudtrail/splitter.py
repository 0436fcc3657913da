"""The splitter cuts a log file's text into the entries of its Records, one by one or in blocks, without parsing them.

One broken record costs only itself, and memory is bounded by the longest (json_text.py).
"""

from collections.abc import Iterator

from trailbell.cloudtrail.json_text import Entry, JsonText, broken_off, parsed
from trailbell.errors import LogFileError


# Four times what CloudTrail lets a record have.
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
MAX_ENTRY_BYTES = 1024 * 1024
_MAX_NAME = 40

# How one record ends and the next begins as CloudTrail writes them. No string can contain it, because quotes are
# escaped there; if it occurs deeper than between two records, the block is not valid JSON and the prefilter refuses it.
_BOUNDARY = b'},{"eventVersion":'

# How log files begin and end as CloudTrail writes them.
_BEGINNING = b'{"Records":['
_END = b"]}"
_MAX_ENDING = 16
_SPACE = b" \t\r\n"


class Splitter(JsonText):
    """A log file's text, read in blocks, with a cursor before an entry of Records.

    Members of the document other than Records are skipped. If Records occurs twice, the entries of both are given:
    nothing may be lost; so are those of log files that were joined. Every method raises LogFileError where the text
    cannot be that of a log file.

        while splitter.advance():
            records = splitter.take_block()      # many entries, or None
            entry = splitter.take()              # one entry
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__(blocks)
        self._is_open = False
        self._has_records = False
        self._is_first = True

    def advance(self) -> bool:
        """Go to the first entry of Records, or to the next after one that was taken; False if there is none."""
        if not self._is_open:
            self._is_open = True
            return self._open()
        if self._is_at_end():
            return False
        if self.expect(b",]") == b",":
            return True
        return self._find_records(ended=self.expect(b",}") == b"}")

    def take(self) -> Entry:
        """Take the entry at the cursor."""
        return self.value(MAX_ENTRY_BYTES)

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
        ending = self._buffer[-_MAX_ENDING:]  # not the whole buffer: white space is cut off by copying
        end = len(self._buffer) - len(ending) + len(ending.rstrip(_SPACE)) - len(_END)
        is_end = self._at < end <= self._at + MAX_ENTRY_BYTES and self._buffer.startswith(_END, end)
        if is_end and not self._can_read_more():
            return end  # all that is left: mostly a small log file as a whole
        while True:
            boundary = self._buffer.rfind(_BOUNDARY, self._at)
            if boundary >= 0:
                return boundary + 1
            if len(self._buffer) - self._at > MAX_ENTRY_BYTES or not self._can_read_more():
                break
        end = len(self._buffer.rstrip(_SPACE)) - len(_END)
        return end if end > self._at and self._buffer.startswith(_END, end) else None

    def _is_at_end(self) -> bool:
        """Whether nothing is left but the brackets that end a log file. What is left otherwise is not touched."""
        is_near = len(self._buffer) - self._at <= _MAX_ENDING
        return is_near and self._buffer[self._at :].rstrip(_SPACE) == _END and not self.read_more()

    def _open(self) -> bool:
        self.skip_mark()
        start = self._at + len(_BEGINNING)
        if self._buffer.startswith(_BEGINNING, self._at) and self._buffer[start : start + 1] == b"{":
            self._at, self._has_records = start, True
            return True
        if self.peek() != b"{":
            raise self.broken("is no JSON object")
        self._at += 1
        return self._find_records(ended=self._ends())

    def _can_read_more(self) -> bool:
        """Read the next block; False at the end of the text, and where it breaks off.

        What is in the buffer then can still be taken; whoever goes on behind it is told why it broke off.
        """
        try:
            return self.read_more()
        except LogFileError as error:
            self._blocks = broken_off(error)
            return False

    def _find_records(self, *, ended: bool) -> bool:
        """From the name of a member of the document go to the first entry of Records, or to the end."""
        while True:
            while not ended:
                name = self.value(_MAX_NAME).text if self.peek() == b'"' else b""
                self.expect(b":")
                if name and parsed(name) == "Records":
                    self._has_records = True
                    if self._opens_list():
                        return True
                else:
                    self.value(0)
                ended = self.expect(b",}") == b"}"
            if not self._has_records:
                no_records = "log file has no Records: it is JSON, but not from CloudTrail"
                raise LogFileError(no_records, foreign=self._is_first)
            if not self.peek():
                return False
            if self.peek() != b"{":
                raise self.broken("goes on after its end")
            self._is_first = self._has_records = False  # log files one after the other, as `cat` joins them
            self._at += 1
            ended = self._ends()

    def _opens_list(self) -> bool:
        """Enter the list that is Records; False if it is empty."""
        if self.peek() != b"[":
            kind = type(parsed(self.value(MAX_ENTRY_BYTES).text)).__name__
            raise LogFileError(f"log file's Records is a JSON {kind}, not a list")
        self._at += 1
        if self.peek() != b"]":
            return True
        self._at += 1
        return False

    def _ends(self) -> bool:
        """Whether the object that was just opened ends at once."""
        if self.peek() != b"}":
            return False
        self._at += 1
        return True
