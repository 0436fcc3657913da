"""Keys of digests are read from both ends; what a log file's key says of its delivery."""

from datetime import UTC, datetime

import pytest

from trailbell.cloudtrail.digest_key import DigestKey, Trail, delivery_span, parse_digest_key
from trailbell.cloudtrail.object_key import split_root


FOLDER = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/20/"
NAME = "111122223333_CloudTrail-Digest_us-east-1_{trail}_{home}_20261120T100131Z{kind}.json.gz"
END = datetime(2026, 11, 20, 10, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("trail", ["acme", "a_b-c.d", "us-east-1", "eu-west-1_20261120T100131Z", "x_backfill"])
@pytest.mark.parametrize("backfill", [False, True])
@pytest.mark.parametrize("prefix", ["", "logs/", "team/AWSLogs/logs/"])
def test_key_is_taken_apart(trail: str, backfill: bool, prefix: str) -> None:
    """A trail may be named like everything that stands beside its name."""
    name = NAME.format(trail=trail, home="eu-west-1", kind="_backfill" if backfill else "")

    found = parse_digest_key(f"{prefix}{FOLDER}{name}")

    expected = Trail("111122223333", "us-east-1", trail, "eu-west-1")
    assert found == DigestKey(prefix, "", expected, END, backfill)


def test_organisation_stands_before_the_account() -> None:
    """The account of an organisation's digests is the member's."""
    key = (FOLDER + NAME.format(trail="t", home="us-east-1", kind="")).replace("AWSLogs/", "AWSLogs/o-abc123/")

    found = parse_digest_key(key)

    assert found
    assert (found.organisation, found.trail.account) == ("o-abc123", "111122223333")


@pytest.mark.parametrize(
    "key",
    [
        FOLDER + NAME.format(trail="t", home="us-east-1", kind="-copy"),
        (FOLDER + NAME.format(trail="t", home="us-east-1", kind="")).replace("T100131Z", "T106131Z"),
        (FOLDER + NAME.format(trail="t", home="us-east-1", kind="")).replace("us-east-1_t", "us-east-2_t"),
        FOLDER + NAME.format(trail="t", home="us-east-1", kind="") + ".metadata.json",
        "",
    ],
)
def test_what_is_no_digest_key_is_none(key: str) -> None:
    """Its account and region are written twice, and its end is a time."""
    assert parse_digest_key(key) is None


def test_delivery_is_up_to_fifteen_minutes_after_the_minute_in_the_name() -> None:
    """The digest of 19:17 to 20:17 lists files named 19:15; of other names the folder's day is known."""
    folder = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/"

    named = delivery_span(f"{folder}111122223333_CloudTrail_us-east-1_20261120T1915Z_abc.json.gz")
    other = delivery_span(f"{folder}evil.json.gz")

    assert named == (datetime(2026, 11, 20, 19, 15, tzinfo=UTC), datetime(2026, 11, 20, 19, 30, tzinfo=UTC))
    assert other == (datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 21, 0, 15, tzinfo=UTC))
    assert delivery_span(f"{folder}deeper/evil.json.gz") is None


@pytest.mark.parametrize("kind", ["CloudTrail", "CloudTrail-NetworkActivity"])
def test_delivery_of_every_kind_of_log_file_is_known(kind: str) -> None:
    """A forged one is else never told, as nothing is known of its time."""
    folder = f"AWSLogs/111122223333/{kind}/us-east-1/2026/11/20/"

    named = delivery_span(f"{folder}111122223333_{kind}_us-east-1_20261120T1915Z_abc.json.gz")

    assert named == (datetime(2026, 11, 20, 19, 15, tzinfo=UTC), datetime(2026, 11, 20, 19, 30, tzinfo=UTC))
    assert delivery_span(f"{folder}evil.json.gz") is not None


@pytest.mark.parametrize("name", ["99991231T2359Z", "00010101T0000Z"])
def test_delivery_at_the_ends_of_the_calendar_is_a_time(name: str) -> None:
    """A name is anybody's text."""
    year, month, day = name[:4], name[4:6], name[6:8]
    folder = f"AWSLogs/111122223333/CloudTrail/us-east-1/{year}/{month}/{day}/"

    for span in (
        delivery_span(f"{folder}111122223333_CloudTrail_us-east-1_{name}_abc.json.gz"),
        delivery_span(f"{folder}x.json.gz"),
    ):
        assert span
        assert span[0] < span[1]


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("AWSLogs/1/x", ("", "AWSLogs/1/x")),
        ("p/AWSLogs/1/x", ("p/", "AWSLogs/1/x")),
        ("AWSLogs/p/AWSLogs/1/x", ("AWSLogs/p/", "AWSLogs/1/x")),
        ("myAWSLogs/1/x", ("", "myAWSLogs/1/x")),
    ],
)
def test_root_is_what_stands_before_the_last_awslogs(key: str, parts: tuple[str, str]) -> None:
    """A prefix is free text."""
    assert split_root(key) == parts
