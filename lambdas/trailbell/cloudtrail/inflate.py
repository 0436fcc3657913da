"""An object's body is inflated block by block: one block in memory at a time, and no more than a limit in all.

Log content is hostile: two hundred kilobytes can inflate to two hundred megabytes. ISA-L does the inflating
where its wheel is installed (Lambda, the checkout): the same result as zlib in half the time
(docs/performance.md).
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from trailbell.errors import LogFileError, Unreadable


decompressobj: Any
INFLATE_ERRORS: Any
try:
    from isal.igzip_lib import IsalError
    from isal.isal_zlib import decompressobj
except ImportError:  # the pure rooms run on the standard library alone
    decompressobj, INFLATE_ERRORS = zlib.decompressobj, (zlib.error,)
else:
    INFLATE_ERRORS = (zlib.error, IsalError)

_GZIP_MAGIC = b"\x1f\x8b"
GZIP_WBITS = zlib.MAX_WBITS | 16
_BLOCK = 96 * 1024  # stays in the processor's cache, and the allocator hands out the same memory again
_FED = 12 * 1024  # zlib copies the unused input at every step, so it is given little at a time


def inflate(body: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """The content of a body (gzipped, in one member or several, or not compressed) in blocks of some 100 KB.

    Raises LogFileError on an empty body, past `max_bytes`, and on broken or cut-off gzip.
    """
    pieces = iter(body)
    first = b""
    for piece in pieces:
        first += piece
        if len(first) >= len(_GZIP_MAGIC):
            break
    if not first:
        raise LogFileError("log file is empty (0 bytes)")
    blocks = _gunzip if first.startswith(_GZIP_MAGIC) else _plain
    size = 0
    for block in blocks(_chain(first, pieces)):
        size += len(block)
        if size > max_bytes:
            too_large = f"log file is larger than the limit of {max_bytes} bytes (setting max_inflated_mb)"
            raise LogFileError(too_large, Unreadable.TOO_LARGE)
        yield block


def _chain(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces


def _plain(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for at in range(0, len(piece), _BLOCK):
            yield piece[at : at + _BLOCK]


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip member after the other (RFC 1952, section 2.2)."""
    member = decompressobj(GZIP_WBITS)
    for piece in pieces:
        for at in range(0, len(piece), _FED):
            fed = piece[at : at + _FED]
            while fed:
                if member.eof:
                    fed = fed.lstrip(b"\0")  # some writers pad the last block with zeros
                    if not fed:
                        break
                    member = decompressobj(GZIP_WBITS)
                try:
                    block = member.decompress(fed, _BLOCK)
                except INFLATE_ERRORS as error:
                    raise LogFileError(f"log file is not valid gzip: {error}") from None
                if block:
                    yield block
                fed = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise LogFileError("log file is cut off: its gzip stream has no end")
