"""A key is classified by its folders, whatever stands before them."""

import pytest

from trailbell.cloudtrail.object_key import ObjectKind, classify_file, classify_key, is_read


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


LAYOUT = "copy/of/AWSLogs/o-exampleorgid/111122223333/{folder}/us-east-1/2026/09/01/a.json.gz"


@pytest.mark.parametrize(
    ("folder", "read"),
    [
        ("CloudTrail", True),
        ("CloudTrail-NetworkActivity", True),
        ("CloudTrail-Aggregated", False),
        ("CloudTrail-Digest", False),
        ("CloudTrail-Insight", False),
        ("CloudTrail-Tomorrow", False),
        ("Config", False),
        ("vpcflowlogs", False),
        ("elasticloadbalancing", False),
    ],
)
def test_functions_listing_and_disk_read_the_same_folders(folder: str, read: bool) -> None:
    """The same tree gave two answers, depending on where it lay."""
    path = LAYOUT.format(folder=folder)

    assert (classify_key(path).kind is ObjectKind.LOG_FILE) is read
    assert (classify_file(path) is ObjectKind.LOG_FILE) is read
    assert is_read(folder) is read


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("downloads/a.json", ObjectKind.LOG_FILE),
        ("downloads/a.gz", ObjectKind.LOG_FILE),
        ("downloads/notes.txt", ObjectKind.OTHER),
        ("downloads/1_CloudTrail_us-east-1_20260901T0905Z_a.json.gz", ObjectKind.LOG_FILE),
        ("downloads/1_CloudTrail-NetworkActivity_us-east-1_20260901T0905Z_a.json.gz", ObjectKind.LOG_FILE),
        ("downloads/1_CloudTrail-Aggregated_us-east-1_20260901T0905Z_a.json.gz", ObjectKind.AGGREGATED),
        ("downloads/1_CloudTrail-Digest_us-east-1_20260901T0905Z_a.json.gz", ObjectKind.DIGEST),
        ("downloads/1_CloudTrail-Insight_us-east-1_20260901T0905Z_a.json.gz", ObjectKind.INSIGHT),
        ("AWSLogs/111122223333/a.json.gz", ObjectKind.LOG_FILE),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/a.json.gz", ObjectKind.LOG_FILE),
        ("AWSLogs/111122223333/CloudTrail-Digest/us-east-1/a.json.gz", ObjectKind.DIGEST),
        ("AWSLogs/111122223333/Config/us-east-1/2026/9/1/ConfigHistory/a.json.gz", ObjectKind.OTHER),
        ("AWSLogs/copies/a.json.gz", ObjectKind.LOG_FILE),
    ],
)
def test_copies_outside_of_the_layout_are_read_by_name(path: str, kind: ObjectKind) -> None:
    """People keep log files in any folder; what another service wrote is not taken for one."""
    assert classify_file(path) is kind
