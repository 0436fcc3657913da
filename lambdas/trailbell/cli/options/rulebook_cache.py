"""Compiled rulebooks in the user's cache folder, by the content of all they are made of: compiling takes a second.

An entry is plain JSON, as Lambda gets it. It is used only if the folder and the file belong to the user, nobody else
can write them, and the content is what its first line says. Whatever is wrong with the cache costs time, not a scan.
"""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from trailbell.cli.options.base_folders import base_folder
from trailbell.engine.rulebook import FORMAT, Rulebook, dump_rulebook, load_rulebook


_KEPT = 8
"""Entries; one is half a megabyte. Each change of a rule makes a new one."""

_COMPILING = ("rulebook", "engine", "hits", "facts", "cloudtrail", "text", "lookback")  # rooms whose code has a part
_LIBRARIES = ("sigma", "yaml", "botocore")  # what compiles, and the models that say which calls there are
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ENVIRONMENT = ("TRAILBELL_RULES_LEFT_OUT", "AWS_DATA_PATH")


class Compiled(NamedTuple):
    """A compiled rulebook, what compiling said about it, and the line that counts other people's rules ("": none)."""

    rulebook: Rulebook
    messages: tuple[str, ...] = ()
    counts: str = ""


def key_of(folders: Sequence[Path], *given: object) -> str:
    """The key of what is made of all files below some folders (or of files) and of what is given beside them.

    It also stands for the code that compiles, as Python's own cache takes it (time and size), and for its libraries.
    """
    digest = hashlib.sha256()
    environment = [os.environ.get(name, "") for name in _ENVIRONMENT]
    _add(digest, repr((FORMAT, sys.version, *given, environment, [*_code()], [*_versions()])))
    for folder in folders:
        for path in _files(folder):
            _add(digest, path)
            try:
                with open(path, "rb") as stream:
                    _add(digest, stream.read())
            except OSError as error:
                _add(digest, repr(error.errno))
    return digest.hexdigest()


def find(key: str) -> Compiled | None:
    """The entry of that key, None where there is none that can be trusted."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        folder = _opened_folder()
        if folder is not None:
            try:
                return _read(folder, f"{key}.json")
            finally:
                os.close(folder)
    return None


def keep(key: str, compiled: Compiled) -> None:
    """Keep an entry, and the latest others; nothing where that cannot be done."""
    said = json.dumps([compiled.messages, compiled.counts], ensure_ascii=True)
    body = f"{said}\n{dump_rulebook(compiled.rulebook)}".encode("utf-8", "surrogatepass")
    import tempfile  # here, as most scans only read

    with suppress(OSError):
        path = _folder()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = _opened_folder()
        if folder is None:
            return
        os.close(folder)
        handle, name = tempfile.mkstemp(dir=path, prefix=".new-")  # of mode 0600
        try:
            with open(handle, "wb") as stream:
                stream.write(_sum(body).encode() + b"\n" + body)
            os.replace(name, path / f"{key}.json")
        except OSError:
            os.unlink(name)
            raise
        entries = sorted(path.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)
        for old in entries[:-_KEPT]:
            old.unlink(missing_ok=True)


def _folder() -> Path:
    return base_folder("XDG_CACHE_HOME", ".cache")


def _opened_folder() -> int | None:
    """The folder, opened; None if somebody else could have put something there. Raises OSError if there is none."""
    folder = os.open(_folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if _is_ours(os.fstat(folder)):
        return folder
    os.close(folder)
    print(f"{_folder()}: others can write there, so no rulebook is kept there (chmod go-w)", file=sys.stderr)  # noqa: T201
    return None


def _read(folder: int, name: str) -> Compiled | None:
    """An entry. Raises OSError, ValueError, KeyError or TypeError for what is none."""
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not (stat.S_ISREG(found.st_mode) and _is_ours(found)):
            return None
        expected, _, body = stream.read().partition(b"\n")
    if expected.decode() != _sum(body):
        return None
    said, _, rulebook = body.partition(b"\n")
    messages, counts = json.loads(said)
    return Compiled(load_rulebook(rulebook.decode("utf-8", "surrogatepass")), tuple(messages), counts)


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_MAY_WRITE


def _sum(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _add(digest: "hashlib._Hash", part: str | bytes) -> None:
    """Length and content: no two series of parts give the same bytes."""
    content = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
    digest.update(len(content).to_bytes(8, "big") + content)


def _files(place: Path) -> Iterator[str]:
    """Every file below a folder, sorted; a file itself."""
    if not place.is_dir():
        yield str(place)
        return
    for folder, folders, names in os.walk(place):
        folders.sort()
        yield folder  # one that is empty, or becomes unreadable, is told apart
        yield from (os.path.join(folder, name) for name in sorted(names))


def _code() -> Iterator[tuple[str, int, int]]:
    package = Path(__file__).resolve().parents[2]
    for room in _COMPILING:
        for path in _files(package / room):
            if path.endswith(".py"):
                found = os.stat(path)
                yield path, found.st_mtime_ns, found.st_size


def _versions() -> Iterator[str]:
    """What is installed of the libraries: the name of its metadata's folder holds the version."""
    for name in _LIBRARIES:
        spec = find_spec(name)
        if spec and spec.origin:
            where = os.path.dirname(os.path.dirname(spec.origin))
            project = {"sigma": "pysigma", "yaml": "pyyaml"}.get(name, name)
            yield from sorted(one for one in os.listdir(where) if one.lower().startswith(f"{project}-"))
            yield where
