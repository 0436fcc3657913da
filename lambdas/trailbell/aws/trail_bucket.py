"""The trail bucket: log files are read from here, in pieces, in the version that the notification names.

botocore retries what S3 asks to retry (SlowDown, 5xx) and connections that cannot be made (aws/clients.py). It does
not retry a connection that breaks while the body is read: that is an error of its own.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.cloudtrail.notification import ObjectRef
from trailbell.errors import LogFileError, Unreadable


_PIECE = 256 * 1024

# What each refusal means for the person who has to fix it.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
_KEY = Unreadable.KEY_UNUSABLE
_ADVICE = {
    "NoSuchKey": (Unreadable.GONE, "the object is gone: removed or moved since it was delivered"),
    "NoSuchVersion": (Unreadable.GONE, "that version of the object is gone"),
    "NoSuchBucket": (Unreadable.GONE, "the bucket is gone"),
    "MethodNotAllowed": (Unreadable.GONE, "that version is a delete marker: the object was removed"),
    # S3 gives the same answer for an object that is gone to whoever may not list the bucket.
    "AccessDenied": (
        Unreadable.DENIED,
        "not allowed (s3:GetObject, kms:Decrypt if it is encrypted), or the object is gone: look at the bucket's and "
        "the key's policy",
    ),
    "KMS.DisabledException": (_KEY, "the key that encrypts the object is disabled: enable it"),
    "KMS.KMSInvalidStateException": (
        _KEY,
        "the key that encrypts the object cannot be used, most likely because its deletion is scheduled: cancel that",
    ),
    "KMS.NotFoundException": (_KEY, "the key that encrypts the object does not exist any more"),
    "InvalidObjectState": (Unreadable.ARCHIVED, "the object is archived (Glacier): restore it first"),
}
_BROKEN = "the connection to S3 broke while the object was read; it is read again, and nobody must act unless it stays"


class S3TrailBucket:
    """Reads objects with an S3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, ref: ObjectRef) -> Iterator[bytes]:
        """The object's body in pieces of at most 256 KiB, all of it or an error.

        Raises LogFileError where S3 refuses for good reason, and where the body ends before its length.
        """
        try:
            # Its end is checked against Content-Length and S3's checksum.
            yield from self._get(ref)["Body"].iter_chunks(_PIECE)
        except (BotoCoreError, OSError) as error:
            raise _broken(ref, error) from error

    def read_with_metadata(self, ref: ObjectRef, max_bytes: int) -> tuple[bytes, dict[str, str]]:
        """The object's body, cut a piece after `max_bytes`, and its metadata: names in lower case, without x-amz-meta-.

        Raises the same.
        """
        body = bytearray()
        try:
            response = self._get(ref)
            with closing(response["Body"]) as stream:
                for piece in stream.iter_chunks(_PIECE):
                    body += piece
                    if len(body) > max_bytes:
                        break
        except (BotoCoreError, OSError) as error:
            raise _broken(ref, error) from error
        return bytes(body), {name.lower(): value for name, value in response.get("Metadata", {}).items()}

    def _get(self, ref: ObjectRef) -> Any:
        version = {"VersionId": ref.version_id} if ref.version_id else {}
        try:
            return self._client.get_object(Bucket=ref.bucket, Key=ref.key, **version)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _ADVICE:
                raise
            outcome, advice = _ADVICE[code]
            raise LogFileError(f"{ref}: {advice} ({code})", outcome) from error


def _broken(ref: ObjectRef, error: Exception) -> LogFileError:
    return LogFileError(f"{ref}: {_BROKEN} ({type(error).__name__})", Unreadable.INTERRUPTED)
