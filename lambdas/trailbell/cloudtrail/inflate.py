"""An object's body is inflated block by block: one block in memory at a time, and no more than a limit in all.

Log content is hostile: two hundred kilobytes can inflate to two hundred megabytes. ISA-L does the inflating
where its wheel is installed (Lambda, the checkout): the same result as zlib in half the time
(docs/performance.md).
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from trailbell.errors import LogFileError, Unreadable


decompressobj: Any
INFLATE_ERRORS: Any
IgzipDecompressor: Any
try:
    from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError
    from isal.isal_zlib import decompressobj
except ImportError:  # the pure rooms run on the standard library alone
    decompressobj, INFLATE_ERRORS, IgzipDecompressor = zlib.decompressobj, (zlib.error,), None
else:
    INFLATE_ERRORS = (zlib.error, IsalError)

_GZIP_MAGIC = b"\x1f\x8b"
GZIP_WBITS = zlib.MAX_WBITS | 16
_BLOCK = 96 * 1024  # stays in the processor's cache, and the allocator hands out the same memory again
_FED = 64 * 1024  # what is not used yet of it is copied, by ISA-L once, by zlib at every step


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


class _GzipMember(Protocol):
    """One gzip member, inflated step by step. What is not used yet of the input is kept here: as objects of any size it
    would lie between the blocks, and in the end there would be no room for a block between what malloc keeps of them.

    eof: the member has ended; unused_data: what follows it then.
    needs_input: all of the input was used, and the member has not ended.
    """

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """The next block; data: more input, none as long as none is needed."""


class _ZlibMember:
    """The same by zlib."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(GZIP_WBITS)

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def needs_input(self) -> bool:
        return not (self._member.eof or self._member.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._member.decompress(self._member.unconsumed_tail + data, max_length)


def _gzip_member() -> _GzipMember:
    member: _GzipMember = IgzipDecompressor(flag=DECOMP_GZIP) if IgzipDecompressor else _ZlibMember()
    return member


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """One gzip member after the other (RFC 1952, section 2.2)."""
    member = _gzip_member()
    for piece in pieces:
        for at in range(0, len(piece), _FED):
            fed = piece[at : at + _FED]
            while fed or not (member.needs_input or member.eof):
                if member.eof:
                    fed = fed.lstrip(b"\0")  # some writers pad the last block with zeros
                    if not fed:
                        break
                    member = _gzip_member()
                try:
                    block = member.decompress(fed, _BLOCK)
                except INFLATE_ERRORS as error:
                    raise LogFileError(f"log file is not valid gzip: {error}") from None
                if block:
                    yield block
                fed = member.unused_data if member.eof else b""
    if not member.eof:
        raise LogFileError("log file is cut off: its gzip stream has no end")
