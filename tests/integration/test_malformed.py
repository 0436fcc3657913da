"""Bad records are kept once, apart from hits, and `trailbell malformed` shows them without their values."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.store.malformed import DynamoMalformedRecords
from trailbell.store.query.malformed import find_malformed


ReadRows = Callable[[str], list[dict[str, Any]]]
TODAY = datetime.now(UTC)  # of the import: whoever writes and reads by a day is given this one
KEY = f"AWSLogs/111122223333/CloudTrail/eu-central-1/{TODAY:%Y/%m/%d}/a.json.gz"
SECRET = json.dumps({"eventName": "PutParameter", "requestParameters": {"value": "hunter2"}}).encode()


@pytest.fixture
def malformed(dynamodb: Any, table: str) -> DynamoMalformedRecords:
    return DynamoMalformedRecords(dynamodb, table, 400)


def given_bad(index: int = 0, content: bytes = SECRET) -> MalformedRecord:
    return MalformedRecord(index, "record is not valid JSON", content)


def test_bad_record_read_again_is_one_row(malformed: DynamoMalformedRecords, read_rows: ReadRows) -> None:
    """A log file that comes five times has no more bad records than one that comes once."""
    for _ in range(3):
        malformed.keep(ObjectRef("trail", KEY), [given_bad(0), given_bad(7)])

    assert [row["index"] for row in read_rows("bad")] == [0, 7]
    assert read_rows("") == read_rows("bad")


def test_bad_records_of_one_file_are_all_kept(malformed: DynamoMalformedRecords, read_rows: ReadRows) -> None:
    """DynamoDB takes 25 rows a request."""
    malformed.keep(ObjectRef("trail", KEY), [given_bad(number) for number in range(100)])

    assert len(read_rows("bad")) == 100


def test_values_are_not_kept(malformed: DynamoMalformedRecords, read_rows: ReadRows) -> None:
    """Whoever may read the hit table need not be one who may read log files."""
    malformed.keep(ObjectRef("trail", KEY), [given_bad(0), given_bad(1, SECRET[:-3])])

    assert "hunter2" not in json.dumps(read_rows(""))
    assert all("PutParameter" in row["outline"] for row in read_rows("bad"))


def test_longest_key_fits(malformed: DynamoMalformedRecords, read_rows: ReadRows) -> None:
    """A sort key takes as many bytes as S3 gives to a key alone; refused, the log file would never be done."""
    prefix = "p" * (1024 - len(KEY) - 1)

    malformed.keep(ObjectRef("b" * 63, f"{prefix}/{KEY}"), [given_bad()])

    (row,) = read_rows("bad")
    assert row["key"] == f"{prefix}/{KEY}"


def test_bad_records_are_found_by_their_log_files_day(
    malformed: DynamoMalformedRecords, dynamodb: Any, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader knows when, not where; what names no day is of the day that it was read."""
    monkeypatch.setattr("trailbell.store.malformed.time", SimpleNamespace(time=TODAY.timestamp))
    yesterday = TODAY - timedelta(days=1)
    malformed.keep(ObjectRef("trail", KEY), [given_bad(1)])
    malformed.keep(ObjectRef("trail", KEY.replace(f"{TODAY:%Y/%m/%d}", f"{yesterday:%Y/%m/%d}")), [given_bad(2)])
    malformed.keep(ObjectRef("trail", "copied by hand.json"), [given_bad(3)])

    days = [f"{day:%Y-%m-%d}" for day in (TODAY, yesterday)]

    assert sorted(one.index for one in find_malformed(dynamodb, table, days[:1])) == [1, 3]
    assert [one.index for one in find_malformed(dynamodb, table, days)][-1] == 2


def test_command_shows_where_and_what(malformed: DynamoMalformedRecords, table: str) -> None:
    """What nobody can see is lost, wherever it is kept."""
    malformed.keep(ObjectRef("trail", KEY), [given_bad(4)])

    listed = CliRunner().invoke(cli, ["malformed", "--table", table], catch_exceptions=False)
    lines = CliRunner().invoke(cli, ["malformed", "--table", table, "--format", "jsonl"], catch_exceptions=False)

    assert "record is not valid JSON" in listed.output
    assert f"s3://trail/{KEY}" in listed.output
    (line,) = map(json.loads, lines.output.splitlines())
    assert (line["bucket"], line["key"], line["index"], line["size"]) == ("trail", KEY, 4, len(SECRET))


def test_command_shows_hostile_names_as_data(malformed: DynamoMalformedRecords, table: str) -> None:
    """Names of members are chosen by whoever wrote the record, and this is somebody's terminal."""
    malformed.keep(ObjectRef("trail", KEY), [given_bad(0, b'{"\\u001b[31mred\\u202e": 1}')])

    listed = CliRunner().invoke(cli, ["malformed", "--table", table], catch_exceptions=False)

    assert "\x1b" not in listed.output
    assert "\u202e" not in listed.output


def test_expired_rows_are_not_shown(dynamodb: Any, table: str) -> None:
    """DynamoDB removes expired rows days late."""
    DynamoMalformedRecords(dynamodb, table, -1).keep(ObjectRef("trail", KEY), [given_bad()])

    assert list(find_malformed(dynamodb, table, [f"{TODAY:%Y-%m-%d}"])) == []
