"""A YAML file cut into its documents before any is parsed, so that one that cannot be read costs no other.

A document begins at a line that starts with `---` and ends before the next one, or at a line `...`. Neither can stand
inside a value, not even a quoted one (YAML 1.2.2, section 9.1, https://yaml.org/spec/1.2.2/#91-documents).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sigma.exceptions import SigmaError
from sigma.rule.base import SigmaYAMLLoader, check_alias_expansion

from trailbell.errors import RuleError


_FILE_BYTES_MAX = 64 * 1024 * 1024
_DOCUMENT_BYTES_MAX = 1024 * 1024
_DEPTH_MAX = 64
"""libyaml's binding overruns its stack at some ten thousand levels, and Python's own limit is reached far earlier."""

# What libyaml takes for the end of a line: line feed, carriage return, U+0085, U+2028, U+2029.
_BREAK = re.compile(rb"\r\n|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]")
_TEXT_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_AT_LINE_START = rb"(?:\A|(?<=[\r\n])|(?<=\xc2\x85)|(?<=\xe2\x80[\xa8\xa9]))"
_BEFORE_BLANK = rb"(?=[ \t\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]|\Z)"
_MARKER = re.compile(_AT_LINE_START + rb"(?:\xef\xbb\xbf)?(?:---|\.\.\.)" + _BEFORE_BLANK)
_ONLY_DIRECTIVES = re.compile(rb"(?:\xef\xbb\xbf)?(?:(?:%[^\r\n]*|[ \t]*(?:#[^\r\n]*)?)(?:\r\n|[\r\n]|\Z))*")
_BLANK = re.compile(r"[ \t]*(?:#.*|---|)[ \t]*")


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one document, and the line of the file (from 1) they begin in."""

    line: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a document holds, and the line of the file its content begins in; `fault` says why it could not be read.

    text: the document as it was written, as far as it is text.
    """

    line: int
    content: Any
    fault: str = ""
    text: str = ""


def read_file(path: Path) -> bytes:
    """Raises RuleError for what is no file, cannot be read, or is larger than any set of rules (64 MiB)."""
    try:
        if path.is_dir() and path.is_symlink():
            raise RuleError(f"{path}: a link to a folder outside is not followed; name that folder itself")
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe would be waited for
            raise RuleError(f"{path}: is no file")
        with path.open("rb") as stream:
            raw = stream.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise RuleError(f"{path}: {error.strerror}") from None
    if len(raw) > _FILE_BYTES_MAX:
        raise RuleError(f"{path}: is larger than {_FILE_BYTES_MAX // 2**20} MiB")
    return raw


def load_documents(raw: bytes, loader: type[SigmaYAMLLoader]) -> Iterator[Loaded]:
    """Each document of a file by itself, in order; one that cannot be read is there with its fault."""
    for piece in _pieces(raw):
        yield from _loaded(piece, loader)


def _pieces(raw: bytes) -> Iterator[Piece]:
    """Directives (`%YAML 1.2`) are left out: they change nothing in a rule, and a wrong one would cost the next one."""
    line = 1
    for content in _cut(raw):
        if not _ONLY_DIRECTIVES.fullmatch(content):
            yield Piece(line, content)
        line += len(_BREAK.findall(content))


def _cut(raw: bytes) -> Iterator[bytes]:
    begin = 0
    for marker in _MARKER.finditer(raw):
        at = marker.start() if marker.group().endswith(b"---") else marker.end()
        if at > begin:
            yield raw[begin:at]
            begin = at
    yield raw[begin:]


def _loaded(piece: Piece, loader: type[SigmaYAMLLoader]) -> Iterator[Loaded]:
    text = piece.content.decode("utf-8", "replace")
    line = piece.line + _lines_before(text)
    contents: list[Any] = []
    try:
        fault = _fault_of_bytes(piece.content) or _too_deep(text, loader)
        if not fault:
            contents += yaml.load_all(text, Loader=loader)
        for content in contents:
            check_alias_expansion(content)
    except yaml.YAMLError as error:
        fault = _readable(error, piece.line)
    except SigmaError as error:  # aliases that stand for thousands of nodes, or for themselves
        fault = str(error)
    except (TypeError, ValueError) as error:  # a list as a key, a tag that does not fit its value
        fault = str(error)
    if fault:
        yield Loaded(line, None, fault, text)
        return
    for content in contents:
        yield Loaded(line, _unshared(content), text=text)


def _fault_of_bytes(content: bytes) -> str:
    if len(content) > _DOCUMENT_BYTES_MAX:
        return f"a document of more than {_DOCUMENT_BYTES_MAX // 2**20} MiB"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"not UTF-8 text: {error}"
    return ""


def _too_deep(text: str, loader: type[SigmaYAMLLoader]) -> str:
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_MAX:
            return f"nested more than {_DEPTH_MAX} levels deep"
    return ""


def _unshared(content: Any) -> Any:
    """The content as a tree: what an alias repeats is a copy, so that changing one place changes no other."""
    if isinstance(content, dict):
        return {key: _unshared(value) for key, value in content.items()}
    return [_unshared(value) for value in content] if isinstance(content, list) else content


def _lines_before(text: str) -> int:
    """Lines before the first that says something."""
    lines = _TEXT_BREAK.split(text.removeprefix("\ufeff"))
    return next((at for at, line in enumerate(lines) if not _BLANK.fullmatch(line)), 0)


def _readable(error: yaml.YAMLError, first: int) -> str:
    """What is wrong and in which line of the file, without the excerpt."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + first}: {error.problem or error.context}"
    return " ".join(str(error).split())
