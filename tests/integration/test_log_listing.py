"""Finding log files in a trail bucket: only what is asked for is listed, and scanned as from a disk."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.cli.scan.log_sources import split_address
from trailbell.cloudtrail.selection import Selection
from trailbell.ops.log_listing import Passed, list_log_files
from trailbell.rulebook.cases import BASE_RECORD


ORG, ONE, TWO = "AWSLogs/o-abc123/", "111122223333", "444455556666"
RECORD = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}


def key(account: str, region: str, day: str, name: str = "a", kind: str = "CloudTrail") -> str:
    return f"logs/{ORG}{account}/{kind}/{region}/{day}/{name}.json.gz"


KEYS = [
    key(ONE, "eu-central-1", "2026/11/19"),
    key(ONE, "eu-central-1", "2026/11/20"),
    key(ONE, "us-east-1", "2025/11/20"),
    key(ONE, "us-east-1", "2026/11/20"),
    key(ONE, "us-east-1", "2026/11/21"),
    key(ONE, "us-east-1", "2026/11/22"),
    key(TWO, "us-east-1", "2026/11/20"),
]


class Watched:
    """An S3 client that remembers what was listed."""

    def __init__(self, client: Any) -> None:
        self._client, self.prefixes = client, list[str]()

    def get_paginator(self, name: str) -> Any:
        paginator, prefixes = self._client.get_paginator(name), self.prefixes

        class Paginator:
            def paginate(self, **request: Any) -> Any:
                prefixes.append(request["Prefix"])
                return paginator.paginate(**request)

        return Paginator()


@pytest.fixture
def s3() -> Watched:
    client = boto3.client("s3")
    client.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    body = gzip.compress(json.dumps({"Records": [RECORD]}).encode())
    others = [key(ONE, "us-east-1", "2026/11/20", kind="CloudTrail-Digest"), f"logs/{ORG}{ONE}/Config/x.json.gz"]
    for name in (*KEYS, *others):
        client.put_object(Bucket="trail", Key=name, Body=body)
    return Watched(client)


def listed(s3: Watched, prefix: str, selection: Selection) -> list[str]:
    return [ref.key for ref in list_log_files(s3, "trail", prefix, selection, Passed())]


@pytest.mark.parametrize("prefix", ["", "logs/", "logs/AWSLogs/", f"logs/{ORG}"])
def test_every_log_file_of_an_organisation_is_found_from_any_level(s3: Watched, prefix: str) -> None:
    """In the order of the keys; digests and what other services write are not listed."""
    passed = Passed()

    found = [(ref.key, bool(ref.size)) for ref in list_log_files(s3, "trail", prefix, Selection(), passed)]

    assert found == [(name, True) for name in KEYS]
    assert passed.folders == {"CloudTrail-Digest", "Config"}
    assert not [prefix for prefix in s3.prefixes if "Digest" in prefix or "Config" in prefix]


def test_only_the_days_accounts_and_regions_asked_for_are_listed(s3: Watched) -> None:
    """A year of an organisation is millions of keys; a day must not cost a year's listing."""
    day = Selection(
        accounts=frozenset({ONE}),
        regions=frozenset({"us-east-1"}),
        since=datetime(2026, 11, 20, tzinfo=UTC),
        until=datetime(2026, 11, 20, 12, tzinfo=UTC),
    )

    found = listed(s3, "logs/", day)

    assert found == [KEYS[3], KEYS[4]]
    region = f"logs/{ORG}{ONE}/CloudTrail/us-east-1/"
    assert [prefix.removeprefix(region) for prefix in s3.prefixes if prefix.startswith(region)] == [
        "",
        "2026/",
        "2026/11/",
        "2026/11/20/",
        "2026/11/21/",
    ]
    assert not [prefix for prefix in s3.prefixes if TWO in prefix or "eu-central-1" in prefix]


def test_a_day_and_a_single_file_can_be_named(s3: Watched) -> None:
    """What people paste from the console."""
    assert listed(s3, split_address(f"s3://trail/{KEYS[3].rpartition('/')[0]}")[1], Selection()) == [KEYS[3]]
    assert listed(s3, split_address(f"s3://trail/{KEYS[3]}")[1], Selection()) == [KEYS[3]]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_scan_of_a_bucket_gives_its_hits_in_order(s3: Watched, jobs: str) -> None:
    """The same as from a disk, however many fetch; one that is gone by then is told."""
    result = CliRunner().invoke(
        cli, ["scan", "s3://trail/logs", "--jobs", jobs, "--format", "jsonl", "--since", "2026-01-01"]
    )

    files = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert result.exit_code == 0, result.stderr
    assert files == [f"s3://trail/{name}" for name in KEYS if "2025" not in name]
    assert "folders not listed: CloudTrail-Digest, Config" in result.stderr


def test_denied_calls_of_endpoints_are_found_as_on_a_disk(s3: Watched) -> None:
    """The folder of network activity events is read by all; aggregated events and Insights by none."""
    body = gzip.compress(json.dumps({"Records": [RECORD]}).encode())
    network = key(ONE, "us-east-1", "2026/11/20", kind="CloudTrail-NetworkActivity")
    others = [key(ONE, "us-east-1", "2026/11/20", kind=f"CloudTrail-{kind}") for kind in ("Aggregated", "Insight")]
    for name in (network, *others):
        s3._client.put_object(Bucket="trail", Key=name, Body=body)
    passed = Passed()

    found = [ref.key for ref in list_log_files(s3, "trail", "", Selection(), passed)]

    assert sorted(found) == sorted([*KEYS, network])
    assert {"CloudTrail-Aggregated", "CloudTrail-Insight"} <= passed.folders
