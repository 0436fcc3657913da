"""`trailbell scan` of a folder by two processes against one, starting and ending them included.

    .venv/bin/python -m benchmarks.scan [--files 400] [--records 1000] [--rounds 5]

Each round scans log files not seen in the round before (repeated input flatters every memo), once with one process
and once with two, in turns, and compares what came out: it must be the same hits in the same order. The second row
is what the machine itself gives: the same files, half to each of two processes that share nothing. Only on an idle
machine can either be near two.
"""

import argparse
import hashlib
import multiprocessing
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.corpus import log_file
from trailbell.cli.options.rulebooks import find_rulebook
from trailbell.cli.scan.log_files import find_log_files
from trailbell.cli.scan.run import Plan, Scan, run_scan
from trailbell.cli.terminal.progress import Progress
from trailbell.cloudtrail.selection import Selection
from trailbell.engine.rulebook import Rulebook


Row = tuple[str, str, float, float, float]
"""Name, target, and of the ratios min, median and max."""

TARGET = ">= 1.7"


def rows(files: int = 400, records: int = 1000, rounds: int = 5) -> list[Row]:
    """The ratio of one process's time to two processes' time."""
    rulebook = find_rulebook(None, ())
    ratios, ceilings = [], []
    with tempfile.TemporaryDirectory() as name:
        for number in range(rounds):
            folder = _folder(Path(name) / str(number), files, records, number)
            taken: dict[int, float] = {}
            found = {}
            for jobs in (1, 2) if number % 2 else (2, 1):
                taken[jobs], found[jobs] = _scan(find_log_files([folder]).files, rulebook, jobs)
            if found[1] != found[2]:
                sys.exit("one process and two did not find the same")
            ratios.append(taken[1] / taken[2])
            ceilings.append(taken[1] / _apart(folder, rulebook))
            print(f"round {number}: {taken[1]:.2f} s, {taken[2]:.2f} s with two, {found[1][1]} hits", file=sys.stderr)
    return [
        ("scan of a folder, two processes against one", TARGET, min(ratios), median(ratios), max(ratios)),
        ("  two that share nothing, against one", "", min(ceilings), median(ceilings), max(ceilings)),
    ]


def _folder(folder: Path, files: int, records: int, number: int) -> Path:
    below = folder / "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20"
    below.mkdir(parents=True)
    for file in range(files):
        mix = ("general", "kms")[file % 2]
        content = log_file(mix, records, number * files + file)
        (below / f"111122223333_CloudTrail_us-east-1_20261120T0000Z_{file:06}.json.gz").write_bytes(content)
    for story in find_log_files([Path("examples/AWSLogs")]).files:  # which holds hits
        (below / story.name).write_bytes(story.read_bytes())
    return folder


def _apart(folder: Path, rulebook: Rulebook) -> float:
    """Seconds of two processes that each scan every other file of a folder."""
    context = multiprocessing.get_context("fork")
    files = find_log_files([folder]).files
    began = time.perf_counter()
    processes = [context.Process(target=_scan, args=(files[half::2], rulebook, 1)) for half in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return time.perf_counter() - began


def _scan(found: list[Path], rulebook: Rulebook, jobs: int) -> tuple[float, tuple[str, int, list[int]]]:
    """Seconds, and what was found: the hits' digest, their number, and the counts."""
    result = Scan()
    progress = Progress(len(found), 0, "files", stream=open(os.devnull, "w"))  # noqa: SIM115 (lives as long as we do)
    plan = Plan(rulebook, Selection(), "2026-11-26T00:00:00Z", jobs, progress, lambda: False)
    digest = hashlib.sha256()
    began = time.perf_counter()
    for hit in run_scan(list(found), plan, result):
        digest.update("/".join((*hit.identity, hit.place.key, str(hit.place.index))).encode())
    seconds = time.perf_counter() - began
    of_records = asdict(result.counts)
    del of_records["records_fully_parsed"]  # each process begins without the prefilter
    counts = [*of_records.values(), result.files_read, result.partial, result.outside]
    return seconds, (digest.hexdigest(), result.counts.hits, counts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="trailbell scan: two processes against one")
    for option, default in (("--files", 400), ("--records", 1000), ("--rounds", 5)):
        parser.add_argument(option, type=int, default=default)
    for title, target, low, middle, high in rows(**vars(parser.parse_args())):
        print(f"{title:<45} {target:>7} {low:6.2f} {middle:6.2f} {high:6.2f}")
