"""Folders of log files for whole processes to read: somebody's own ones, or made-up ones of the same shape.

Real log files are small (half of those of a quiet account hold fewer than 25 records), and one record in nine is of a
kind that a rule or a correlation looks into. Each corpus is made twice of the same records: as many small files, and
as a few large ones. Files are repeated until there are enough records, every UUID drawn anew in each copy: repeated
input flatters whatever remembers.
"""

import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpus import Account
from trailbell.cli.scan.log_files import find_log_files


RECORDS = 80_000
_LARGE_FILES = 3
_UUID = re.compile(rb"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/{month:02}/{day:02}"
_NAME = "111122223333_CloudTrail_us-east-1_2026{month:02}{day:02}T1200Z_{number:016}.json.gz"

# Records a file: the deciles of a recorded exercise's 55 log files (invictus-ir/aws_dataset), and its largest.
_SIZES = (1, 2, 3, 5, 12, 22, 31, 59, 84, 156, 394)
# Of so many records one makes a hit; three times as many are counted by correlations alone, or looked into for nothing.
_ONE_HIT_IN = 62


@dataclass(frozen=True, slots=True)
class Folders:
    """The same records twice: `small`, `large`; what they are, how many, and their size inflated, in bytes."""

    small: Path
    large: Path
    what: str
    files: int
    records: int
    size: int


def folders(below: Path, given: Path | None, records: int = RECORDS) -> Folders:
    """Make both folders below a path, from the log files of a given folder or from none.

    Raises ValueError if the folder holds no log file with records.
    """
    texts = _recorded(given) if given else _made_up
    small, large = below / "small", below / "large"
    entries, sizes = list[bytes](), list[int]()
    size = 0
    while len(entries) < records:
        before = len(entries)
        for text in texts(len(sizes)):
            found = [json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode() for one in _records(text)]
            if found:
                _write(small, len(sizes), text)
                entries += found
                sizes.append(len(found))
                size += len(text)
            if len(entries) >= records:
                break
        if len(entries) == before:
            raise ValueError(f"{given}: no log file with records")
    share = -(-len(entries) // _LARGE_FILES)
    for number in range(_LARGE_FILES):
        part = entries[number * share : (number + 1) * share]
        _write(large, number, b'{"Records":[' + b",".join(part) + b"]}")
    what = "recorded log files" if given else "made-up log files"
    return Folders(small, large, what, len(sizes), len(entries), size)


def _write(folder: Path, number: int, text: bytes) -> None:
    date = {"month": number // 280 % 12 + 1, "day": number // 10 % 28 + 1}
    file = folder / _KEY.format(**date) / _NAME.format(**date, number=number)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text, 6))


def _records(text: bytes) -> list[Any]:
    try:
        records = json.loads(text)["Records"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [one for one in records if isinstance(one, dict)] if isinstance(records, list) else []


def _recorded(given: Path) -> Callable[[int], Iterator[bytes]]:
    """The texts of a folder's log files, with other UUIDs each time."""
    bodies = [file.read_bytes() for file in find_log_files([given]).files]
    texts = [gzip.decompress(body) for body in bodies if body.startswith(b"\x1f\x8b")]

    def copies(salt: int) -> Iterator[bytes]:
        for text in texts:
            yield _UUID.sub(lambda found: _redrawn(found[0], salt), text)

    return copies


def _redrawn(uuid: bytes, salt: int) -> bytes:
    """Another UUID, the same for the same one of a copy: records that name each other still do."""
    digits = hashlib.blake2b(uuid, digest_size=16, salt=salt.to_bytes(8, "big")).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])).encode()


def _made_up(salt: int) -> Iterator[bytes]:
    """One log file, of a size and with calls as recorded ones have them."""
    rng = random.Random(f"small files {salt}")  # noqa: S311 (made-up data)
    account = Account(rng)
    account.clock = salt * 300
    low = rng.randrange(len(_SIZES) - 1)
    count = rng.randint(_SIZES[low], _SIZES[low + 1])
    records = list[dict[str, Any]]()
    for _ in range(count):
        record = account.next_record("general")  # also where another takes its place: whoever calls is its session
        records.append(_reported(account) if rng.random() < 4 / _ONE_HIT_IN else record)
    yield json.dumps({"Records": records}, separators=(",", ":"), ensure_ascii=False).encode()


def _reported(account: Account) -> dict[str, Any]:
    """A call of which one in four makes a hit: parameters are deleted, written and read."""
    name = account.rng.choice(("DeleteParameter", "PutParameter", "GetParameter", "GetParameter"))

    def make(account: Account) -> tuple[Any, Any, list[dict[str, Any]]]:
        request = {"name": account.pick("/app/config", 300)}
        return (request if name == "DeleteParameter" else {**request, "withDecryption": True}), None, []

    return account.record("ssm", name, name == "GetParameter", make)
