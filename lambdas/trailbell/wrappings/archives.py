"""Archives: zip and tar, in any compression; their members as streams."""

import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from trailbell.errors import LogFileError
from trailbell.text.safe_text import one_line
from trailbell.wrappings.stream import Guard, Stream


_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_USTAR = slice(257, 262)
_IN_MEMORY = 32 * 1024 * 1024
_PIECE = 256 * 1024
# What zipfile, tarfile and what they unpack with raise on content that somebody made for them.
_NOT_VALID = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError),
    *(OverflowError, IndexError, KeyError),
)
_ENCRYPTED = 1


def is_zip(head: bytes) -> bool:
    """Whether a stream is a zip archive, by how it begins."""
    return head.startswith(_ZIP)


def is_tar(head: bytes) -> bool:
    """Whether a stream is a tar archive, by its first header (512 bytes)."""
    return head[_USTAR] == b"ustar"


def zip_members(stream: Stream, guard: Guard) -> Iterator[tuple[str, Stream]]:
    """The files of a zip archive, by their names. Its directory is at its end, so it is kept on the disk meanwhile."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
        for piece in stream:
            spool.write(piece)
        with _told("zip"), zipfile.ZipFile(cast(IO[bytes], spool)) as archive:
            for info in archive.infolist():
                if info.flag_bits & _ENCRYPTED:
                    raise LogFileError(f"{one_line(info.filename, 200)} in the archive is encrypted: unpack it first")
                if not info.is_dir():
                    with archive.open(info) as member:
                        yield info.filename, Stream(guard.check(_pieces(member, "zip")))


def tar_members(stream: Stream) -> Iterator[tuple[str, Stream]]:
    """The files of a tar archive, by their names, as they come."""
    with _told("tar"), tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content:
                yield member.name, Stream(_pieces(content, "tar"))
    for _ in stream:  # what is behind the archive's end is nothing, but may say that the file was cut off
        pass


@contextmanager
def _told(kind: str) -> Iterator[None]:
    """Raise LogFileError for whatever the libraries raise on an archive that is not valid."""
    try:
        yield
    except _NOT_VALID as error:
        raise LogFileError(f"log file is not a valid {kind} archive: {one_line(str(error), 200)}") from None


def _pieces(member: IO[bytes], kind: str) -> Iterator[bytes]:
    while True:
        with _told(kind):
            piece = member.read(_PIECE)
        if not piece:
            return
        yield piece
