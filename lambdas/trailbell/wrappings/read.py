"""Records of CloudTrail in whatever they come in, as the text of one log file, which is matched as any other.

Recognised by content, never by name. What is a log file as CloudTrail writes it is handed on as it is.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from trailbell.cloudtrail.inflate import GZIP_WBITS, INFLATE_ERRORS, decompressobj
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES


# The beginning of a log file of CloudTrail's own; more than these bytes are never needed to see it.
_PLAIN = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"Records"\s*:\s*\[\s*(?:\{\s*"eventVersion"|\]\s*\}\s*\Z)')
_LOOK = 160
_LOOK_PACKED = 1024
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


def log_text(pieces: Iterable[bytes]) -> LogText:
    """The log file that a file's content is or holds. Reading it raises LogFileError for what holds no records."""
    following = iter(pieces)
    first = next(following, b"")
    while len(first) < _LOOK_PACKED and (piece := next(following, None)) is not None:
        first += piece
    whole = chain((first,), following) if first else following
    if not first or _is_plain(first):
        return LogText(whole)
    from trailbell.wrappings.unwrap import Unwrapping  # here, as log files of CloudTrail need none of it

    text = LogText((), _UNLIMITED)
    text.pieces = Unwrapping(text.notes).text(whole)
    return text


def _is_plain(first: bytes) -> bool:
    head = first[:_LOOK]
    if first.startswith(_GZIP):
        try:
            head = decompressobj(GZIP_WBITS).decompress(first[:_LOOK_PACKED], _LOOK)
        except INFLATE_ERRORS:
            return True  # the reader of log files says what is wrong
    return bool(_PLAIN.match(head))
