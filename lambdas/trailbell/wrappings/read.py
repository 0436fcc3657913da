"""Records of CloudTrail in whatever they come in, as the text of one log file, which is matched as any other.

Recognised by content, never by name. What is a log file as CloudTrail writes it is handed on as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.json_text import broken_off
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES, Fields, MalformedRecord, read_records
from trailbell.errors import LogFileError
from trailbell.wrappings.plain import LOOK, is_plain
from trailbell.wrappings.stream import Guard


_GZIP = b"\x1f\x8b"
_UNLIMITED = 1 << 62  # what is unwrapped has a limit of its own (stream.py)


@dataclass(slots=True)
class LogText:
    """The content of a log file, in pieces, for the reader of log files.

    max_bytes: how large it may become once inflated.
    notes: what was passed over on the way; complete when the pieces are through.
    """

    pieces: Iterable[bytes]
    max_bytes: int = MAX_INFLATED_BYTES
    notes: list[str] = field(default_factory=list)


def wrapped_records(pieces: Iterable[bytes]) -> Iterator[Fields | MalformedRecord]:
    """Every record of a file's content, in its order. Raises LogFileError where that is none, as `log_text`."""
    text = log_text(pieces)
    return read_records(text.pieces, text.max_bytes)


def log_text(pieces: Iterable[bytes]) -> LogText:
    """The log file that a file's content is or holds. This, or reading it, raises LogFileError where that is none.

    gzip is taken off here, and only once: the reader of log files passes on what is not compressed.
    """
    guard = Guard()
    stream = guard.counted(pieces)
    first = next(stream, b"")
    while len(first) < len(_GZIP) and (piece := next(stream, None)) is not None:
        first += piece
    if not first:
        return LogText(stream)
    content: Iterator[bytes] = chain((first,), stream)
    if first.startswith(_GZIP):
        content = inflate(content, _UNLIMITED)
    first, content = _beginning(content)
    if is_plain(first):
        return LogText(content)
    from trailbell.wrappings.unwrap import Unwrapping  # here, as log files of CloudTrail need none of it

    text = LogText((), _UNLIMITED)
    text.pieces = Unwrapping(text.notes, guard).text(content)
    return text


def _beginning(content: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Enough of a content to recognise it by, and all of it. Where that breaks off, whoever reads on is told."""
    first = b""
    try:
        while len(first) < LOOK and (piece := next(content, None)) is not None:
            first += piece
    except LogFileError as error:
        content = broken_off(error)
    return first, chain((first,), content)
