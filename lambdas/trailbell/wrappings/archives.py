"""Archives: zip and tar, in any compression; their members as streams."""

import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

from trailbell.errors import LogFileError
from trailbell.wrappings.stream import Guard, Stream


_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_USTAR = slice(257, 262)
_IN_MEMORY = 32 * 1024 * 1024
_PIECE = 256 * 1024
_MOST_MEMBERS = 1_000_000
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
        try:
            with zipfile.ZipFile(cast(IO[bytes], spool)) as archive:
                members = [info for info in archive.infolist() if not info.is_dir()]
                for info in members[:_MOST_MEMBERS]:
                    if info.flag_bits & _ENCRYPTED:
                        raise LogFileError(f"{info.filename} in the archive is encrypted: unpack it first")
                    with archive.open(info) as member:
                        yield info.filename, Stream(guard.check(_pieces(member)))
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
            raise LogFileError(f"log file is not a valid zip archive: {error}") from None


def tar_members(stream: Stream) -> Iterator[tuple[str, Stream]]:
    """The files of a tar archive, by their names, as they come."""
    try:
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content:
                    yield member.name, Stream(_pieces(content))
    except (tarfile.TarError, EOFError) as error:
        raise LogFileError(f"log file is not a valid tar archive: {error}") from None


def _pieces(member: IO[bytes]) -> Iterator[bytes]:
    while piece := member.read(_PIECE):
        yield piece
