"""Log files on a local disk: found below a folder, and kept apart from what else lies there."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trailbell.cloudtrail.object_key import ObjectKind, classify_file
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import LogFileError


_PIECE = 256 * 1024
_EVERYTHING = Selection()
_WRAPPED = (".jsonl", ".ndjson", ".csv", ".log", ".zip", ".tar", ".tgz", ".bz2", ".xz", ".zst")


@dataclass(slots=True)
class Found:
    """Log files, sorted; what was ignored, by kind; folders that could not be listed; files that were named."""

    files: list[Path] = field(default_factory=list)
    ignored: dict[ObjectKind, list[Path]] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)

    @property
    def everything(self) -> list[Path]:
        """Log files, and what else a trail bucket holds (digests, Insights, aggregations); not what is neither."""
        others = [file for kind, files in self.ignored.items() if kind is not ObjectKind.OTHER for file in files]
        return sorted(self.files + others)


def find_log_files(paths: Iterable[Path], selection: Selection = _EVERYTHING) -> Found:
    """Every log file below the folders, and the files named themselves unless their names say that they are none.

    Folders that cannot hold what is wanted are passed over. A file that is reached in two ways is one file.
    """
    found = Found()
    found.named = {path.resolve() for path in paths if not path.is_dir()}
    named = set(map(str, found.named))
    files = {real: file for path in paths for real, file in _files(path, selection, found.unlisted)}
    for real, file in sorted(files.items(), key=lambda entry: entry[1].parts):  # paths are compared more slowly
        kind = classify_file(file.as_posix())
        if kind is ObjectKind.LOG_FILE or (kind is ObjectKind.OTHER and (real in named or _may_wrap(file))):
            found.files.append(file)
        else:
            found.ignored.setdefault(kind, []).append(file)
    return found


def _may_wrap(file: Path) -> bool:
    """Whether a file's name is one that exports and archives of log files have, where log files may lie."""
    return file.name.lower().endswith(_WRAPPED) and classify_file(f"{file.as_posix()}.json") is ObjectKind.LOG_FILE


def read_pieces(path: Path) -> Iterator[bytes]:
    """A file's content in pieces. Raises LogFileError when it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as stream:  # each piece is larger than a buffer would be
            while piece := stream.read(_PIECE):
                yield piece
    except OSError as error:
        raise LogFileError(error.strerror or str(error)) from error


def _files(path: Path, selection: Selection, unlisted: list[str]) -> Iterator[tuple[str, Path]]:
    """The files of a folder at any depth, or the file itself, each with its real path; folders that may not be listed
    are named.

    Nothing is asked of the disk about a file but what its folder says: no link is followed to another folder, so only a
    file that is a link has another real path than its folder's.
    """
    if not path.is_dir():
        yield str(path.resolve()), path
        return
    if not selection.may_hold(os.path.abspath(path)):
        return
    waiting = [(os.path.realpath(path), str(path))]
    while waiting:
        real, folder = waiting.pop()
        place = os.path.abspath(folder)
        for entry in _listed(folder, unlisted):
            if _is_folder(entry):
                if not entry.is_symlink() and selection.may_hold(f"{place}/{entry.name}"):
                    waiting.append((os.path.join(real, entry.name), entry.path))
            elif not entry.is_symlink():
                if entry.is_file():
                    yield os.path.join(real, entry.name), Path(entry.path)
            elif (file := Path(entry.path)).is_file():
                yield str(file.resolve()), file


def _listed(folder: str, unlisted: list[str]) -> list["os.DirEntry[str]"]:
    """What a folder holds; nothing, and it is named, where it may not be listed."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        unlisted.append(f"{error.filename}: {error.strerror}")
        return []


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that cannot be followed
        return False
