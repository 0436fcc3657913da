"""Each of AWS's partitions has its own ARNs, domains and console."""

import json
import re
from pathlib import Path
from typing import Any

import botocore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.cloudtrail.partition import PARTITIONS, partition_of, service_name
from trailbell.cloudtrail.record import make_record


KNOWN = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_text(encoding="utf-8"))


def test_the_table_is_botocores() -> None:
    """A partition that AWS adds, or whose domain it changes, must not be missed when botocore is updated."""
    assert {name: partition.dns_suffix for name, partition in PARTITIONS.items()} == {
        one["id"]: one["outputs"]["dnsSuffix"] for one in KNOWN["partitions"]
    }


@pytest.mark.parametrize(
    ("region", "partition"),
    [(region, one["id"]) for one in KNOWN["partitions"] for region in one["regions"] if not region.endswith("-global")],
)
def test_every_region_belongs_to_its_partition(region: str, partition: str) -> None:
    """An ARN of another partition names a resource that does not exist."""
    assert partition_of(region) == partition
    assert partition == "aws" or re.match(PARTITIONS[partition].prefix, region)


@pytest.mark.parametrize(
    ("region", "arns", "partition"),
    [
        ("eusc-fr-west-2", (), "aws-eusc"),
        ("us-iso-east-1", ("arn:aws-eusc:iam::111122223333:role/KeyAdmin",), "aws-iso"),
        ("xx-new-1", ("arn:aws-new:iam::111122223333:role/KeyAdmin",), "aws-new"),
        ("us-east-1", ("arn:aws-cn:iam::111122223333:role/KeyAdmin",), "aws-cn"),
        ("cn-north-1", ("arn:aws-new:kms:cn-north-1:111122223333:key/k",), "aws-new"),
        ("xx-new-1", ("arn:evil/x:iam::1:role/r", "no ARN"), "aws"),
        ("", (), "aws"),
    ],
)
def test_arns_say_what_a_region_does_not(region: str, arns: tuple[str, ...], partition: str) -> None:
    """The one of the same Region is sure; a Region whose name is its partition's alone comes next."""
    assert partition_of(region, arns) == partition


def test_a_record_takes_its_partition_from_what_aws_wrote_and_not_from_the_request() -> None:
    """Whoever calls could lead the reader into another partition's console."""
    request = {"keyId": "arn:aws-cn:kms:xx-new-1:111122223333:key/k"}
    fields: dict[str, Any] = {"awsRegion": "xx-new-1", "requestParameters": request}
    listed = {**fields, "resources": [{"ARN": "arn:aws-new:kms:xx-new-1:111122223333:key/k"}]}
    session = {"sessionContext": {"sessionIssuer": {"arn": "arn:aws-new:iam::111122223333:role/r"}}}

    assert make_record(fields, 0).partition == "aws"
    assert make_record(listed, 0).partition == "aws-new"
    assert make_record({**fields, "userIdentity": session}, 0).partition == "aws-new"


_STATED = st.sampled_from(
    (
        *("arn:aws:kms:eu-west-1:1:key/a", "arn:aws-new:kms:eu-west-1:1:key/a", "arn:aws:s3:::b", "arn:aws-cn:s3:::b"),
        *("arn:nobody:kms:eu-west-1:1:key/a", "arn:aws:kms", "key/a", "", None, 7),
    )
)


@given(
    region=st.sampled_from(("eu-west-1", "cn-north-1", "")),
    listed=st.lists(_STATED, max_size=3),
    key=_STATED,
    arn=_STATED | st.lists(_STATED, max_size=2),
    issuer=_STATED | st.lists(_STATED, max_size=2),
)
def test_it_is_the_same_by_all_arns_that_aws_wrote(region: str, listed: Any, key: Any, arn: Any, issuer: Any) -> None:
    """Mostly the first says it, or it is remembered of the caller."""
    fields = {
        "awsRegion": region,
        "resources": [{"ARN": one} for one in listed],
        "responseElements": {"keyId": key},
        "userIdentity": {"arn": arn, "sessionContext": {"sessionIssuer": {"arn": issuer}}},
    }
    by_caller = [one for given in (arn, issuer) for one in (given if isinstance(given, list) else [given])]
    arns = [one for one in (*listed, key, *by_caller) if isinstance(one, str) and one]

    assert make_record(fields, 0).partition == partition_of(region, arns)


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("kms.amazonaws.com", "kms"),
        ("Kms.amazonaws.com.cn", "kms"),
        ("states.amazonaws.eu", "states"),
        ("ec2.c2s.ic.gov", "ec2"),
        ("amazonaws.com", ""),
        ("198.51.100.7", ""),
        ("kms.amazonaws.com.evil.example", ""),
        ("", ""),
    ],
)
def test_a_service_is_known_by_its_host_name_in_every_partition(host: str, service: str) -> None:
    """An address that looks like a service's would pass for AWS's own doing."""
    assert service_name(host) == service
