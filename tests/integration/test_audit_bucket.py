"""`trailbell audit s3://…`: signatures from metadata, links into other buckets, and what S3 refuses."""

import io
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from click.testing import CliRunner, Result

from tests.audit.audited import honest
from tests.audit.world import BUCKET, SHAPES, World, below
from trailbell.audit.files import AuditedFile, NotReadError
from trailbell.audit.read_digest import MAX_STORED_BYTES
from trailbell.audit.verdict import Verdict
from trailbell.cli.main import cli
from trailbell.errors import SettingsError
from trailbell.ops.audit_bucket import BucketFiles


@pytest.fixture
def s3() -> Any:
    client = boto3.client("s3")
    for name in (BUCKET, "other-trail-bucket"):
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return client


def put(s3: Any, world: World, bucket: str = BUCKET) -> None:
    for key, stored in world.objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=stored.body, Metadata=stored.metadata)


def run(world: World, tmp_path: Any, *arguments: str) -> Result:
    keys = tmp_path / "keys.json"
    keys.write_text(world.public_keys())
    return CliRunner().invoke(
        cli, ["audit", *arguments, "--public-keys", str(keys), "--format", "jsonl"], catch_exceptions=False
    )


def told(result: Result) -> dict[str, str]:
    lines = map(json.loads, result.stdout.splitlines())
    return {line["key"]: line["verdict"] for line in lines if line["type"] != "gap"}


@pytest.mark.parametrize("name", SHAPES)
def test_honest_bucket_is_valid(name: str, s3: Any, tmp_path: Any) -> None:
    """Signatures lie with the objects: nothing is unsigned, not even the newest."""
    world = World(1, SHAPES[name])
    put(s3, world)

    result = run(world, tmp_path, f"s3://{BUCKET}")

    assert (result.exit_code, told(result)) == (0, honest(world)), result.stderr


def test_digest_without_metadata_is_unsigned_though_the_next_one_carries_its_signature(s3: Any, tmp_path: Any) -> None:
    """In a bucket the metadata was there once."""
    world = World(1)
    digest = world.chains[0].digests[2]
    world.objects[digest].metadata.clear()
    put(s3, world)

    result = run(world, tmp_path, f"s3://{BUCKET}")

    assert (result.exit_code, told(result)[below(digest)]) == (1, "unsigned")


def test_copy_in_another_bucket_is_moved(s3: Any, tmp_path: Any) -> None:
    """As the AWS CLI says of it; and what it names is where it was."""
    world = World(1)
    put(s3, world, "other-trail-bucket")

    result = run(world, tmp_path, "s3://other-trail-bucket")

    assert result.exit_code == 1
    assert {word for key, word in told(result).items() if "Digest" in key} == {"moved"}


def test_chain_is_followed_into_the_bucket_of_before(s3: Any, tmp_path: Any) -> None:
    """A trail's bucket can change, and its chain goes on; what was deleted over there is told, too."""
    world = World(1)
    chain = world.chains[0]
    put(s3, world)
    newest = chain.digests[-1]
    document = world.document(newest) | {"digestS3Bucket": "other-trail-bucket"}
    pair = world.key_for(chain.region, _end(document))
    world.put_digest(newest, document, pair)
    stored = world.objects[newest]
    s3.delete_object(Bucket=BUCKET, Key=newest)
    s3.put_object(Bucket="other-trail-bucket", Key=newest, Body=stored.body, Metadata=stored.metadata)
    s3.delete_object(Bucket=BUCKET, Key=chain.digests[3])

    result = run(world, tmp_path, "s3://other-trail-bucket")

    words = told(result)
    assert result.exit_code == 1
    assert words[below(chain.digests[3])] == "missing"
    assert {words[below(key)] for key in (*chain.digests[:3], *chain.digests[4:])} == {"valid"}


def _end(document: dict[str, Any]) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(document["digestEndTime"])


def test_address_of_a_day_audits_that_day_alone(s3: Any, tmp_path: Any) -> None:
    """A year of digests is not read for the question about one of its days; log files are read wherever they lie."""
    world = World(1)
    put(s3, world)
    day = world.chains[0].digests[-1].rpartition("/")[0]

    result = run(world, tmp_path, f"s3://{BUCKET}/{day}/")

    words = told(result)
    digests = {key: word for key, word in words.items() if "Digest" in key}
    assert result.exit_code == 0, result.stderr
    assert set(digests.values()) == {"valid", "beyond"}
    assert sum(word == "valid" for word in digests.values()) == sum(day in key for key in world.objects)
    assert "valid" in {word for key, word in words.items() if "Digest" not in key}


class Refusing:
    """An S3 client that refuses every object with one code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def get_object(self, **asked: str) -> Any:
        raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "GetObject")


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("NoSuchKey", Verdict.MISSING),
        ("NoSuchBucket", Verdict.MISSING),
        ("AccessDenied", Verdict.DENIED),
        ("KMS.DisabledException", Verdict.DENIED),
        ("InvalidObjectState", Verdict.ARCHIVED),
    ],
)
def test_refused_is_not_missing(code: str, verdict: Verdict) -> None:
    """Who may not read something, or has to restore it first, knows nothing about it."""
    files = BucketFiles(Refusing(code), BUCKET, "")
    for read in (files.read, files.read_digest):
        with pytest.raises(NotReadError) as raised:
            read(AuditedFile("AWSLogs/x", "AWSLogs/x", BUCKET))
        assert raised.value.verdict is verdict


class Breaking:
    """An S3 client whose connections break while an object is read, the first few times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def get_object(self, **asked: str) -> Any:
        self.times -= 1
        return {"Body": StreamingBody(self if self.times >= 0 else io.BytesIO(b"content"), 7), "Metadata": {}}

    def read(self, size: int) -> bytes:
        if self.times % 2:
            return b""  # it ends early
        raise OSError("connection broken")

    def close(self) -> None:
        """Nothing is held."""


def test_broken_connection_is_tried_again_and_never_a_verdict() -> None:
    """What could not be read to its end is not cut off."""
    file = AuditedFile("AWSLogs/x", "AWSLogs/x", BUCKET)

    assert BucketFiles(Breaking(2), BUCKET, "").read_digest(file) == (b"content", {})
    with pytest.raises(SettingsError, match="broke"):
        BucketFiles(Breaking(9), BUCKET, "").read_digest(file)


class Endless(io.RawIOBase):
    """A body of zeros without an end."""

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


class Holding:
    """An S3 client whose every object is endless."""

    def get_object(self, **asked: str) -> Any:
        return {"Body": StreamingBody(Endless(), 10**12), "Metadata": {}}


def test_of_a_digest_no_more_is_read_than_one_holds() -> None:
    """Whoever may write into the bucket may write five terabytes."""
    body, _ = BucketFiles(Holding(), BUCKET, "").read_digest(AuditedFile("AWSLogs/a", "AWSLogs/a", BUCKET))

    assert MAX_STORED_BYTES < len(body) < 2 * MAX_STORED_BYTES


def test_first_digest_of_the_time_that_is_missing_is_no_beginning(s3: Any, tmp_path: Any) -> None:
    """The day before is listed, too, though nothing of it is verified."""
    world = World(1)
    first = world.chains[0].digests[2]
    del world.objects[first]
    put(s3, world)

    result = run(world, tmp_path, f"s3://{BUCKET}", "--since", "2026-11-21")

    assert "/2026/11/21/" in first
    assert (result.exit_code, told(result)[below(first)]) == (1, "missing")
    assert not any("/CloudTrail-Digest/us-east-1/2026/11/20/" in key for key in told(result))
