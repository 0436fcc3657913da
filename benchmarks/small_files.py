"""Matching of small log files in one process, the making of hits, and what correlations cost records that none counts.

CPU of one thread, contenders in turns; the files are those of benchmarks/folders.py, made anew for each run.
"""

import gzip
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.corpus import log_file
from benchmarks.folders import folders
from benchmarks.measure import Contender, Row, keep, ratios, row, take_turns
from benchmarks.reading import floor
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cloudtrail.logfile import read_records
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Rulebook
from trailbell.hits.base_match import BaseMatch
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import hit_document


_RECORDS = 20_000
_SEEN_AT = "2026-11-20T10:00:00Z"
_NO_HITS = "kms"  # the mix of benchmarks/corpus.py in which no rule finds anything
_SMALL, _TYPICAL = 50, 1000
_KEY = classify_key("key")


def rows(given: Path | None = None, rounds: int = 7) -> Iterator[Row]:
    """Targets e, f and l."""
    rulebook = find_rulebook(None, ())
    with tempfile.TemporaryDirectory() as name:
        made = folders(Path(name), given, _RECORDS)
        bodies = [file.read_bytes() for file in sorted(made.small.rglob("*.gz"))]
    half = len(bodies) // 2  # the first half warms what is remembered, the second was never seen
    yield from _matching(rulebook, bodies[:half], bodies[half:], f"{made.what}, {len(bodies) - half:,} small files")
    yield from _without_hits(rulebook, rounds)
    yield from _hits(rulebook, bodies, rounds, made.what)
    yield from _correlating(rulebook, bodies, rounds, made.what)


def _detecting(rulebook: Rulebook, *, correlating: bool) -> Callable[[bytes], int]:
    detector = HitDetector(rulebook, full_parse_bytes=0, correlating=correlating, shares_max=None)

    def detect(body: bytes) -> int:
        return sum(1 for _ in detector.detect_all([body], "", _KEY, _SEEN_AT, DetectionCounts()))

    return detect


def _matching(rulebook: Rulebook, known: Sequence[bytes], fresh: Sequence[bytes], what: str) -> Iterator[Row]:
    """e. Each round is a tenth of the files, none of which was read before."""
    contenders: dict[str, Contender] = {
        "ours": _detecting(rulebook, correlating=True),
        "json": lambda body: json.loads(gzip.decompress(body)),
        "floor": floor,
    }
    for contender in contenders.values():
        for body in known:
            contender(body)
    costs = take_turns(contenders, fresh)
    rounds = {name: [sum(values[start::10]) for start in range(10)] for name, values in costs.items()}
    yield row(f"e. matching / gzip + json.loads, {what}", "<= 0.35", ratios(rounds, "ours", "json"))
    yield row(f"   the same / inflating, {what}", "", ratios(rounds, "ours", "floor"))


def _without_hits(rulebook: Rulebook, rounds: int) -> Iterator[Row]:
    detect = _detecting(rulebook, correlating=True)
    for seed in range(200):
        detect(log_file(_NO_HITS, _SMALL, 1_000_000 + seed))
    files = [log_file(_NO_HITS, _SMALL, seed) for seed in range(rounds * 20)]
    costs = take_turns({"ours": detect, "floor": floor}, files)
    summed = {name: [sum(values[start::rounds]) for start in range(rounds)] for name, values in costs.items()}
    yield row("e. files of 50 records without hits / inflating", "<= 3", ratios(summed, "ours", "floor"))


def _hits(rulebook: Rulebook, bodies: Sequence[bytes], rounds: int, what: str) -> Iterator[Row]:
    """f. From a parsed record that makes a hit to what is printed of it, but for the text of JSON."""
    detector = HitDetector(rulebook)
    records = [one for body in bodies for one in read_records([body]) if isinstance(one, dict)]
    reported = [record for record in records if detector.detect_record(record, _SEEN_AT)]

    def seconds(make: Callable[[Any], object]) -> float:
        keep()
        began = time.thread_time()
        for record in reported:
            make(record)
        return (time.thread_time() - began) / len(reported)

    def document(record: Any) -> object:
        hit = detector.detect_record(record, _SEEN_AT)
        return hit and hit_document(hit)

    values = [seconds(document) * 1e6 for _ in range(rounds)]
    yield row(
        f"f. one hit, record to document, in millionths of a second, {what}, {len(reported)} hits", "<= 60", values
    )


def _correlating(rulebook: Rulebook, bodies: Sequence[bytes], rounds: int, what: str) -> Iterator[Row]:
    """l. The records that no correlation counts, in files of 1,000, with correlations and without."""
    detector = HitDetector(rulebook, full_parse_bytes=0, correlating=True, shares_max=None)
    left = list[Any]()
    for body in bodies:
        found = detector.detect_all([body], "", _KEY, _SEEN_AT, DetectionCounts())
        counted = {one.record.index for one in found if isinstance(one, BaseMatch)}
        left += [one for at, one in enumerate(read_records([body])) if at not in counted and isinstance(one, dict)]
    files = [
        gzip.compress(json.dumps({"Records": left[at : at + _TYPICAL]}, separators=(",", ":")).encode())
        for at in range(0, len(left), _TYPICAL)
    ]
    with_, without = _detecting(rulebook, correlating=True), _detecting(rulebook, correlating=False)
    contenders: dict[str, Contender] = {"with": with_, "without": without}
    for contender in contenders.values():
        for file in files:
            contender(file)
    costs = take_turns(contenders, files * rounds)
    summed = {name: [sum(values[start::rounds]) for start in range(rounds)] for name, values in costs.items()}
    yield row(
        f"l. with correlations / without, {what}, {len(left):,} records that none counts",
        "<= 1.02",
        ratios(summed, "with", "without"),
    )
