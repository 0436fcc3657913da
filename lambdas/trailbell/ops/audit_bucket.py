"""A bucket as `trailbell audit` sees it: what of it is audited, and links into others."""

from collections.abc import Iterable, Iterator
from typing import Any

from trailbell.audit.files import AuditedFile
from trailbell.aws.audit_objects import AuditObjects, audited_file
from trailbell.cloudtrail.digest_key import parse_digest_key
from trailbell.cloudtrail.object_key import is_audited, split_root
from trailbell.cloudtrail.selection import Selection
from trailbell.ops.log_listing import list_folders


_EVERYTHING = Selection()


class BucketFiles(AuditObjects):
    """The files below one s3:// address; `prefix` as it was asked for."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        super().__init__(client)
        self._client, self._bucket, self._prefix = client, bucket, prefix

    def listed(self, selection: Selection) -> Iterator[AuditedFile]:
        """The digests and log files below the address that may be wanted. Raises what botocore raises."""
        for ref in list_folders(self._client, self._bucket, self._prefix, selection, is_audited, set()):
            yield audited_file(ref.bucket, ref.key)

    def named(self, bucket: str, key: str, by: AuditedFile, home: str = "") -> AuditedFile | None:
        """The file of that name. None for a digest that was not asked for: the address leaves its folder out."""
        if bucket == self._bucket and parse_digest_key(key) and not key.startswith(self._prefix):
            asked_root, below = split_root(self._prefix)
            if below and asked_root == split_root(key)[0]:
                return None
        return super().named(bucket, key, by, home)

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
                yield audited_file(ref.bucket, ref.key)
