"""What is asked for of a trail bucket, and which folders can be passed over for it."""

from datetime import UTC, datetime

import pytest

from trailbell.cloudtrail.object_key import is_in_account, trail_levels
from trailbell.cloudtrail.record import NO_TIME
from trailbell.cloudtrail.selection import Selection


REGION = "logs/AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/"
DAYS = Selection(since=datetime(2026, 10, 31, 22, tzinfo=UTC), until=datetime(2026, 11, 30, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("2025/", False),
        ("2026/", True),
        ("2026/09/", False),
        ("2026/10/", True),
        ("2026/10/30/", False),
        ("2026/10/31/", True),
        ("2026/11/15", True),
        ("2026/12/", True),
        ("2026/12/01/", True),
        ("2026/12/02/", False),
        ("2027/", False),
        ("", True),
    ],
)
def test_folders_of_days_that_hold_nothing_wanted_are_passed_over(folder: str, expected: bool) -> None:
    """A day is one of delivery: the one after the last is read for what came late, those before cannot matter."""
    assert DAYS.may_hold(REGION + folder) is expected


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("AWSLogs/111122223333/", True),
        ("AWSLogs/444455556666/", False),
        ("AWSLogs/o-abc123/444455556666/CloudTrail/", False),
        ("AWSLogs/o-abc123/", True),
        ("AWSLogs/111122223333/CloudTrail-Digest/eu-central-1/", False),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/", True),
        ("AWSLogs/444455556666/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/", True),
        ("444455556666/eu-central-1/", True),
    ],
)
def test_folders_of_other_accounts_and_regions_are_passed_over(folder: str, expected: bool) -> None:
    """Only the layout says whose a folder is; any other may hold anything."""
    selection = Selection(accounts=frozenset({"111122223333"}), regions=frozenset({"us-east-1"}))

    assert selection.may_hold(folder) is expected


def test_the_record_decides_in_the_end() -> None:
    """From since up to, but without, until; a record that lost its time is not lost for it."""
    inside, account, region = "2026-10-31T22:00:00Z", "111122223333", "us-east-1"

    assert DAYS.holds(account, region, inside)
    assert not DAYS.holds(account, region, "2026-10-31T21:59:59Z")
    assert not DAYS.holds(account, region, "2026-11-30T23:00:00Z")
    assert DAYS.holds(account, region, NO_TIME)
    assert not Selection(accounts=frozenset({"444455556666"})).holds(account, region, inside)
    assert not Selection(regions=frozenset({"eu-central-1"})).holds(account, region, inside)


def test_levels_end_where_the_layout_is_left() -> None:
    """A half-known path must not be taken for a day."""
    assert trail_levels(REGION + "2026/11/20/a.json.gz") == (
        "111122223333",
        "CloudTrail",
        "us-east-1",
        "2026",
        "11",
        "20",
    )
    assert trail_levels("AWSLogs/111122223333/Config/us-east-1/2026/11/20") == ("111122223333",)
    assert is_in_account("AWSLogs/111122223333")
    assert not is_in_account("AWSLogs/111122223333/CloudTrail")
