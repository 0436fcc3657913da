"""A digest file: the signed list of the log files that CloudTrail delivered in one hour, in one account and region.

Its signature is over four lines: the end of its period, its place, the SHA-256 of its content, and the signature of the
digest before it. Hashes are of contents before compression.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import parse_moment


@dataclass(frozen=True, slots=True)
class ListedLog:
    """A log file as a digest lists it; its hash in lower-case hexadecimal."""

    bucket: str
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Previous:
    """The digest before: its place, the hash of its content ("" where it is of another algorithm), its signature."""

    bucket: str
    key: str
    sha256: str
    signature: str


@dataclass(frozen=True, slots=True)
class DigestDocument:
    """What a digest says.

    start, end, logs: None where they are not what is documented: CloudTrail wrote no such digest.
    previous:         None in a starting digest: validation or logging was switched on, or off and on.
    signed_previous:  the signature of the digest before as it stands in the signed text.
    """

    bucket: str
    key: str
    fingerprint: str
    start_text: str
    end_text: str
    signed_previous: str
    previous: Previous | None
    logs: tuple[ListedLog, ...] | None

    @property
    def start(self) -> datetime | None:
        """When its period began."""
        return parse_moment(self.start_text)

    @property
    def end(self) -> datetime | None:
        """When its period ended."""
        return parse_moment(self.end_text)

    @property
    def well_formed(self) -> bool:
        """Whether its times and its list can be read."""
        return self.start is not None and self.end is not None and self.logs is not None

    def signed_text(self, sha256: str) -> bytes:
        """What its signature is over; sha256: of its content, in lower-case hexadecimal."""
        text = "\n".join((self.end_text, f"{self.bucket}/{self.key}", sha256, self.signed_previous))
        return text.encode("utf-8", "surrogatepass")  # JSON can name half a character, which nobody has signed


def parse_digest(content: bytes) -> DigestDocument | None:
    """A digest's document; None where it is no JSON, or lacks what every digest has.

    content: before compression.
    """
    try:
        fields = json.loads(content.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or "previousDigestSignature" not in fields:
        return None
    required = [fields.get(name) for name in _REQUIRED]
    before = fields["previousDigestSignature"]
    if not all(isinstance(value, str) for value in required) or not isinstance(before, str | None):
        return None
    bucket, key, fingerprint, start, end = map(str, required)
    signed_previous = "null" if before is None else before
    previous, logs = _previous(fields), _logs(fields.get("logFiles"))
    return DigestDocument(bucket, key, fingerprint, start, end, signed_previous, previous, logs)


_REQUIRED = ("digestS3Bucket", "digestS3Object", "digestPublicKeyFingerprint", "digestStartTime", "digestEndTime")
_ALGORITHM = "SHA-256"


def _previous(fields: Mapping[str, Any]) -> Previous | None:
    bucket, key = fields.get("previousDigestS3Bucket"), fields.get("previousDigestS3Object")
    if not isinstance(bucket, str) or not isinstance(key, str):
        return None
    sha256 = fields.get("previousDigestHashValue")
    comparable = isinstance(sha256, str) and fields.get("previousDigestHashAlgorithm", _ALGORITHM) == _ALGORITHM
    signature = fields["previousDigestSignature"]
    return Previous(bucket, key, str(sha256).lower() if comparable else "", str(signature or "").lower())


def _logs(entries: object) -> tuple[ListedLog, ...] | None:
    """The list; None where it is none, or holds anything but log files with a SHA-256. An empty hour's is []."""
    if not isinstance(entries, list):
        return None
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("hashAlgorithm", _ALGORITHM) != _ALGORITHM:
            return None
        values = [entry.get(name) for name in ("s3Bucket", "s3Object", "hashValue")]
        if not all(isinstance(value, str) for value in values):
            return None
        bucket, key, sha256 = map(str, values)
        found.append(ListedLog(bucket, key, sha256.lower()))
    return tuple(found)
