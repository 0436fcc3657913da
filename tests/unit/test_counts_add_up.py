"""Counts add up wherever they are shown, also of a log file that can be read no further than its middle."""

import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.unit.conftest import RULE
from tests.unit.log_files import broken_log_file, log_file
from trailbell.cli.main import cli
from trailbell.cli.scan.run import Plan, Scan, run_scan
from trailbell.cli.scan.work import Part, work
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.notification import Item, ObjectRef
from trailbell.cloudtrail.object_key import classify_key
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError
from trailbell.flows.counters import DetectorCounters
from trailbell.flows.detector import Detector
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.lookback.replay import replay_message
from trailbell.rulebook.cases import BASE_RECORD


SEEN = "2026-11-20T10:00:00Z"
BOOK = Rulebook((RULE,))
OTHER = {**BASE_RECORD, "eventSource": "s3.amazonaws.com", "eventName": "GetObject"}
COUNTED = re.compile(
    r"records: (\d+) read = (\d+) matched against rules \+ (\d+) not watched \+ (\d+) malformed"
    r"(?: \((\d+) of them in log files not read to their end\))?; hits: (\d+)"
)


def disable_key(number: int) -> dict[str, Any]:
    return {**BASE_RECORD, "eventID": f"e{number}", "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log file that breaks off behind two records, one with a hit, and a whole one with a hit."""
    logs = tmp_path / "AWSLogs"
    logs.mkdir()
    (logs / "a.json.gz").write_bytes(broken_log_file(disable_key(1), OTHER, disable_key(2)))
    (logs / "b.json.gz").write_bytes(log_file(disable_key(3), "no record"))
    return logs


@pytest.mark.parametrize("jobs", [1, 2])
def test_scan_counts_the_records_that_its_hits_are_from(folder: Path, jobs: int) -> None:
    """`0 records, 1 hit` is no answer to somebody who asks whether all was read."""
    result = run("scan", folder, "--format", "jsonl", "--jobs", jobs)

    assert result.exit_code == 2
    assert [json.loads(line)["eventID"] for line in result.stdout.splitlines()] == ["e1", "e3"]
    assert "log files: 1 read, 1 unreadable; ignored: 0" in result.stderr
    (counts,) = COUNTED.findall(result.stderr)
    assert counts == ("4", "2", "1", "1", "2", "2")


def test_summary_counts_the_same_hits(folder: Path) -> None:
    """The lines of a summary and the counts below it are of the same records."""
    result = run("scan", folder, "--summary", "--format", "jsonl")

    assert sum(json.loads(line)["hits"] for line in result.stdout.splitlines()) == 2
    assert "hits: 2" in result.stderr


def test_resumed_scan_counts_an_unreadable_log_file_once(folder: Path, tmp_path: Path) -> None:
    """It is tried again each time, so what is remembered must not hold it."""
    first, second = (run("scan", folder, "--format", "jsonl", "--resume", tmp_path / "state") for _ in range(2))

    assert COUNTED.findall(first.stderr) == COUNTED.findall(second.stderr) == [("4", "2", "1", "1", "2", "2")]


def test_report_says_how_many_records_are_from_log_files_that_break_off(folder: Path, tmp_path: Path) -> None:
    """Its hits are in the report, so its records are in the count."""
    page = tmp_path / "report.html"

    run("report", "--from-scan", folder, "-o", page)

    text = page.read_text(encoding="utf-8")
    assert f"2 records in 1 log file of {folder}, 1 could not be read but for 2 records." in text


def test_interrupted_scan_counts_the_records_that_its_hits_are_from(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a large log file: what was printed is counted, and that it was cut short is said."""
    file = tmp_path / "large.json.gz"
    file.write_bytes(log_file(*map(disable_key, range(1300))))
    result, taken = Scan(), list[str]()
    plan = Plan(BOOK, Selection(), SEEN, 1, Progress(1, 0, "files"), lambda: bool(taken))

    for hit in run_scan([file], plan, result):
        taken.append(hit.event_id)

    assert (len(taken), result.counts.hits, result.files_read) == (500, 500, 0)
    assert result.counts.records_read == result.partial >= 500
    assert result.counts.balanced
    assert (result.cut, result.interrupted) == (True, True)


@pytest.mark.parametrize("full_parse_bytes", [0, 1_000_000])
def test_counts_balance_at_every_hit(full_parse_bytes: int) -> None:
    """Whoever stops reading does it at a hit, in the middle of a block of the prefilter or not."""
    records = [one for number in range(60) for one in (disable_key(number), OTHER, 5)]
    counts, detector = DetectionCounts(), HitDetector(BOOK, full_parse_bytes)

    for number, _ in enumerate(detector.detect([log_file(*records)], "b", classify_key("k"), SEEN, counts), start=1):
        assert counts.balanced
        assert counts.hits == number <= counts.records_matched
    assert (counts.records_read, counts.bytes_inflated > 0) == (180, True)


@pytest.mark.parametrize("full_parse_bytes", [0, 1_000_000])
def test_counts_of_a_broken_log_file_are_those_of_its_readable_part(full_parse_bytes: int) -> None:
    """The same in both ways of reading."""
    counts, detector = DetectionCounts(), HitDetector(BOOK, full_parse_bytes)
    body = broken_log_file(disable_key(1), OTHER, disable_key(2))

    with pytest.raises(LogFileError):
        list(detector.detect([body], "b", classify_key("k"), SEEN, counts))

    assert (counts.records_read, counts.records_matched, counts.records_not_watched, counts.hits) == (2, 1, 1, 1)
    assert counts.bytes_inflated > 24_000


def test_record_that_our_own_defect_stops_at_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes back with its log file; counts that do not add up would say that something was lost."""
    counts = DetectionCounts()
    monkeypatch.setattr("trailbell.hits.detect.facts_of", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        list(HitDetector(BOOK).detect([log_file(OTHER, disable_key(1))], "b", classify_key("k"), SEEN, counts))

    assert (counts.records_read, counts.balanced) == (1, True)


@pytest.mark.slow
def test_parts_of_a_log_file_add_up_to_it() -> None:
    """Each part is counted when its hits are shown."""
    detector, body = HitDetector(BOOK), log_file(*map(disable_key, range(1300)), OTHER)
    parts: list[Part] = list(work(detector, Path("a.json"), lambda: [body], Selection(), SEEN))
    whole = DetectionCounts()
    list(HitDetector(BOOK).detect([body], "", classify_key("a.json"), SEEN, whole))

    added = DetectionCounts()
    for part in parts:
        assert part.counts.balanced
        added.add(part.counts)

    assert [part.last for part in parts] == [False, False, True]
    assert asdict(added) == asdict(whole)


class _Table:
    """Takes all hits as new ones."""

    def keep(self, hits: Sequence[Hit]) -> int:
        return len(hits)


class _Kept:
    """Serves one log file, takes its malformed records, writes no log."""

    def __init__(self, body: bytes) -> None:
        self._body, self.malformed = body, list[int]()

    def read(self, ref: ObjectRef) -> list[bytes]:
        return [self._body]

    def keep(self, ref: ObjectRef, malformed: Sequence[MalformedRecord]) -> None:
        self.malformed += [one.index for one in malformed]

    def failed(self, what: str, error: Exception) -> None:
        assert isinstance(error, LogFileError), what

    def refused(self, event: Envelope, reason: Refusal) -> None:
        raise AssertionError(reason)

    def malformed_record(self, item: Item, index: int, reason: str) -> None:
        self.malformed.append(index)

    def foreign(self, ref: ObjectRef) -> None:
        """Nothing is foreign here."""


def test_malformed_records_of_a_broken_log_file_are_named_and_kept() -> None:
    """They are counted, and what is counted is shown somewhere."""
    text = gzip.decompress(log_file(disable_key(0), "no record"))[:-2] + b", "
    text += json.dumps([disable_key(n) for n in range(9)])[1:-40].encode()
    kept = _Kept(text)
    detector = Detector(HitDetector(BOOK), kept, _Table(), kept, lambda: SEEN, 10**9, kept)
    ref = ObjectRef("b", "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/a.json.gz")

    counters = detector.detect(replay_message(ref, notify=True), "m")

    assert kept.malformed == [1, 1]
    assert (counters.objects_failed, counters.records_read, counters.records_malformed, counters.hits_new) == (
        1,
        10,
        1,
        9,
    )
    assert counters.balanced


def test_hits_without_records_are_a_mismatch() -> None:
    """The alarm on counts sees it, too."""
    counters = DetectorCounters(objects_received=1, objects_failed=1, hits_new=1)
    counters.failures["Corrupt"] = 1

    assert not counters.balanced
    assert replace(counters, records_read=1, records_matched=1).balanced
