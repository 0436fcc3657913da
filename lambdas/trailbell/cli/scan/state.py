"""What a scan has done so far, in a file, so that an interrupted one goes on where it stopped.

JSON lines. The first says which scan it is; each other one is a log file that is through: its counts, and where hits
are counted or grouped at the end, those hits. A line is written when all of its file's hits were printed or counted;
one that is cut off (the machine went down) is not there, so its log file is read again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from trailbell.cli.scan.counted import Counted, counted_from
from trailbell.errors import SettingsError
from trailbell.hits.detect import NUMBERS, DetectionCounts


FORMAT = "trailbell.scan/1"


@dataclass(frozen=True, slots=True)
class Done:
    """A log file that is through: its counts, the kept hits, and what correlations count of it."""

    file: str
    counts: DetectionCounts
    hits: list[Any]
    counted: list[Counted]


class State:
    """A scan's file of what is done. Raises SettingsError when it is not this scan's, or cannot be written.

    scan: what makes it this scan; window: since and until as they were understood when it began, "" where open.
    """

    def __init__(self, path: Path, scan: dict[str, Any], window: list[str]) -> None:
        self._path = path
        self._scan = {"format": FORMAT, **scan}
        self._is_new = not path.exists() or path.stat().st_size == 0
        self.window = window if self._is_new else self._checked_window()
        self.done: set[str] = set()
        self._stream: TextIO | None = None

    def lines(self) -> Iterator[Done]:
        """What is known of each log file that is through; fills `done`."""
        if self._is_new:
            return
        with self._path.open(encoding="utf-8") as stream:
            for line in stream:
                try:
                    entry = json.loads(line)
                except ValueError:  # cut off; what is appended begins on a line of its own
                    continue
                if "file" in entry and entry["file"] not in self.done:
                    self.done.add(entry["file"])
                    counts = DetectionCounts()
                    for name in NUMBERS:
                        setattr(counts, name, int(entry["counts"].get(name, 0)))
                    counted = [counted_from(one) for one in entry.get("counted", ())]
                    yield Done(entry["file"], counts, entry["hits"], counted)

    def open(self) -> None:
        """Begin to append."""
        try:
            self._stream = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"--resume {self._path}: {error.strerror}") from None
        if self._is_new:
            self._write({**self._scan, "window": self.window})
        else:
            self._stream.write("\n")

    def add(self, file: str, counts: DetectionCounts, hits: list[Any], counted: Sequence[Counted] = ()) -> None:
        """A log file is through."""
        numbers = {name: getattr(counts, name) for name in NUMBERS}
        self._write({"file": file, "counts": numbers, "hits": hits, "counted": counted})

    def close(self) -> None:
        """No more is to come."""
        if self._stream:
            self._stream.close()

    def _write(self, entry: dict[str, Any]) -> None:
        assert self._stream
        self._stream.write(json.dumps(entry) + "\n")
        self._stream.flush()

    def _checked_window(self) -> list[str]:
        with self._path.open(encoding="utf-8", errors="replace") as stream:
            try:
                first = json.loads(stream.readline())
            except ValueError:
                first = None
        if not isinstance(first, dict) or first.get("format") != FORMAT:
            raise SettingsError(f"--resume {self._path}: is not the state of a scan; it is left alone")
        other = [name for name, value in self._scan.items() if first.get(name) != value]
        if other:
            raise SettingsError(
                f"--resume {self._path}: is of a scan with other {', '.join(other)}; remove it, or name another"
            )
        return list(first["window"])
