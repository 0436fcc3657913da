"""The trail bucket: log files are read from here, in pieces, the very version the notification named."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from trailalert.core.notification import ObjectRef
from trailalert.errors import LogFileError


_PIECE = 256 * 1024

# What each refusal means for the person who has to mend it.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
_ADVICE = {
    "NoSuchKey": "the object is gone: removed or moved since it was delivered",
    "NoSuchVersion": "that version of the object is gone",
    "NoSuchBucket": "the bucket is gone",
    # S3 tells a reader who may not list the bucket the same of an object that is gone.
    "AccessDenied": "not allowed (s3:GetObject, kms:Decrypt if it is encrypted), or the object is gone",
    "KMS.DisabledException": "the key that encrypts the object is disabled: enable it",
    "InvalidObjectState": "the object is archived (Glacier): restore it first",
}


class S3TrailBucket:
    """Reads objects with an S3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, ref: ObjectRef) -> Iterator[bytes]:
        """The object's body in pieces of at most 256 KiB. Raises LogFileError where S3 refuses for good reason."""
        version = {"VersionId": ref.version_id} if ref.version_id else {}
        try:
            response = self._client.get_object(Bucket=ref.bucket, Key=ref.key, **version)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _ADVICE:
                raise
            raise LogFileError(f"{ref}: {_ADVICE[code]} ({code})") from error
        yield from response["Body"].iter_chunks(_PIECE)
