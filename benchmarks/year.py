"""What a scan with correlations takes of memory over a year of log files: the peak of the whole process."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.folders import folders
from benchmarks.measure import Row, row


_RECORDS = 1_000_000  # a quiet account's year: 2,700 a day, in files of fifty


def rows(given: Path | None = None, rounds: int = 2) -> Iterator[Row]:
    """Target j, of scans."""
    with tempfile.TemporaryDirectory() as name:
        made = folders(Path(name), given, _RECORDS)
        program = str(Path(sys.executable).parent / "trailbell")
        command = [program, "scan", str(made.small), "-q", "-o", os.devnull, "--jobs", "1"]
        peaks = [_peak_megabytes(command) for _ in range(rounds)]
    what = f"{made.what}, {made.files:,} files, {made.records:,} records"
    yield row(f"j. MB of a scan with correlations, one job, {what}", "<= 200", peaks)


# A process of its own starts it, for the kernel counts what a parent held when it forked as its child's.
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def _peak_megabytes(command: list[str]) -> float:
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024
