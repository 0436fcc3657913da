"""A digest as it was read: its document, its hash, and the signature that lies with it."""

from trailbell.audit.files import AuditedFile, Files, NotReadError
from trailbell.audit.metadata import signature_of
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.digest import DigestDocument, parse_digest
from trailbell.cloudtrail.digest_key import DigestKey, parse_digest_key
from trailbell.cloudtrail.member import hash_member
from trailbell.errors import LogFileError
from trailbell.lazy_dataclass import dataclass


MAX_DIGEST_BYTES = 8 * 1024 * 1024
"""Before compression: some 20,000 log files in one hour. As JSON this takes up to 24 times as much of memory, which the
function `audit` has to have.
"""

MAX_STORED_BYTES = MAX_DIGEST_BYTES + 64 * 1024
"""As much of a file is read: compressed, a digest is no larger. What lies beyond follows the content, or is none."""


@dataclass(frozen=True, slots=True)
class ReadDigest:
    """A digest file.

    key:       None where its name is no digest's.
    document:  None where it could not be read, or is none.
    sha256:    of its content; "" where there is none to be hashed.
    signature: that of its metadata, "" where it has none.
    not_read:  why its bytes are not known.
    """

    file: AuditedFile
    key: DigestKey | None
    document: DigestDocument | None = None
    sha256: str = ""
    trailing: bool = False
    signature: str = ""
    generated: str = ""
    not_read: Verdict | None = None

    def names(self, files: Files, bucket: str, key: str) -> AuditedFile | None:
        """The file that it names so; None if it is known not to be there, or not to be asked for."""
        return files.named(bucket, key, self.file, self.document.key if self.document else "")


def read_digest(file: AuditedFile, files: Files) -> ReadDigest:
    """Read a digest; what is wrong with it is in the answer."""
    key = parse_digest_key(file.key)
    try:
        body, metadata = files.read_digest(file)
    except NotReadError as error:
        return ReadDigest(file, key, not_read=error.verdict)
    signature, generated = signature_of(metadata), metadata.get("backfill-generation-timestamp", "")
    content = bytearray()
    try:
        member = hash_member([body], content, MAX_DIGEST_BYTES)
    except LogFileError:
        return ReadDigest(file, key, signature=signature, generated=generated)
    document = parse_digest(bytes(content))
    return ReadDigest(file, key, document, member.sha256, member.trailing, signature, generated)
