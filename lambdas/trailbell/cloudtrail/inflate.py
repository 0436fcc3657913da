"""An object's body is inflated block by block: one block in memory at a time, and no more than a limit in all.

Log content is hostile: two hundred kilobytes can inflate to two hundred megabytes. ISA-L does the inflating
where its wheel is installed (Lambda, the checkout): the same result as zlib in half the time
(docs/performance.md). `inflate` gives blocks, `Inflated` writes into memory that it is given; both give the same.
"""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Protocol

from trailbell.errors import LogFileError, Unreadable


decompressobj: Any
INFLATE_ERRORS: Any
IgzipDecompressor: Any
_GzipReader: Any = None
"""Inflates a whole body into memory that it is given; None where there is no such thing."""
try:
    from isal import isal_zlib
    from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError
    from isal.isal_zlib import decompressobj
except ImportError:  # the pure rooms run on the standard library alone
    decompressobj, INFLATE_ERRORS, IgzipDecompressor = zlib.decompressobj, (zlib.error,), None
else:
    INFLATE_ERRORS = (zlib.error, IsalError)
    _GzipReader = getattr(isal_zlib, "_GzipReader", None)  # what isal.igzip reads with

_GZIP_MAGIC = b"\x1f\x8b"
GZIP_WBITS = zlib.MAX_WBITS | 16
_BLOCK = 96 * 1024  # stays in the processor's cache, and the allocator hands out the same memory again
_FED = 64 * 1024  # what is not used yet of it is copied, by ISA-L once, by zlib at every step
_AT_HAND = 512 * 1024  # of a body that comes in pieces: nearly all log files are smaller


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
            if size - max_bytes < len(block):
                yield block[: max_bytes - size]
            too_large = f"log file is larger than the limit of {max_bytes} bytes (setting max_inflated_mb)"
            raise LogFileError(too_large, Unreadable.TOO_LARGE)
        yield block


class Inflated:
    """The same content as `inflate` gives, written into memory of the reader's. The same errors, where it ends.

    A body that is at hand as a whole is inflated straight into it, which saves making each block and copying it. Where
    that cannot be, or fails, the content comes from `inflate`, which says why.
    """

    def __init__(self, body: Iterable[bytes], max_bytes: int) -> None:
        self._body, self._max_bytes = body, max_bytes
        self._given = 0
        self._reader: Any = None
        self._blocks: Iterator[bytes] | None = None
        self._rest: bytes | memoryview = b""

    def readinto(self, space: memoryview) -> int:
        """Write what comes next; the number of bytes, 0 at the end. Raises LogFileError as `inflate` does."""
        if self._reader is None and self._blocks is None:
            self._begin()
        if self._reader is None:
            return self._copy_into(space)
        try:
            size: int = self._reader.readinto(space)
        except (EOFError, OSError, *INFLATE_ERRORS):
            size = -1
        if size < 0 or self._given + size > self._max_bytes:
            self._reader, self._blocks = None, self._behind(self._given)
            return self._copy_into(space)
        self._given += size
        return size

    def __iter__(self) -> Iterator[bytes]:
        """What comes next, in blocks."""
        space = memoryview(bytearray(_BLOCK))
        while size := self.readinto(space):
            yield bytes(space[:size])

    def _begin(self) -> None:
        pieces, rest = _gathered(self._body)
        whole = b"".join(pieces) if rest is None else b""
        if _GzipReader and whole.startswith(_GZIP_MAGIC):
            self._body, self._reader = pieces, _GzipReader(whole)
        else:
            self._blocks = inflate(chain(pieces, rest or ()), self._max_bytes)

    def _behind(self, given: int) -> Iterator[bytes]:
        """The blocks of the content behind what was given."""
        for block in inflate(self._body, self._max_bytes):
            if len(block) > given:
                yield block[given:]
            given = max(given - len(block), 0)

    def _copy_into(self, space: memoryview) -> int:
        if not self._rest and self._blocks:
            self._rest = next(self._blocks, b"")
        taken = self._rest[: len(space)]
        space[: len(taken)] = taken
        self._rest = memoryview(self._rest)[len(taken) :]
        return len(taken)


def _gathered(body: Iterable[bytes]) -> tuple[list[bytes], Iterator[bytes] | None]:
    """The first pieces of a body, and those that are still to come, None if that is all."""
    pieces, size, rest = list[bytes](), 0, iter(body)
    try:
        for piece in rest:
            pieces.append(piece)
            size += len(piece)
            if size > _AT_HAND and len(pieces) > 1:
                return pieces, rest
    except Exception as error:  # raised in its turn, when what came before was read
        return pieces, _raising(error)
    return pieces, None


def _raising(error: Exception) -> Iterator[bytes]:
    raise error
    yield b""


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
