"""A scan by several processes: the same hits, episodes and counts as by one, whatever is dealt to whom."""

import gzip
import json
import os
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.unit.log_files import log_file
from tests.unit.test_episode_hits import disable, read, rulebook
from trailbell.cli.scan import workers as workers_module
from trailbell.cli.scan.run import Plan, Scan, jobs_for, run_scan
from trailbell.cli.scan.worker import Records, Task
from trailbell.cli.scan.workers import Workers
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.hit import hit_document


SEEN_AT = "2026-09-01T10:05:00Z"
DEEP = 400  # deep enough for pickle to give up where a record's fields are sent, and not for a rule


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": value}
    return value


def mixed_files(folder: Path) -> Iterator[Path]:
    """Log files of no records and of many, gzipped or not, whose acts make episodes across them; some are broken."""
    rng = random.Random("files of a scan")  # noqa: S311 (made-up data)
    folder.mkdir()
    for number in range(60):
        acts = [
            disable(number, number % 60),
            *(disable(rng.randrange(200), 9) for _ in range(rng.choice((0, 0, 1, 3)))),
        ]
        acts += [read(rng.randrange(60)) for _ in range(rng.choice((0, 1, 2)))]
        if number == 5:
            acts = []
        if number == 7:
            acts += [disable(1000 + one, 30) for one in range(1200)]  # more than is told at once
        if number == 11:
            acts += [{**disable(5000 + one, 50 + one), "additionalEventData": nested(DEEP)} for one in range(4)]
        content = json.dumps({"Records": acts}).encode()
        if number == 13:
            content = content.replace(b'"Records": [', b'"Records": [nonsense, ', 1)
        if number == 17:
            content = content[: len(content) // 2]
        file = folder / f"{number:02}.json.gz"
        file.write_bytes(gzip.compress(content) if number % 2 else content)
        yield file
    (folder / "60.json.gz").write_bytes(b"\x1f\x8bbroken")
    yield folder / "60.json.gz"
    yield folder / "61.json.gz"  # which is not there


def outcome(files: list[Path], rules: Rulebook, jobs: int) -> tuple[list[str], dict[str, Any]]:
    result = Scan()
    plan = Plan(rules, Selection(), SEEN_AT, jobs, Progress(1, 1, "files"), stopped=lambda: False)
    hits = [json.dumps(hit_document(hit)) for hit in run_scan([*files], plan, result)]
    members = {name: getattr(result, name) for name in ("files_read", "unreadable", "partial", "outside", "episodes")}
    counts = asdict(result.counts)
    del counts["records_fully_parsed"]  # each of several processes begins with the prefilter
    return hits, {**members, **counts, "span": (result.span.first, result.span.last)}


@pytest.mark.parametrize("batch_seconds", [0.0, 0.02, 1000.0])
def test_any_number_of_processes_comes_to_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, batch_seconds: float
) -> None:
    """Byte for byte, what is said of broken files included, whether files are dealt one by one or together."""
    monkeypatch.setattr(workers_module, "_BATCH_SECONDS", batch_seconds)
    files, rules = list(mixed_files(tmp_path / "logs")), rulebook(tmp_path)
    alone = outcome(files, rules, 1)
    said = capsys.readouterr().err

    assert alone[1]["episodes"] == 2
    assert alone[1]["records_malformed"] == 1
    assert len(alone[1]["unreadable"]) == 3
    assert len(alone[0]) > 1200
    for jobs in (2, 3):
        assert outcome(files, rules, jobs) == alone
        assert capsys.readouterr().err == said


def test_records_are_read_again_by_the_processes_and_what_is_gone_is_left_out(tmp_path: Path) -> None:
    """A log file that was removed meanwhile must not end the scan, and one that a record nests deeply in is read."""
    deep = {**disable(2, 2), "additionalEventData": nested(DEEP)}
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for path, record in zip(paths, (disable(1, 1), deep, disable(3, 3)), strict=True):
        path.write_bytes(log_file(read(1), record))
    paths[2].unlink()

    with Workers(Task(rulebook(tmp_path), paths, Selection(), SEEN_AT), 2) as workers:
        found = dict(workers.read_again([Records(number, path, [0, 1, 7], [1]) for number, path in enumerate(paths)]))

    assert {number: {at: act.event_id for at, (act, _) in records.items()} for number, records in found.items()} == {
        0: {0: "r-1", 1: "d-1"},
        1: {0: "r-1", 1: "d-2"},
        2: {},
    }
    (_, nothing), (_, entry) = found[1][0], found[1][1]
    assert nothing is None
    assert entry
    assert json.loads(entry.text) == deep


def test_processes_are_as_many_as_there_is_work_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process costs a tenth of a second: of two records it would make a scan half as fast."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(4), raising=False)
    for number in range(1200):
        (tmp_path / f"{number:04}.json.gz").write_bytes(bytes(20_000 if number < 200 else 100))
    small, large = sorted(tmp_path.iterdir())[200:], sorted(tmp_path.iterdir())[:200]

    assert [jobs_for([*small[:count]], None) for count in (0, 1, 100, 600, 1000)] == [1, 1, 1, 2, 3]
    assert [jobs_for([*large[:count]], None) for count in (2, 100, 200)] == [1, 1, 2]
    assert jobs_for([*large, *small], None) == 4
    assert jobs_for([*small[:2]], 3) == 2


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("gone", "left"), [([2], ["d-1", "d-2"]), ([0], ["d-2", "d-3"]), ([1, 2], ["d-1"]), ([0, 1, 2], [])]
)
def test_an_episode_is_told_by_the_records_that_are_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: int, gone: list[int], left: list[str]
) -> None:
    """Log files that go while a scan runs, the last of an episode among them, whose record the hit is made of."""
    paths = [tmp_path / f"{number}.json" for number in range(3)]
    for number, path in enumerate(paths, start=1):
        path.write_bytes(log_file(disable(number, number)))
    plan = Plan(rulebook(tmp_path), Selection(), SEEN_AT, jobs, Progress(1, 1, "files"), stopped=lambda: False)
    hits = run_scan([*paths], plan, result := Scan())

    assert [next(hits).event_id for _ in paths] == ["d-1", "d-2", "d-3"]
    for number in gone:
        paths[number].unlink()
    episodes = [hit.episode for hit in hits if hit.episode]

    assert [[act.event_id for act in one.acts] for one in episodes] == ([left] if left else [])
    assert result.episodes == 1
    assert ("they cannot be read again" in capsys.readouterr().err) == (not left)
