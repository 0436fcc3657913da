"""`trailbell cost`: a bill from names and sizes alone."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli
from trailbell.errors import SettingsError
from trailbell.lookback.bill import Work, monthly_cost
from trailbell.lookback.listed import BYTES_A_RECORD, listed


TODAY = date(2026, 11, 29)


def key(account: int, region: str, day: str, number: int = 0) -> str:
    return f"logs/AWSLogs/{account:012}/CloudTrail/{region}/{day}/{account:012}_CloudTrail_{region}_{number}.json.gz"


def test_days_without_a_log_file_count_and_today_does_not() -> None:
    """A quiet Sunday is a day, too; and half a day would look like a cheap one."""
    files = [
        (key(1, "eu-central-1", "2026/11/20", 1), 400),
        (key(1, "eu-central-1", "2026/11/20", 2), 400),
        (key(2, "us-east-1", "2026/11/23"), 1200),
        (key(2, "us-east-1", "2026/11/29"), 9999),
        ("somewhere/else.json.gz", 7),
    ]

    found = listed(files, TODAY)

    assert found
    assert (found.days, found.files, found.bytes_stored, found.outside) == (4, 3, 2000, 2)
    assert found.work == Work(accounts=2, files=0.75, records=2000 / BYTES_A_RECORD / 4, hits=2.5), (
        "a record makes one hit at most"
    )


@pytest.mark.parametrize(
    "files", [[], [("a.json.gz", 1)], [(key(1, "x", "2026/11/29"), 1)], [(key(1, "x", "2026/02/31"), 1)]]
)
def test_nothing_of_a_whole_day_is_no_bill(files: list[tuple[str, int]]) -> None:
    """Nought dollars would be the wrong answer."""
    assert listed(files, TODAY) is None


def test_bill_is_the_models(tmp_path: Path) -> None:
    """A folder is listed as a bucket is; nothing in it is opened."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for number in range(5):
        file = tmp_path / key(1, "eu-central-1", f"{yesterday:%Y/%m/%d}", number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"no gzip at all" * 100)

    answer = CliRunner().invoke(cli, ["cost", str(tmp_path), "--format", "json"])

    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.output)
    expected = monthly_cost(Work.of(1, 5, 5 * 1400 / BYTES_A_RECORD))
    assert said["dollarsAMonth"]["all"] == pytest.approx(expected.total)
    assert (said["logFiles"], said["accounts"]) == (5, ["000000000001"])
    text = CliRunner().invoke(cli, ["cost", str(tmp_path)]).output
    assert f"{expected.total:,.2f}   dollars a month" in text
    assert max(map(len, text.splitlines())) <= 80


def test_place_without_log_files_is_refused(tmp_path: Path) -> None:
    """With the words that say what was looked for."""
    answer = CliRunner().invoke(cli, ["cost", str(tmp_path)])

    assert isinstance(answer.exception, SettingsError)
    assert "no log file of a whole day" in str(answer.exception)
