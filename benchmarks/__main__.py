"""Runs the benchmarks and prints one table of them.

    python -m benchmarks [part ...] [--write] [--folder DIR] [--rounds N]

--write puts the tables into docs/performance.md, with the machine, its load and the day: one of log files as they are,
one of where their time goes, one of all else. --folder: log files to measure with, instead of made-up ones, where a
part takes any.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from importlib import import_module
from pathlib import Path

from benchmarks.measure import Row
from benchmarks.peers import what_they_do


_PARTS = {
    "reading": ("reading", "reading"),
    "growth": ("reading", "growth"),
    "memory": ("memory", "memory"),
    "cold_start": ("cold_start", "rows"),
    "batch": ("batch", "rows"),
    "scan": ("scan", "rows"),
    "small_file": ("process", "small_file"),
    "start_up": ("process", "start_up"),
    "report": ("report", "rows"),
    "audit": ("audit", "rows"),
    "hashing": ("hashing", "rows"),
}
_FILES = {
    "peers": ("peers", "rows"),
    "small_files": ("small_files", "rows"),
    "bucket": ("bucket", "rows"),
    "year": ("year", "rows"),
}
"""Parts that take any folder of log files; their table is one of its own."""
_SHARES = {"shares": ("shares", "rows")}
"""Where the time of such a folder goes, in per cent."""

_HEAD = "| what | target | least | median | most |\n|---|---|---|---|---|"
_DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
_TABLES = ("benchmarks", _PARTS), ("benchmarks of files", _FILES), ("shares", _SHARES)
_OF_FOLDERS = _FILES | _SHARES
_ALL = _PARTS | _OF_FOLDERS
_IDLE = 0.3  # of a processor: what a machine does that has nothing to do


def main(arguments: list[str]) -> None:
    """Run the named parts, or all; print each row as it is known."""
    parser = argparse.ArgumentParser(description="trailbell's benchmarks")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(_ALL))
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    parser.add_argument("--folder", type=Path, help="log files to measure with")
    parser.add_argument("--rounds", type=int, help="how often the parts of files take their turns")
    asked = parser.parse_args(arguments)
    unknown = set(asked.parts) - set(_ALL)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are: {', '.join(_ALL)}")
    for table, parts in _TABLES:
        selection = [name for name in parts if name in asked.parts or not asked.parts]
        if not selection:
            continue
        load = os.getloadavg()[0]
        head = f"{_machine()}, {date.today():%Y-%m-%d}, {_load(load)}"
        print(f"{head}\n\n{_HEAD}", flush=True)
        lines = []
        for line in map(_line, _rows(selection, asked.folder, asked.rounds)):
            print(line, flush=True)
            lines.append(line)
        if asked.write:
            _write(table, "\n".join([head, "", _HEAD, *lines]))
            _write("contenders", what_they_do())


def _load(before: float) -> str:
    """What else the machine did when measuring began."""
    if before <= _IDLE:
        return "nothing else running"
    return f"**beside other work** (load average {before:.1f} before the first measurement): only ratios mean anything"


def _rows(selection: Iterable[str], folder: Path | None, rounds: int | None) -> Iterator[Row]:
    for name in selection:
        module, function = _ALL[name]
        measure: Callable[..., Iterable[Row]] = getattr(import_module(f"benchmarks.{module}"), function)
        options = {"rounds": rounds} if rounds else {}
        yield from measure(folder, **options) if name in _OF_FOLDERS else measure()


def _line(found: Row) -> str:
    name, target, *values = found
    return f"| {name} | {target} | " + " | ".join(f"{value:.2f}" for value in values) + " |"


def _machine() -> str:
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
    return (
        f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    )


def _write(name: str, table: str) -> None:
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = _DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    _DOCUMENT.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
