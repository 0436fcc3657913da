"""Records of CloudTrail in whatever they come in, as the text of one log file, which is matched as any other.

Recognised by content, never by name. What is a log file as CloudTrail writes it is handed on as it is.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES
from trailbell.cloudtrail.record import MEMBERS
from trailbell.wrappings.stream import Guard


# The beginning of a log file of CloudTrail's own: a member that envelopes do not have, whichever the writer put first.
_FIRST = "|".join(name for name in MEMBERS if name != "resources").encode()
_PLAIN = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"Records"\s*:\s*\[\s*(?:\{\s*"(?:%s)"|\]\s*\}\s*\Z)' % _FIRST)
_LOOK = 160
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
        first = next(content, b"")
        content = chain((first,), content)
    if _PLAIN.match(first, 0, _LOOK):
        return LogText(content)
    from trailbell.wrappings.unwrap import Unwrapping  # here, as log files of CloudTrail need none of it

    text = LogText((), _UNLIMITED)
    text.pieces = Unwrapping(text.notes, guard).text(content)
    return text
