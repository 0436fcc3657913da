"""What one small log file costs in a process that was just started: everything that is imported is paid for once.

A full parse is the same rules by the same matcher, on what gzip.decompress and json.loads give.
"""

import gzip
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus import log_file
from benchmarks.measure import Row, ratios, row
from benchmarks.reading import shipped_rules
from trailbell.engine.rulebook import Rulebook, dump_rulebook


_SETUP = """
import sys
from pathlib import Path
from trailbell.engine.rulebook import load_rulebook
rulebook = load_rulebook(Path(sys.argv[1]).read_text(encoding="utf-8"))
"""
_OURS = (
    _SETUP
    + """
from trailbell.cloudtrail.object_key import classify_key
from trailbell.hits.detect import DetectionCounts, HitDetector
body = [Path(sys.argv[2]).read_bytes()]
list(HitDetector(rulebook).detect(body, "b", classify_key("k"), "2026-11-20T10:00:00Z", DetectionCounts()))
"""
)
_PLAIN = (
    _SETUP
    + """
import gzip, json
from trailbell.hits.detect import HitDetector
hit_detector = HitDetector(rulebook)
for record in json.loads(gzip.decompress(Path(sys.argv[2]).read_bytes()))["Records"]:
    hit_detector.detect_record(record, "2026-11-20T10:00:00Z")
"""
)


def small_file(rounds: int = 15) -> Iterator[Row]:
    """Target j."""
    with tempfile.TemporaryDirectory() as folder:
        rulebook, log = Path(folder) / "rulebook.json", Path(folder) / "log.json.gz"
        rulebook.write_text(dump_rulebook(Rulebook(shipped_rules())), encoding="utf-8")
        log.write_bytes(log_file("general", 50, 1))
        costs: dict[str, list[float]] = {"ours": [], "plain": []}
        for number in range(rounds):
            for name, code in (("ours", _OURS), ("plain", _PLAIN))[:: 1 if number % 2 else -1]:
                costs[name].append(cpu_seconds([sys.executable, "-c", code, str(rulebook), str(log)]))
    yield row("j. one file of 50 records, fresh process / gzip + json", "<= 1.0", ratios(costs, "ours", "plain"))


def start_up(rounds: int = 25) -> Iterator[Row]:
    """`trailbell scan` of a file of two records, whole process, against importing four modules of the library."""
    calls = {"no hits": ("GenerateDataKey", "Decrypt"), "two hits": ("DisableKey", "ScheduleKeyDeletion")}
    with tempfile.TemporaryDirectory() as folder:
        for name, called in calls.items():
            log = Path(folder) / f"{name}.json.gz"
            records = [
                {
                    **json.loads(gzip.decompress(log_file("kms", 1, 1)))["Records"][0],
                    "eventName": call,
                    "errorCode": None,
                }
                for call in called
            ]
            log.write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
            yield _start_up(log, name, rounds)


def _start_up(log: Path, name: str, rounds: int) -> Row:
    program = str(Path(sys.executable).parent / "trailbell")
    commands = {
        "imports": [sys.executable, "-c", "import json, gzip, argparse, logging"],
        "scan": [program, "scan", str(log), "-q", "-o", os.devnull],
    }
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a user's Python keeps it
    cpu_seconds(commands["scan"])  # the rulebook is compiled, and kept
    costs: dict[str, list[float]] = {each: [] for each in commands}
    for number in range(rounds):
        for each in list(commands)[:: 1 if number % 2 else -1]:
            costs[each].append(cpu_seconds(commands[each]))
    title = f"k. scan of two records ({name}), whole process / importing json, gzip, argparse, logging"
    return row(title, "<= 5", ratios(costs, "scan", "imports"))


def cpu_seconds(command: list[str]) -> float:
    """User and system time of a process and its children. Raises RuntimeError if it fails."""
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{command[:2]} failed: {status}")
    return usage.ru_utime + usage.ru_stime
