"""Examples played this morning: every time moved by as much, and nothing else."""

import gzip
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.shipped import ROOT
from trailbell.cli.local.expectation import expectation_for
from trailbell.cli.local.shifted_files import answered_time, shift_to_this_morning, shifted, this_morning
from trailbell.cli.scan.log_files import find_log_files
from trailbell.text.times import iso_time


EXAMPLES = ROOT / "examples"
NOON = datetime(2027, 3, 1, 12, 30, tzinfo=UTC)  # another year, and a shorter month between
FIRST, LAST = datetime(2026, 11, 20, 9, 0, 4, tzinfo=UTC), datetime(2026, 11, 20, 10, 10, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 11, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def played(target: Path, now: datetime) -> dict[str, Any]:
    """Key → document of the examples as they are played at a time."""
    files = find_log_files([EXAMPLES / "AWSLogs"]).everything
    written = shift_to_this_morning(EXAMPLES, files, target, now)
    return {file.relative_to(target).as_posix(): json.loads(gzip.decompress(file.read_bytes())) for file in written}


def without_day(*identity: str) -> tuple[str, ...]:
    """Denials are gathered by the day, which their hit's id begins with."""
    return tuple(re.sub(r"^\d{4}-\d{2}-\d{2}", "", part) for part in identity)


def told_of_another_day(folder: Path) -> dict[str, Any]:
    """Key → document of the story itself, had it been written of the first of March 2027."""
    place = folder / "examples"
    place.mkdir()
    for source in [*EXAMPLES.glob("*.py"), EXAMPLES / "noise.jsonl"]:
        text = source.read_text(encoding="utf-8")
        for ours, theirs in (
            ("2026-11-20", "2027-03-01"),
            ("2026/11/20", "2027/03/01"),
            ("Nov 20, 2026", "Mar 1, 2027"),
        ):
            text = text.replace(ours, theirs)
        (place / source.name).write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "examples.story"], cwd=folder, check=True)
    return {
        file.relative_to(place).as_posix(): json.loads(gzip.decompress(file.read_bytes()))
        for file in place.rglob("*.gz")
    }


def test_examples_are_what_they_would_be_had_they_been_written_of_that_day(tmp_path: Path) -> None:
    """Deadlines, sessions, names, log streams and the digest file's hashes: nothing is left behind."""
    assert played(tmp_path / "played", NOON) == told_of_another_day(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["00:20", "01:09", "01:11", "05:00", "09:30", "10:09", "10:10", "23:59"])
def test_all_hits_are_of_the_last_day_and_what_they_come_to_is_the_same(tmp_path: Path, clock: str) -> None:
    """At any time of the day the demo is the same, and default windows find all of it."""
    now = datetime.fromisoformat(f"2026-12-31T{clock}:00+00:00")
    played(tmp_path, now)
    before, after = expectation_for(), expectation_for()
    before.read(find_log_files([EXAMPLES / "AWSLogs"]).files, iso_time(now))
    after.read(find_log_files([tmp_path]).files, iso_time(now))

    was = {without_day(*identity): hit for identity, hit in before.hits.items()}
    became = {without_day(*identity): hit for identity, hit in after.hits.items()}
    assert became.keys() == was.keys()
    assert (after.follow_ups, after.episodes) == (before.follow_ups, before.episodes)
    moved = {
        datetime.fromisoformat(hit.event_time) - datetime.fromisoformat(was[identity].event_time)
        for identity, hit in became.items()
    }
    times = [datetime.fromisoformat(hit.event_time) for hit in after.hits.values()]
    assert len(moved) == 1
    assert now - timedelta(hours=24) < min(times) <= max(times) <= now
    assert {key.parent.relative_to(tmp_path).as_posix()[-10:] for key in tmp_path.rglob("*.gz")} == {
        f"{min(times):%Y/%m/%d}"
    }


@given(MOMENTS)
@example(datetime(2026, 11, 20, 1, 10, 3, tzinfo=UTC))
@example(LAST)
def test_morning_has_just_passed_and_is_of_one_day(now: datetime) -> None:
    """Nothing is of the future, and a key's day is that of its records."""
    shift, days = this_morning(FIRST, LAST, now)

    assert now - timedelta(hours=24) < FIRST + shift
    assert LAST + shift <= now
    assert (FIRST + shift).date() == (LAST + shift).date() == (FIRST + days).date()
    assert not (shift % timedelta(hours=1))


@given(MOMENTS, st.integers(-40_000, 40_000), st.integers(-900, 900))
def test_each_form_of_a_time_is_moved_by_as_much(at: datetime, minutes: int, days: int) -> None:
    """Also where a form has no seconds, or is of a single digit."""
    at = at.replace(microsecond=0)
    shift = timedelta(minutes=minutes)

    def forms(moment: datetime, day: datetime) -> str:
        return (
            f'{{"a":"{iso_time(moment)}","b":"{answered_time(moment)}"}} AWSLogs/1/{day:%Y/%m/%d}/1_'
            f"{moment:%Y%m%dT%H%M}Z_x {moment:%Y%m%dT%H%M%S}Z"
        )

    text = forms(at, at)
    assert shifted(text, shift, timedelta(days=days)) == forms(at + shift, at + timedelta(days=days))


@pytest.mark.parametrize(
    "text",
    ["2012-10-17", "65d02051-544b-4add-8e4e-c3a19a7861ab", "2026-13-01T00:00:00Z", "9999-12-31T23:59:59Z", "2023"],
)
def test_what_is_no_time_stays(text: str) -> None:
    """A policy's version is no date of the story."""
    assert shifted(text, timedelta(days=9), timedelta(days=9)) == text
