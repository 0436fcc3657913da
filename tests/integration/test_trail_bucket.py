"""Log files come out of the trail bucket in pieces, and what S3 refuses is told with advice."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.errors import LogFileError


KEY = "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/09/15/a b+c é.json.gz"
KIB = 1024


class RefusingS3:
    """An S3 client that refuses every object with one error code."""

    def __init__(self, code: str) -> None:
        self.code = code

    def get_object(self, **request: Any) -> Any:
        raise ClientError({"Error": {"Code": self.code, "Message": "no"}}, "GetObject")


@pytest.fixture
def s3(aws: None) -> Any:
    """A client, and a versioned bucket called trail."""
    client = boto3.client("s3")
    client.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket="trail", VersioningConfiguration={"Status": "Enabled"})
    return client


def test_object_is_read_in_pieces(s3: Any) -> None:
    """A log file taken in whole would put its full size into memory before the limit on inflation can act."""
    content = bytes(range(256)) * (600 * KIB // 256)
    s3.put_object(Bucket="trail", Key=KEY, Body=content)

    pieces = list(S3TrailBucket(s3).read(ObjectRef("trail", KEY)))

    assert len(pieces) > 1
    assert max(map(len, pieces)) <= 256 * KIB
    assert b"".join(pieces) == content


def test_version_named_by_the_notification_is_read(s3: Any) -> None:
    """Whoever overwrites a log file before we come must not choose what we read."""
    first = s3.put_object(Bucket="trail", Key=KEY, Body=b"as delivered")["VersionId"]
    s3.put_object(Bucket="trail", Key=KEY, Body=b"as forged")

    assert b"".join(S3TrailBucket(s3).read(ObjectRef("trail", KEY, first))) == b"as delivered"
    assert b"".join(S3TrailBucket(s3).read(ObjectRef("trail", KEY))) == b"as forged"


def test_version_is_read_after_the_object_was_deleted(s3: Any) -> None:
    """A delete marker hides a log file from a reader that asks for the newest version."""
    version = s3.put_object(Bucket="trail", Key=KEY, Body=b"as delivered")["VersionId"]
    s3.delete_object(Bucket="trail", Key=KEY)

    assert b"".join(S3TrailBucket(s3).read(ObjectRef("trail", KEY, version))) == b"as delivered"


@pytest.mark.parametrize(
    ("ref", "advice"),
    [
        pytest.param(ObjectRef("trail", "gone"), "the object is gone", id="key"),
        pytest.param(
            ObjectRef("trail", KEY, "00000000-no-such-version"), "version of the object is gone", id="version"
        ),
        pytest.param(ObjectRef("no-such-trail", KEY), "the bucket is gone", id="bucket"),
    ],
)
def test_missing_object_is_told_with_its_name_and_advice(s3: Any, ref: ObjectRef, advice: str) -> None:
    """An operator who reads the dead-letter queue must learn which object, and what became of it."""
    s3.put_object(Bucket="trail", Key=KEY, Body=b"there")

    with pytest.raises(LogFileError, match=advice) as caught:
        list(S3TrailBucket(s3).read(ref))

    assert str(ref) in str(caught.value)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "s3:GetObject"),
        ("KMS.DisabledException", "enable it"),
        ("InvalidObjectState", "restore it"),
    ],
)
def test_refusal_says_what_to_do_about_it(code: str, advice: str) -> None:
    """A code of S3's alone sends the operator to a search engine."""
    with pytest.raises(LogFileError, match=advice) as caught:
        list(S3TrailBucket(RefusingS3(code)).read(ObjectRef("trail", KEY)))

    assert code in str(caught.value)


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "ExpiredToken"])
def test_refusal_without_advice_is_not_dressed_up(code: str) -> None:
    """What is nobody's mistake must not be blamed on the log file."""
    with pytest.raises(ClientError, match=code):
        list(S3TrailBucket(RefusingS3(code)).read(ObjectRef("trail", KEY)))
