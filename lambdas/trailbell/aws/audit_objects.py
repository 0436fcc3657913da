"""A bucket as an audit reads it: bytes and metadata, and what it means that S3 refuses."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trailbell.audit.files import AuditedFile, NotReadError
from trailbell.audit.verdict import Verdict
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.object_key import split_root
from trailbell.errors import LogFileError, SettingsError, Unreadable


_TRIES = 3  # of a connection that breaks while an object is read
_MEANS = {
    Unreadable.GONE: Verdict.MISSING,
    Unreadable.DENIED: Verdict.DENIED,
    Unreadable.KEY_UNUSABLE: Verdict.DENIED,
    Unreadable.ARCHIVED: Verdict.ARCHIVED,
}


class AuditObjects:
    """Reads objects with an S3 client; every name is asked for."""

    keeps_signatures = True

    def __init__(self, client: Any) -> None:
        self._objects = S3TrailBucket(client)

    def named(self, bucket: str, key: str, by: AuditedFile) -> AuditedFile | None:
        """The object of that name."""
        return audited_file(bucket, key)

    def beside(self, file: AuditedFile) -> Iterable[AuditedFile]:
        """None: nothing is listed."""
        return ()

    def is_named_so(self, file: AuditedFile, bucket: str, key: str) -> bool:
        """Whether it is the same object."""
        return (file.bucket, file.place) == (bucket, key)

    def read(self, file: AuditedFile) -> Iterable[bytes]:
        """The object's bytes. Raises NotReadError, SettingsError where the connection keeps breaking."""
        return self._tried(file, lambda ref: list(self._objects.read(ref)))

    def read_digest(self, file: AuditedFile) -> tuple[bytes, Mapping[str, str]]:
        """The object's bytes and metadata; one request."""
        return self._tried(file, self._objects.read_with_metadata)

    def _tried(self, file: AuditedFile, read: Callable[[ObjectRef], Any]) -> Any:
        ref, broken = ObjectRef(file.bucket, file.place), ""
        for _ in range(_TRIES):
            try:
                return read(ref)
            except LogFileError as error:
                if error.outcome in _MEANS:
                    raise NotReadError(_MEANS[error.outcome]) from error
                broken = str(error)
        raise SettingsError(broken)


def audited_file(bucket: str, key: str) -> AuditedFile:
    """An object of a bucket."""
    return AuditedFile(split_root(key)[1], key, bucket)
