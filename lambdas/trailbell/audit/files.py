"""Where digests and log files lie: a folder and a bucket answer the same questions."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.object_key import ROOT
from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, order=True)
class AuditedFile:
    """A file: its key from AWSLogs/ on, and where it is (a path, or the whole key in `bucket`)."""

    key: str
    place: str
    bucket: str = ""

    @property
    def root(self) -> str:
        """What stands before AWSLogs/, or before what is in it where a copy has left it behind."""
        return self.place.removesuffix(self.key.removeprefix(ROOT)).removesuffix(ROOT)


class NotReadError(Exception):
    """A file could not be read; `verdict` says what that means: missing, denied, archived, or no file."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.value)
        self.verdict = verdict


class Files(Protocol):
    """Reads files and finds those that digests name.

    keeps_signatures: whether a digest's signature is with it. Where it was lost in copying, the digest that follows
    carries it.
    """

    keeps_signatures: bool

    def named(self, bucket: str, key: str, by: AuditedFile, home: str = "") -> AuditedFile | None:
        """The file that a digest names, `by` which one; home: the key that this one says it has itself.

        None if it is known not to be there, or not to be asked for.
        """

    def beside(self, file: AuditedFile) -> Iterable[AuditedFile]:
        """The digests of the same trail in the bucket that a digest led to; none where all are known from the start."""

    def is_named_so(self, file: AuditedFile, bucket: str, key: str) -> bool:
        """Whether a file is where a digest says; a folder does not know its bucket, nor the prefix in it."""

    def read(self, file: AuditedFile) -> Iterable[bytes]:
        """Its bytes in pieces. Raises NotReadError, and whatever hinders all reading."""

    def read_digest(self, file: AuditedFile) -> tuple[bytes, Mapping[str, str]]:
        """Its bytes, and its metadata (names in lower case, without x-amz-meta-). Raises the same."""
