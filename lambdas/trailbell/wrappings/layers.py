"""Layers around a text: compressions and encodings, in any order and number, recognised by how they begin.

https://www.rfc-editor.org/rfc/rfc1952 (gzip) https://sourceware.org/bzip2/ https://tukaani.org/xz/xz-file-format.txt
https://www.rfc-editor.org/rfc/rfc8878 (zstd) https://www.unicode.org/faq/utf_bom.html
"""

import codecs
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trailbell.cloudtrail.inflate import inflate
from trailbell.errors import LogFileError
from trailbell.wrappings.stream import Guard, Stream


_MOST_LAYERS = 8
_HEAD = 512
_UNLIMITED = 1 << 62  # the guard's limit is lower
_BLOCK = 96 * 1024
_XZ_MEMORY = 256 * 1024 * 1024

_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
_MARKS = (  # the longer before those that begin alike
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ELSEWHERE = {
    b"\x04\x22\x4d\x18": ("compressed by lz4", "lz4 -dc FILE | trailbell scan -"),
    b"\xff\x06\x00\x00sNaPpY": ("compressed by snappy", "snzip -dc FILE | trailbell scan -"),
}


def peeled(stream: Stream, guard: Guard) -> Stream:
    """The innermost stream: neither compressed nor in another encoding than UTF-8, or an archive.

    Raises LogFileError for what is compressed in a way that cannot be read here, with the line that unwraps it.
    """
    for _ in range(_MOST_LAYERS):
        opened = _opener(stream.peek(_HEAD))
        if opened is None:
            return stream
        stream = Stream(guard.check(opened(stream)))
    raise LogFileError(f"log file is wrapped more than {_MOST_LAYERS} times")


def _opener(head: bytes) -> Callable[[Iterable[bytes]], Iterator[bytes]] | None:
    """What takes the outermost layer off; None if there is none."""
    if head.startswith(_GZIP):
        return lambda pieces: inflate(pieces, _UNLIMITED)
    if head.startswith(_BZIP2) and head[4:10] == b"1AY&SY":
        return _unbzip2
    if head.startswith(_XZ):
        return _unxz
    if head.startswith(_ZSTD):
        return _unzstd
    for magic, (what, line) in _ELSEWHERE.items():
        if head.startswith(magic):
            raise LogFileError(f"log file is {what}, which is not read here: {line}")
    encoding = _encoding(head)
    return (lambda pieces: _decoded(pieces, encoding)) if encoding else None


def _encoding(head: bytes) -> str:
    """The encoding of a text that is not plain UTF-8, "" for all else."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    # Without a mark: JSON and words begin with ASCII, whose other bytes are zero.
    if len(head) >= 4 and head[0] and not head[1] and head[2] and not head[3]:
        return "utf-16-le"
    if len(head) >= 4 and not head[0] and head[1] and not head[2] and head[3]:
        return "utf-16-be"
    return ""


def _decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass" if encoding.startswith("utf-16") else "strict")
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise LogFileError(f"log file is not valid {encoding}: {error.reason}") from None


def _unbzip2(pieces: Iterable[bytes]) -> Iterator[bytes]:
    import bz2  # here, as few files need it

    yield from _unpacked(pieces, bz2.BZ2Decompressor, (OSError, ValueError), "bzip2")


def _unxz(pieces: Iterable[bytes]) -> Iterator[bytes]:
    import lzma

    def unpacker() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    yield from _unpacked(pieces, unpacker, (lzma.LZMAError,), "xz")


def _unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """By the standard library, which has it from Python 3.14 on."""
    try:
        from compression import zstd
    except ImportError:
        line = "zstd -dc FILE | trailbell scan -"
        raise LogFileError(f"log file is compressed by zstd, which this Python cannot read: {line}") from None
    yield from _unpacked(pieces, zstd.ZstdDecompressor, (zstd.ZstdError,), "zstd")


def _unpacked(
    pieces: Iterable[bytes], new: Callable[[], Any], errors: tuple[type[Exception], ...], name: str
) -> Iterator[bytes]:
    """What is packed in one stream, or in several one after the other, as tools that use several processors do."""
    unpacker = new()
    for piece in pieces:
        fed = piece
        while fed or not (unpacker.eof or unpacker.needs_input):
            if unpacker.eof:
                unpacker = new()
            try:
                block = unpacker.decompress(fed, _BLOCK)
            except errors as error:
                raise LogFileError(f"log file is not valid {name}: {error}") from None
            if block:
                yield block
            fed = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise LogFileError(f"log file is cut off: its {name} stream has no end")


def gunzipped(content: bytes, most: int) -> bytes:
    """What gzip made of some bytes in memory. Raises LogFileError if it is not valid, or larger than `most`."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        found = unpacker.decompress(content, most)
    except zlib.error as error:
        raise LogFileError(f"gzip inside of JSON is not valid: {error}") from None
    if not unpacker.eof:
        raise LogFileError(f"gzip inside of JSON is cut off, or inflates to more than {most} bytes")
    return found
