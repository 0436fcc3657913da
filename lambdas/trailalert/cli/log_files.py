"""Log files on a local disk: finding them below a folder, telling them from what else lies there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trailalert.core.object_key import ObjectKind, classify_key
from trailalert.errors import LogFileError


_PIECE = 256 * 1024
_SUFFIXES = (".json", ".json.gz", ".gz")
_BY_NAME = {"_CloudTrail-Digest_": ObjectKind.DIGEST, "_CloudTrail-Insight_": ObjectKind.INSIGHT}


@dataclass(slots=True)
class Found:
    """Log files, sorted; what was ignored, by kind."""

    files: list[Path] = field(default_factory=list)
    ignored: dict[ObjectKind, list[Path]] = field(default_factory=dict)

    @property
    def everything(self) -> list[Path]:
        """Log files, and what else a trail bucket holds (digests, insights); not what is neither."""
        others = [file for kind, files in self.ignored.items() if kind is not ObjectKind.OTHER for file in files]
        return sorted(self.files + others)


def find_log_files(paths: Iterable[Path]) -> Found:
    """Every log file below the folders, and the files named themselves (whatever they are called)."""
    found = Found()
    for path in paths:
        for file in _files(path):
            kind = _kind(file) if file != path else ObjectKind.LOG_FILE
            if kind is ObjectKind.LOG_FILE:
                found.files.append(file)
            else:
                found.ignored.setdefault(kind, []).append(file)
    found.files = sorted(set(found.files))
    return found


def read_pieces(path: Path) -> Iterator[bytes]:
    """A file's content in pieces. Raises LogFileError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except OSError as error:
        raise LogFileError(error.strerror or str(error)) from error


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    else:
        yield path


def _kind(file: Path) -> ObjectKind:
    """By the layout of a trail bucket; in other folders by the names CloudTrail gives, then by suffix."""
    kind = classify_key(file.as_posix()).kind
    if kind is not ObjectKind.OTHER:
        return kind
    for part, named in _BY_NAME.items():
        if part in file.name:
            return named
    return ObjectKind.LOG_FILE if file.name.endswith(_SUFFIXES) else ObjectKind.OTHER
