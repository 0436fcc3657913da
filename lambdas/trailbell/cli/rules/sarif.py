"""Findings as a SARIF 2.1.0 log, which code hosts show beside the lines.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import os
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote


_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_KINDS = {
    "rule": "A rule that cannot be deployed",
    "case": "A case that its rule does not hold, or that says nothing",
    "exception": "An exception that cannot be deployed or is out of date",
    "never-matches": "A rule, or a part of one, that no record can match",
    "foreign-rule": "A rule of somebody else's that cannot run here",
}
"""What is found, by id."""

Result = tuple[str, str, str, Path, int]
"""Kind, level (error or warning), message, file and line (from 1)."""


def sarif_log(results: Iterable[Result]) -> dict[str, Any]:
    """The log; addresses are relative to the folder we are in, which is the repository's root in CI."""
    kinds = [*_KINDS]
    driver = {
        "name": "trailbell",
        "semanticVersion": version("trailbell"),
        "rules": [{"id": kind, "shortDescription": {"text": text}} for kind, text in _KINDS.items()],
    }
    found = [_result(kinds, *one) for one in results]
    root = {"%SRCROOT%": {"uri": f"{Path.cwd().as_uri().rstrip('/')}/"}}
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": root,
        "columnKind": "unicodeCodePoints",
        "results": found,
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(kinds: list[str], kind: str, level: str, message: str, path: Path, line: int) -> dict[str, Any]:
    place = _address(path)
    # Without the line: a finding that has moved is still the same one.
    fingerprint = sha256(f"{kind} {place['uri']} {message}".encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "ruleId": kind,
        "ruleIndex": kinds.index(kind),
        "level": level,
        "message": {"text": message},
        "locations": [{"physicalLocation": {"artifactLocation": place, "region": {"startLine": max(line, 1)}}}],
        "partialFingerprints": {"trailbell/v1": fingerprint},
    }


def _address(path: Path) -> dict[str, str]:
    """Relative to the folder we are in where it is below it, otherwise absolute."""
    absolute = Path(os.path.abspath(path))
    if absolute.is_relative_to(Path.cwd()):
        return {"uri": quote(absolute.relative_to(Path.cwd()).as_posix()), "uriBaseId": "%SRCROOT%"}
    return {"uri": absolute.as_uri()}
