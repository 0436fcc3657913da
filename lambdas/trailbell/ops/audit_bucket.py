"""A bucket as an audit sees it: what of it is audited, read with the signatures that lie with it, links into others."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from trailbell.audit.files import AuditedFile, NotReadError
from trailbell.audit.verdict import Verdict
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.digest_key import parse_digest_key
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.object_key import is_audited, split_root
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import LogFileError, SettingsError, Unreadable
from trailbell.ops.log_listing import list_folders


_TRIES = 3  # of a connection that breaks while an object is read
_EVERYTHING = Selection()
_MEANS = {
    Unreadable.GONE: Verdict.MISSING,
    Unreadable.DENIED: Verdict.DENIED,
    Unreadable.KEY_UNUSABLE: Verdict.DENIED,
    Unreadable.ARCHIVED: Verdict.ARCHIVED,
}


class BucketFiles:
    """The files below one s3:// address; `prefix` as it was asked for."""

    keeps_signatures = True

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._objects = client, S3TrailBucket(client)
        self._bucket, self._prefix = bucket, prefix

    def listed(self, selection: Selection) -> Iterator[AuditedFile]:
        """The digests and log files below the address that may be wanted. Raises what botocore raises."""
        for ref in list_folders(self._client, self._bucket, self._prefix, selection, is_audited, set()):
            yield _file(ref.bucket, ref.key)

    def named(self, bucket: str, key: str, by: AuditedFile) -> AuditedFile | None:
        """The file of that name. None for a digest that was not asked for: the address leaves its folder out."""
        if bucket == self._bucket and parse_digest_key(key) and not key.startswith(self._prefix):
            asked_root, below = split_root(self._prefix)
            if below and asked_root == split_root(key)[0]:
                return None
        return _file(bucket, key)

    def beside(self, file: AuditedFile) -> Iterable[AuditedFile]:
        """The digests of a file's trail in its bucket; none if it may not be listed."""
        asked = parse_digest_key(file.place)
        folder = file.place.partition("/CloudTrail-Digest/")[0]
        if not asked:
            return
        prefix = f"{folder}/CloudTrail-Digest/{asked.trail.region}/"
        try:
            found = list(list_folders(self._client, file.bucket, prefix, _EVERYTHING, is_audited, set()))
        except self._client.exceptions.ClientError:
            return  # the link alone is followed
        for ref in found:
            key = parse_digest_key(ref.key)
            if key and key.trail == asked.trail:
                yield _file(ref.bucket, ref.key)

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


def _file(bucket: str, key: str) -> AuditedFile:
    return AuditedFile(split_root(key)[1], key, bucket)
