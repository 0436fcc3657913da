"""A key is classified by its folders, whatever stands before them."""

import pytest

from trailbell.cloudtrail.object_key import ObjectKind, classify_key


DAY = "us-east-1/2026/09/01"
NAME = "111122223333_CloudTrail_us-east-1_20260901T0905Z_abcdefghijklmnop.json.gz"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (f"AWSLogs/111122223333/CloudTrail/{DAY}/{NAME}", ObjectKind.LOG_FILE),
        (f"some/prefix/AWSLogs/111122223333/CloudTrail/{DAY}/{NAME}", ObjectKind.LOG_FILE),
        (f"AWSLogs/o-exampleorgid/111122223333/CloudTrail/{DAY}/{NAME}", ObjectKind.LOG_FILE),
        (f"o-exampleorgid/AWSLogs/o-exampleorgid/111122223333/CloudTrail/{DAY}/{NAME}", ObjectKind.LOG_FILE),
        (f"CloudTrail-Digest/AWSLogs/111122223333/CloudTrail/{DAY}/{NAME}", ObjectKind.LOG_FILE),
        (
            f"AWSLogs/999999999999/CloudTrail-Digest/{DAY}/AWSLogs/111122223333/CloudTrail/{DAY}/x.json",
            ObjectKind.LOG_FILE,
        ),
        (f"AWSLogs/111122223333/CloudTrail/{DAY}/renamed copy.json", ObjectKind.LOG_FILE),
        (f"AWSLogs/111122223333/CloudTrail-Digest/{DAY}/{NAME}", ObjectKind.DIGEST),
        (f"AWSLogs/111122223333/CloudTrail-Insight/{DAY}/{NAME}", ObjectKind.INSIGHT),
        (f"AWSLogs/111122223333/CloudTrail-Aggregated/{DAY}/{NAME}", ObjectKind.AGGREGATED),
        (f"AWSLogs/o-exampleorgid/111122223333/CloudTrail-NetworkActivity/{DAY}/{NAME}", ObjectKind.LOG_FILE),
        (f"AWSLogs/111122223333/CloudTrail-Tomorrow/{DAY}/{NAME}", ObjectKind.OTHER),
        (f"AWSLogs/111122223333/vpcflowlogs/{DAY}/x.log.gz", ObjectKind.OTHER),
        (f"AWSLogs/111122223333/CloudTrail/{DAY}/", ObjectKind.OTHER),
        ("AWSLogs/111122223333/CloudTrail/", ObjectKind.OTHER),
        ("", ObjectKind.OTHER),
        ("AWSLogs/" * 5000, ObjectKind.OTHER),
    ],
)
def test_key_is_classified_by_its_folders(key: str, kind: ObjectKind) -> None:
    """A log file taken for something else is lost; something else taken for a log file fails its batch."""
    assert classify_key(key).kind is kind


def test_key_tells_account_region_and_organisation() -> None:
    """A record without an account gets the log file's."""
    found = classify_key(f"p/AWSLogs/o-exampleorgid/111122223333/CloudTrail/{DAY}/{NAME}")

    assert (found.account, found.region, found.organisation) == ("111122223333", "us-east-1", "o-exampleorgid")
