"""A folder as an audit sees it: a copy of a trail bucket, whose digests may have lost their metadata.

Files are compared from AWSLogs/ on: a folder says neither which bucket it is a copy of, nor which prefix it had there.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from trailbell.audit.files import AuditedFile, NotReadError
from trailbell.audit.metadata import SIDECAR, read_sidecar
from trailbell.audit.read_digest import MAX_STORED_BYTES
from trailbell.audit.verdict import Verdict
from trailbell.cloudtrail.object_key import ROOT, split_root, trail_levels
from trailbell.errors import SettingsError
from trailbell.text.safe_text import one_line


_PIECE = 1024 * 1024
_MAX_SIDECAR = 1024 * 1024
_MEANS = {
    errno.ENOENT: Verdict.MISSING,
    errno.ENOTDIR: Verdict.MISSING,
    errno.ELOOP: Verdict.MISSING,  # a link to itself
    errno.ENAMETOOLONG: Verdict.MISSING,  # a sidecar's, of a name that is as long as can be
    errno.EACCES: Verdict.DENIED,
    errno.EPERM: Verdict.DENIED,
}


class FolderFiles:
    """The files below a folder. `unlisted`: folders that could not be listed or are links elsewhere, and why."""

    keeps_signatures = False

    def __init__(self, folder: Path) -> None:
        self.unlisted: list[str] = []
        self._by_key: dict[str, list[AuditedFile]] = {}
        self._kinds: set[tuple[str, str]] = set()
        for file in self._walk(os.path.abspath(folder)):
            self._by_key.setdefault(file.key, []).append(file)
            self._kinds.add((file.root, _kind(file.key)))

    def listed(self) -> Iterator[AuditedFile]:
        """Every file in an account's folder, by key."""
        for key in sorted(self._by_key):
            yield from self._by_key[key]

    def named(self, bucket: str, key: str, by: AuditedFile, home: str = "") -> AuditedFile | None:
        """The file of that key from AWSLogs/ on.

        There may be several copies, so it is looked for where it lies beside `by`; elsewhere only if nothing of the
        account's digests (or log files) is there: prefixes may be lost in copying, and digests be copied alone.
        """
        prefix, rest = split_root(key)
        found = self._by_key.get(rest, [])
        for root in _roots(by.root, split_root(home)[0], prefix):
            there = next((file for file in found if file.root == root), None)
            if there or (root, _kind(rest)) in self._kinds:
                return there
        elsewhere = sorted(found, key=lambda file: (file.root != by.root, not file.root.endswith(f"/{prefix}")))
        return elsewhere[0] if elsewhere else None

    def beside(self, file: AuditedFile) -> Iterable[AuditedFile]:
        """None: a folder is walked through at the beginning."""
        return ()

    def is_named_so(self, file: AuditedFile, bucket: str, key: str) -> bool:
        """Whether the keys are the same from AWSLogs/ on."""
        return file.key == split_root(key)[1]

    def read(self, file: AuditedFile) -> Iterable[bytes]:
        """The file's bytes. Raises NotReadError, SettingsError where the disk fails."""
        return _pieces(file.place)

    def read_digest(self, file: AuditedFile) -> tuple[bytes, Mapping[str, str]]:
        """The file's bytes, and the metadata stored beside it, if there is any."""
        body = _read(file.place, MAX_STORED_BYTES)
        for name in (f"{file.place}{SIDECAR}", f"{file.place.removesuffix('.json.gz')}{SIDECAR}"):
            try:
                return body, read_sidecar(_read(name, _MAX_SIDECAR))
            except NotReadError:
                continue
        return body, {}

    def _walk(self, top: str) -> Iterator[AuditedFile]:
        for folder, inner, names in os.walk(top, onerror=self._note):
            inner.sort()
            for name in inner:
                if os.path.islink(os.path.join(folder, name)):
                    self.unlisted.append(f"{os.path.join(folder, name)}: is a link: audit the folder that it leads to")
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


def _kind(key: str) -> str:
    """Which account's files it is one of, digests or log files: the folder of theirs."""
    return key.partition("/CloudTrail")[0] + ("/digests" if "/CloudTrail-Digest/" in key else "/logs")


def _roots(root: str, own: str, named: str) -> Iterator[str]:
    """Where a prefix that a digest names lies in a copy, from where the digest's own prefix does: the surest first."""
    if own == named:
        yield root
    elif root.endswith(f"/{own}"):
        yield root.removesuffix(own) + named


def _read(path: str, max_bytes: int) -> bytes:
    """The beginning of a file. Raises NotReadError, SettingsError where the disk fails."""
    content = bytearray()
    for piece in _pieces(path):
        content += piece
        if len(content) > max_bytes:
            break
    return bytes(content)


def _pieces(path: str) -> Iterator[bytes]:
    """A file's bytes. Raises the same."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            # A pipe would never end.
            raise NotReadError(Verdict.INVALID_FORMAT)
        with open(path, "rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except OSError as error:
        verdict = _MEANS.get(error.errno or 0)
        if verdict:
            raise NotReadError(verdict) from error
        raise SettingsError(f"{one_line(path)}: {error.strerror or error}") from error
