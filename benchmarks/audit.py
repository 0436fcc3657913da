"""`trailbell audit` of a folder against reading, inflating and hashing the same log files alone.

    .venv/bin/python -m benchmarks.audit [--files 10000] [--records 40] [--rounds 5]

Needs the extra `audit`. A folder of log files, as many to a digest as in the busy hour of an account; digests are
signed with a key of our own. Alone means: this process reads each file, inflates it with the same library and hashes
it. The audit is the whole command, with starting Python, listing, digests, signatures and its JSON lines.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from isal import isal_zlib

from benchmarks.corpus import log_file
from benchmarks.measure import Row, row
from tests.audit.world import TrailSpec, World
from trailbell.cloudtrail.inflate import GZIP_WBITS


_HOURS = 100
_KINDS = 50  # different contents of log files; each is written under many names


def rows(files: int = 10_000, records: int = 40, rounds: int = 5) -> list[Row]:
    """The ratio of the command's time to that of reading and hashing alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys, logs = _folder(folder, files, records)
        size = sum(path.stat().st_size for path in logs)
        print(f"{len(logs)} log files, {size / 1e6:.1f} MB gzipped, {_HOURS} digests", file=sys.stderr)
        elapsed, processor = [], []
        for number in range(rounds):
            taken, used = {}, {}
            for what in ("audit", "alone") if number % 2 else ("alone", "audit"):
                began, before = time.perf_counter(), _processor_seconds()
                _alone(logs) if what == "alone" else _audit(folder, keys, files)
                taken[what], used[what] = time.perf_counter() - began, _processor_seconds() - before
            elapsed.append(taken["audit"] / taken["alone"])
            processor.append(used["audit"] / used["alone"])
            print(f"round {number}: {taken['audit']:.2f} s, alone {taken['alone']:.2f} s", file=sys.stderr)
    return [
        row("audit of a folder, against hashing its log files alone", "", elapsed),
        row("  the same in processor time", "", processor),
    ]


def _processor_seconds() -> float:
    """Seconds of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _folder(folder: Path, files: int, records: int) -> tuple[Path, list[Path]]:
    """A copy of a bucket with so many log files; its keys, and the paths of its log files."""
    contents = [log_file("general", records, seed) for seed in range(_KINDS)]
    world = _FullWorld(contents, files // _HOURS)
    keys = world.write(folder)
    return keys, sorted(path for path in (folder / "copy").rglob("*.json.gz") if "CloudTrail-Digest" not in path.parts)


class _FullWorld(World):
    """A world whose trail delivers so many log files each hour, all listed."""

    def __init__(self, contents: list[bytes], an_hour: int) -> None:
        self._contents, self._written, self._an_hour = contents, 0, an_hour
        super().__init__(1, (TrailSpec(),), _HOURS)

    def deliveries(self, hour: int) -> list[int]:
        return [minute % 50 + 2 for minute in range(self._an_hour)]

    def late(self, hour: int, logs: list[str]) -> list[str]:
        return []

    def content(self) -> bytes:
        self._written += 1
        return self._contents[self._written % len(self._contents)]


def _alone(logs: list[Path]) -> None:
    for path in logs:
        hashlib.sha256(isal_zlib.decompress(path.read_bytes(), GZIP_WBITS)).hexdigest()


def _audit(folder: Path, keys: Path, files: int) -> None:
    program = Path(sys.executable).parent / "trailbell"
    command = [str(program), "audit", str(folder / "copy"), "--public-keys", str(keys), "--format", "jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    valid = sum(json.loads(line)["verdict"] == "valid" for line in done.stdout.splitlines())
    if valid != files // _HOURS * _HOURS + _HOURS:
        sys.exit(f"{valid} files are valid")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="trailbell audit of a folder")
    for option, default in (("--files", 10_000), ("--records", 40), ("--rounds", 5)):
        parser.add_argument(option, type=int, default=default)
    for title, target, low, middle, high in rows(**vars(parser.parse_args())):
        print(f"{title:<55} {target:>7} {low:6.2f} {middle:6.2f} {high:6.2f}")
