"""No credential stands in a file that git tracks; what looks like one is made up, and listed here with its reason."""

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path


# Written in two halves where a pattern would otherwise find itself.
_PATTERNS = {
    "AWS access key id": re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    "AWS secret access key": re.compile(
        r"(?i)secret_?(?:access_?)?key[\"']?\s{0,4}[=:]\s{0,4}[\"']?([A-Za-z0-9+/]{40})\b"
    ),
    "private key": re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY" r"-----\s*[A-Za-z0-9+/]{32}"),
    "JSON web token": re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})"),
    "Slack token or webhook": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{20,}|hooks\.slack\.com/services/T[A-Z0-9]{8,}/B"),
    "package registry token": re.compile(r"\b(?:pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{40,}|npm_[A-Za-z0-9]{36})\b"),
    "password in an address": re.compile(r"://[A-Za-z0-9._-]{1,64}:[^\s/@:{}<>\"']{6,64}@[A-Za-z0-9.-]+\.[a-z]{2,}"),
}

# What a whole finding must match → why it is no secret.
FIXTURES = {
    r"(?:AKIA|ASIA)[A-Z0-9]*EXAMPLE[A-Z0-9]*": "AWS's own documentation writes key ids so",
    r"ASIACANARYCANARY[A-Z0-9]{4}": "the canaries of tests/rules/test_secrets_stay_out.py",
    r"eyJhbGciOiJIUzI1NiJ9\.eyJzdWIiOiIxMjM0NTY3ODkwIn0\..*": "a sample; signed with no key of ours",
}
_MAX_BYTES = 1_000_000


def tracked_files(root: Path) -> list[Path]:
    """The files of the working tree that git tracks, or would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return [root / name for name in listed.stdout.split("\0") if name]


def secret_faults(paths: Iterable[Path]) -> Iterator[str]:
    """One sentence for each secret in these files; the secret itself is not repeated."""
    for path in paths:
        if not path.is_file() or path.is_symlink():
            continue
        content = path.read_bytes()
        if len(content) > _MAX_BYTES or b"\0" in content:
            yield from _unread(path, len(content))
            continue
        text = content.decode("utf-8", "replace")
        for kind, pattern in _PATTERNS.items():
            for found in pattern.finditer(text):
                if not _is_fixture(found[0]):
                    yield f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {kind}"


def _unread(path: Path, size: int) -> Iterator[str]:
    if path.suffix not in (".gz", ".png", ".parquet"):
        yield f"{path}: {size} bytes that are no text or too many to look through"


def _is_fixture(text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in FIXTURES)
