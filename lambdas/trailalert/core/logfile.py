"""A log file is gzipped JSON, `{"Records": [...]}`; reading one is bounded, because anybody may have written it.

A log file is at most 50 MB before compression, a record at most 256 KB.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trailalert.errors import LogFileError


# Twice what CloudTrail writes. Parsed, JSON takes about four times its size, so this fits the
# detector's memory (infra/functions.py) while 200 MB that inflate from 200 KB do not get that far.
MAX_INFLATED_BYTES = 100 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WBITS = zlib.MAX_WBITS | 16
_INFLATE_STEP = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BadRecord:
    """An entry of Records that is no record: its position, what is wrong with it, and the start of its text."""

    index: int
    reason: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file's records as (position, fields), in file order, and what stood between them but is none."""

    records: tuple[tuple[int, dict[str, Any]], ...]
    bad: tuple[BadRecord, ...]
    inflated_bytes: int


def read_log_file(body: Iterable[bytes], max_bytes: int = MAX_INFLATED_BYTES) -> LogFile:
    """Inflate and parse the pieces of an object's body (gzipped, or plain JSON).

    A broken entry among good ones costs only itself: it is listed in `bad`.
    Raises LogFileError when the whole is not a log file: not gzip, cut off, larger than `max_bytes` once
    inflated, not JSON, or without a list of Records.
    """
    content = inflate(body, max_bytes)
    entries = _entries(content)
    records: list[tuple[int, dict[str, Any]]] = []
    bad: list[BadRecord] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            records.append((index, entry))
        else:
            bad.append(BadRecord(index, f"record is a JSON {type(entry).__name__}, not an object"))
    return LogFile(tuple(records), tuple(bad), len(content))


def inflate(body: Iterable[bytes], max_bytes: int) -> bytes:
    """Join the pieces, inflating gzip members; raise LogFileError past `max_bytes` or on broken gzip."""
    pieces = iter(body)
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= len(_GZIP_MAGIC):
            break
    if not first:
        raise LogFileError("log file is empty (0 bytes)")
    out = bytearray()
    inflater = _Inflater(out, max_bytes) if first.startswith(_GZIP_MAGIC) else _Plain(out, max_bytes)
    inflater.feed(first)
    for piece in pieces:
        inflater.feed(piece)
    inflater.close()
    return bytes(out)


class _Plain:
    """A body that is not compressed, passed on."""

    def __init__(self, out: bytearray, max_bytes: int) -> None:
        self._out, self._max_bytes = out, max_bytes

    def feed(self, piece: bytes) -> None:
        self._out += piece
        if len(self._out) > self._max_bytes:
            raise LogFileError(f"log file is larger than the limit of {self._max_bytes} bytes")

    def close(self) -> None:
        pass


class _Inflater(_Plain):
    """One gzip member after the other (RFC 1952, section 2.2), in steps small enough to stop a bomb."""

    def __init__(self, out: bytearray, max_bytes: int) -> None:
        super().__init__(out, max_bytes)
        self._member = zlib.decompressobj(_GZIP_WBITS)

    def feed(self, piece: bytes) -> None:
        while piece:
            if self._member.eof:
                piece = piece.lstrip(b"\0")  # some writers pad the last block with zeros
                if not piece:
                    return
                self._member = zlib.decompressobj(_GZIP_WBITS)
            try:
                inflated = self._member.decompress(piece, _INFLATE_STEP)
            except zlib.error as error:
                raise LogFileError(f"log file is not valid gzip: {error}") from None
            super().feed(inflated)
            piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def close(self) -> None:
        if not self._member.eof:
            raise LogFileError("log file is cut off: its gzip stream has no end")


def _entries(content: bytes) -> list[Any]:
    try:
        document = json.loads(content)
    except RecursionError:
        raise LogFileError("log file is nested too deeply to be parsed") from None
    except ValueError as error:  # malformed JSON, invalid UTF-8, a number of thousands of digits
        raise LogFileError(f"log file is not valid JSON: {error}") from None
    if not isinstance(document, dict) or "Records" not in document:
        raise LogFileError("log file has no Records: it is JSON, but not from CloudTrail")
    entries = document["Records"]
    if not isinstance(entries, list):
        raise LogFileError(f"log file's Records is a JSON {type(entries).__name__}, not a list")
    return entries
