"""Runs the benchmarks and prints one table of them.

    python -m benchmarks [part ...] [--write]

--write puts the table into docs/performance.md, with the machine and the day.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from importlib import import_module
from pathlib import Path

from benchmarks.measure import Row


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
_HEAD = "| what | target | least | median | most |\n|---|---|---|---|---|"
_DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
_BEGIN, _END = "<!-- benchmarks -->", "<!-- end of benchmarks -->"


def main(arguments: list[str]) -> None:
    """Run the named parts, or all; print each row as it is known."""
    selection = [argument for argument in arguments if argument != "--write"] or list(_PARTS)
    unknown = [name for name in selection if name not in _PARTS]
    if unknown:
        sys.exit(f"no such part: {', '.join(unknown)}; there are: {', '.join(_PARTS)}")
    head = f"{_machine()}, {date.today():%Y-%m-%d}"
    print(f"{head}\n\n{_HEAD}", flush=True)
    lines = []
    for line in map(_line, _rows(selection)):
        print(line, flush=True)
        lines.append(line)
    if "--write" in arguments:
        _write("\n".join([head, "", _HEAD, *lines]))


def _rows(selection: Iterable[str]) -> Iterator[Row]:
    for name in selection:
        module, function = _PARTS[name]
        measure: Callable[[], Iterable[Row]] = getattr(import_module(f"benchmarks.{module}"), function)
        yield from measure()


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


def _write(table: str) -> None:
    text = _DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _DOCUMENT.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
