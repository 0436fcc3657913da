"""A bucket as an audit reads it: bytes and metadata, and what it means that S3 refuses."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from trailbell.audit.files import AuditedFile, NotReadError
from trailbell.audit.read_digest import MAX_STORED_BYTES
from trailbell.audit.verdict import Verdict
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.object_key import split_root
from trailbell.errors import LogFileError, SettingsError, Unreadable


_BUCKET = re.compile(r"[A-Za-z0-9._-]{3,255}", re.ASCII)
_MAX_KEY = 1024  # bytes
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

    def named(self, bucket: str, key: str, by: AuditedFile, home: str = "") -> AuditedFile | None:
        """The object of that name; None for a name that S3 gives to none, and is not to be asked for."""
        return audited_file(bucket, key) if _is_a_name(bucket, key) else None

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
        return self._tried(file, lambda ref: self._objects.read_with_metadata(ref, MAX_STORED_BYTES))

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


def _is_a_name(bucket: str, key: str) -> bool:
    """Whether S3 may have an object of that name: whoever writes a digest may name anything."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return False
    return bool(_BUCKET.fullmatch(bucket)) and 0 < size <= _MAX_KEY


def audited_file(bucket: str, key: str) -> AuditedFile:
    """An object of a bucket."""
    return AuditedFile(split_root(key)[1], key, bucket)
