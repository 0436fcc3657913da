"""A folder as an audit sees it: a copy of a trail bucket, whose digests may have lost their metadata.

Files are compared from AWSLogs/ on: a folder says neither which bucket it is a copy of, nor which prefix it had there.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from trailbell.audit.files import AuditedFile, NotReadError
from trailbell.audit.metadata import SIDECAR, read_sidecar
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.object_key import ROOT, split_root, trail_levels
from trailbell.errors import SettingsError


_MEANS = {
    FileNotFoundError: Verdict.MISSING,
    NotADirectoryError: Verdict.MISSING,
    IsADirectoryError: Verdict.MISSING,
    PermissionError: Verdict.DENIED,
}


class FolderFiles:
    """The files below a folder. `unlisted`: folders that could not be listed, and why."""

    keeps_signatures = False

    def __init__(self, folder: Path) -> None:
        self.unlisted: list[str] = []
        self._by_key: dict[str, list[AuditedFile]] = {}
        for file in self._walk(os.path.abspath(folder)):
            self._by_key.setdefault(file.key, []).append(file)

    def listed(self) -> Iterator[AuditedFile]:
        """Every file in an account's folder, by key."""
        for key in sorted(self._by_key):
            yield from self._by_key[key]

    def named(self, bucket: str, key: str, by: AuditedFile) -> AuditedFile | None:
        """The file of that key from AWSLogs/ on; of several copies the one beside, else the one with that prefix."""
        prefix, rest = split_root(key)
        found = self._by_key.get(rest, [])
        if len(found) < 2:
            return found[0] if found else None
        beside = (file for file in found if file.root == by.root)
        return next(beside, None) or next((file for file in found if file.root.endswith(f"/{prefix}")), found[0])

    def beside(self, file: AuditedFile) -> Iterable[AuditedFile]:
        """None: a folder is walked through at the beginning."""
        return ()

    def is_named_so(self, file: AuditedFile, bucket: str, key: str) -> bool:
        """Whether the keys are the same from AWSLogs/ on."""
        return file.key == split_root(key)[1]

    def read(self, file: AuditedFile) -> Iterable[bytes]:
        """The file's bytes. Raises NotReadError, SettingsError where the disk fails."""
        return (_read(file.place),)

    def read_digest(self, file: AuditedFile) -> tuple[bytes, Mapping[str, str]]:
        """The file's bytes, and the metadata stored beside it, if there is any."""
        body = _read(file.place)
        for name in (f"{file.place}{SIDECAR}", f"{file.place.removesuffix('.json.gz')}{SIDECAR}"):
            try:
                return body, read_sidecar(_read(name))
            except NotReadError:
                continue
        return body, {}

    def _walk(self, top: str) -> Iterator[AuditedFile]:
        for folder, inner, names in os.walk(top, onerror=self._note):
            inner.sort()
            place = f"{folder.rstrip('/')}/".replace(os.sep, "/")
            key = _from_root(place, top)
            if key:
                yield from (AuditedFile(key + name, place + name) for name in sorted(names))

    def _note(self, error: OSError) -> None:
        self.unlisted.append(f"{error.filename}: {error.strerror}")


def _from_root(folder: str, top: str) -> str:
    """A folder's path from AWSLogs/ on; "" outside of an account. The folder given may be AWSLogs' own content."""
    prefix, rest = split_root(folder)
    if not (prefix or folder.startswith(ROOT)):
        rest = ROOT + folder[len(top.rstrip("/")) + 1 :]
    return rest if trail_levels(rest) else ""


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        for kind, verdict in _MEANS.items():
            if isinstance(error, kind):
                raise NotReadError(verdict) from error
        raise SettingsError(f"{path}: {error.strerror or error}") from error
