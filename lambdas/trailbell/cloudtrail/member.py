"""The first gzip member of an object, hashed: digests list the SHA-256 of what a file holds before compression.

What follows the member is in no hash, and readers that take all members would read it: it must be told.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from trailbell.cloudtrail.inflate import GZIP_WBITS, INFLATE_ERRORS, decompressobj
from trailbell.errors import LogFileError
from trailbell.lazy_dataclass import dataclass


_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """SHA-256 of the content in hexadecimal, and whether anything follows it in the file."""

    sha256: str
    trailing: bool


def hash_member(body: Iterable[bytes], keep: bytearray | None = None, max_kept: int = 0) -> Member:
    """Inflate and hash the first member of a body; `keep` gets its content.

    Raises LogFileError where the body is no gzip, is cut off (also in the last eight bytes), does not agree with its
    own checksum, or is larger than `max_kept` though it is to be kept.
    """
    member, digest, trailing = decompressobj(GZIP_WBITS), hashlib.sha256(), False
    for piece in body:
        if member.eof:
            trailing = trailing or bool(piece)
            continue
        fed = piece
        while fed and not member.eof:
            block = _decompress(member, fed)
            digest.update(block)
            if keep is not None:
                keep += block
                if len(keep) > max_kept:
                    raise LogFileError(f"file is larger than {max_kept} bytes")
            fed = member.unconsumed_tail
        trailing = member.eof and bool(member.unused_data)
    if not member.eof:
        raise LogFileError("file is cut off: its gzip stream has no end")
    return Member(digest.hexdigest(), trailing)


def _decompress(member: Any, fed: bytes) -> bytes:
    try:
        block: bytes = member.decompress(fed, _BLOCK)
    except INFLATE_ERRORS as error:
        raise LogFileError(f"file is not valid gzip: {error}") from None
    return block
