"""Where a scan's time goes: a profiler looks at the whole process a thousand times a second, its start included.

py-spy reads the process from outside, so that no function becomes dearer than it is, as it does where each call is
counted. Each look is put down to the innermost of our files on the stack, with what the libraries do for it.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.folders import folders
from benchmarks.measure import Row, row


_PROFILER = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "bin" / "py-spy"
_TRAILBELL = Path(sys.executable).parent / "trailbell"
_LOOKS_PER_SECOND = 1000
_OUR_FILE = re.compile(r"\(trailbell/([\w/]+\.py)(?::\d+)?\)")  # a frame: name (file:line)
_STARTING, _LIBRARIES = "imports, before and while it runs", "libraries, called by none of our files"
_LEAST_SHARE = 1.0  # per cent; what takes less is summed up


def rows(given: Path | None = None, rounds: int = 5) -> Iterator[Row]:
    """Shares of the scan of many small files by one process, in per cent."""
    if not _PROFILER.exists():
        return
    with tempfile.TemporaryDirectory() as name:
        made = folders(Path(name), given)
        looks = [_looks(made.small, Path(name) / "looks") for _ in range(rounds)]
    yield row(f"{made.what}, {made.files:,} small files: looks", "", [one.total() for one in looks])
    yield from _shares([{part: 100 * count / one.total() for part, count in one.items()} for one in looks])


def _looks(folder: Path, output: Path) -> Counter[str]:
    """How often the profiler found each of our files at work."""
    profiler = [str(_PROFILER), "record", "--rate", str(_LOOKS_PER_SECOND), "--format", "raw", "--output", str(output)]
    scan = [sys.executable, str(_TRAILBELL), "scan", str(folder), "-q", "-o", os.devnull, "--jobs", "1"]
    done = subprocess.run([*profiler, "--", *scan], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"the profiler failed: {done.stderr}")
    return counted(output.read_text(encoding="utf-8").splitlines())


def counted(lines: Iterable[str]) -> Counter[str]:
    """How often the profiler looked at each part: of its lines, each of which is frames from the outermost in, a
    semicolon between them, a space, and a number.
    """
    found = Counter[str]()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        found[_part(stack)] += int(count)
    return found


def _part(stack: str) -> str:
    if "importlib" in stack:
        return _STARTING
    return next(iter(_OUR_FILE.findall(stack)[::-1]), _LIBRARIES)


def _shares(rounds: list[dict[str, float]]) -> Iterator[Row]:
    """A row of each part, largest first; those that are small in every round are one row."""
    parts = {part for one in rounds for part in one}
    large = {part for part in parts if max(one.get(part, 0) for one in rounds) >= _LEAST_SHARE}
    found = [row(part, "", [one.get(part, 0) for one in rounds]) for part in large]
    yield from sorted(found, key=lambda one: -one.median)
    small = [[share for part, share in one.items() if part not in large] for one in rounds]
    yield row(f"{len(parts - large)} parts of less than {_LEAST_SHARE:g} each", "", map(sum, small))
