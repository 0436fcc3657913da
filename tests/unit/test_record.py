"""A record's identity is certain, however odd the record."""

from typing import Any

import pytest

from trailbell.cloudtrail.partition import partition_of
from trailbell.cloudtrail.record import NO_TIME, make_record, text, texts


def test_identity_is_what_cloudtrail_wrote() -> None:
    """The hit's identity must be the same in every copy of the record."""
    fields = {"recipientAccountId": "111122223333", "eventID": "e-1", "eventTime": "2026-09-01T09:14:07Z"}

    record = make_record(fields, 3)

    assert (record.account, record.event_id, record.event_time, record.index) == (
        "111122223333",
        "e-1",
        "2026-09-01T09:14:07Z",
        3,
    )


@pytest.mark.parametrize(
    ("fields", "file_account", "account"),
    [
        ({"userIdentity": {"accountId": "222233334444"}}, "333344445555", "333344445555"),
        ({"userIdentity": {"accountId": "222233334444"}}, "", "222233334444"),
        ({"userIdentity": None}, "333344445555", "333344445555"),
        ({"recipientAccountId": 5}, "", "unknown"),
        ({"recipientAccountId": "a#b"}, "", "unknown"),
        ({"recipientAccountId": "1" * 3000}, "", "unknown"),
    ],
)
def test_account_has_fallbacks(fields: dict[str, Any], file_account: str, account: str) -> None:
    """Old and anonymised records lack recipientAccountId; a key of the table must not be made of anything."""
    assert make_record(fields, 0, file_account).account == account


def test_a_record_without_id_is_known_by_its_content() -> None:
    """The same record delivered twice is one hit, also without an eventID."""
    first = make_record({"eventName": "A", "x": {"b": 1, "a": [1]}}, 0)
    again = make_record({"x": {"a": [1], "b": 1}, "eventName": "A"}, 7)
    other = make_record({"eventName": "B"}, 0)
    odd = make_record({"eventID": "a#b" * 100}, 0)

    assert first.event_id == again.event_id != other.event_id
    assert first.event_id.startswith("sha256-")
    assert odd.event_id.startswith("sha256-")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-09-01T11:14:07+02:00", "2026-09-01T09:14:07Z"),
        ("2026-09-01T09:14:07.123Z", "2026-09-01T09:14:07Z"),
        ("2026-09-01T09:14:07", "2026-09-01T09:14:07Z"),
        ("yesterday", NO_TIME),
        (None, NO_TIME),
        (1693559647, NO_TIME),
    ],
)
def test_event_time_is_utc_to_the_second(given: object, expected: str) -> None:
    """Sort keys of the table are event times; they compare as text only in one form."""
    assert make_record({"eventTime": given}, 0).event_time == expected


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partition_follows_the_region(region: str, partition: str) -> None:
    """Links and ARNs differ between partitions."""
    assert partition_of(region) == partition


def test_paths_into_odd_values_are_empty() -> None:
    """No shape of a record may raise."""
    fields = {"a": {"b": ["x", 1, None, "y"]}, "c": "text", "d": None}

    assert texts(fields, "a", "b") == ["x", "y"]
    assert text(fields, "c", "b") == ""
    assert text(fields, "d", "e") == ""
    assert texts(None, "a") == []


@pytest.mark.parametrize(
    ("addendum", "event_id"),
    [
        ({"reason": "UPDATED_DATA", "originalEventID": "first", "updatedFields": "responseElements"}, "first"),
        ({"reason": "updated_data", "originalEventID": "first"}, "first"),
        ({"originalEventID": "first"}, "first"),
        ({"reason": "DELIVERY_DELAY", "originalEventID": "first"}, "own"),
        ({"reason": "SERVICE_OUTAGE"}, "own"),
        ({"reason": "UPDATED_DATA"}, "own"),
        ({"reason": "UPDATED_DATA", "originalEventID": "no identifier #"}, "own"),
        ({"reason": 7, "originalEventID": ["first"]}, "own"),
        ("UPDATED_DATA", "own"),
        (None, "own"),
    ],
)
def test_correction_is_the_act_that_it_corrects(addendum: object, event_id: str) -> None:
    """It has an id of its own, by which it would be a second act, and notified again."""
    assert make_record({"eventID": "own", "addendum": addendum}, 0).event_id == event_id


@pytest.mark.parametrize(
    ("fields", "repeats"),
    [
        ({"eventCategory": "NetworkActivity", "eventType": "AwsVpceEvent"}, True),
        ({"eventType": "AwsVpceEvents"}, True),
        ({"eventCategory": "NetworkActivity", "errorCode": "VpceAccessDenied"}, False),
        ({"eventCategory": "NetworkActivity", "errorCode": "AccessDenied"}, True),
        ({"eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent"}, True),
        ({"eventCategory": "Management", "eventType": "AwsApiCall"}, False),
        ({"eventCategory": "Data"}, False),
        ({}, False),
    ],
)
def test_record_that_repeats_another_is_known(fields: dict[str, Any], repeats: bool) -> None:
    """One call through a VPC endpoint made two alerts; only what an endpoint denied stands nowhere else."""
    assert make_record(fields, 0).repeats is repeats
