"""No credential stands in a file that git tracks; what looks like one is made up, and listed here with its reason.

The scanner Kingfisher finds them by its rules (tools/secret_finder.py, in an environment of its own). It reports AWS's
keys only as a pair, and passwords in addresses only of services it knows, so those are looked for here as well.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tools.locks import ROOT


SCANNER = ROOT / "build" / "tokens" / "bin" / "python"
"""The Python that has the scanner (make build/tokens/.ready)."""

_PATTERNS = {
    "AWS access key id": re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    "AWS secret access key": re.compile(
        r"(?i)secret_?(?:access_?)?key[\"']?\s{0,4}[=:]\s{0,4}[\"']?([A-Za-z0-9+/]{40})\b"
    ),
    "password in an address": re.compile(r"://[A-Za-z0-9._-]{1,64}:[^\s/@:{}<>\"']{6,64}@[A-Za-z0-9.-]+\.[a-z]{2,}"),
}

# What a whole finding must match → why it is no secret.
FIXTURES = {
    r"(?:AKIA|ASIA)[A-Z0-9]*EXAMPLE[A-Z0-9]*": "AWS's own documentation writes key ids so",
    r"ASIACANARYCANARY[A-Z0-9]{4}": "the canaries of tests/rules/test_secrets_stay_out.py",
}
# A file, and the scanner's kind → why what it finds there is none.
FIXTURES_IN = {
    ("tests/unit/secret_shapes.py", "betterleaks.curl-auth-user"): "placeholders that the tests fill with random text",
    ("tests/unit/test_secrets.py", "betterleaks.generic-credential-uri"): "a sample with a password of four letters",
    ("tests/unit/test_secrets.py", "betterleaks.jwt"): "a sample; signed with no key of ours",
}
_SECONDS = 300
_MAX_BYTES = 1_000_000


def tracked_files(root: Path) -> list[Path]:
    """The files of the working tree that git tracks, or would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return [root / name for name in listed.stdout.split("\0") if name]


def secret_faults(paths: Iterable[Path], scanner: Path = SCANNER) -> Iterator[str]:
    """One sentence for each secret in these files; the secret itself is not repeated.

    Raises subprocess.CalledProcessError where the scanner fails, and FileNotFoundError where it is not installed.
    """
    files = [path for path in paths if path.is_file() and not path.is_symlink()]
    yield from _found_by_scanner(files, scanner)
    for path in files:
        content = path.read_bytes()
        if len(content) > _MAX_BYTES or b"\0" in content:
            yield from _unread(path, len(content))
            continue
        text = content.decode("utf-8", "replace")
        for kind, pattern in _PATTERNS.items():
            for found in pattern.finditer(text):
                if not _is_fixture(found[0]):
                    yield f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {kind}"


def _found_by_scanner(files: Sequence[Path], scanner: Path) -> Iterator[str]:
    names = "\0".join(map(str, files))
    command = [str(scanner), str(ROOT / "tools" / "secret_finder.py")]
    ended = subprocess.run(command, input=names, capture_output=True, text=True, check=True, timeout=_SECONDS)
    for line in ended.stdout.splitlines():
        found = json.loads(line)
        path = Path(found["path"])
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
        if (name, found["kind"]) not in FIXTURES_IN:
            yield f"{path}:{found['line']}: {found['kind']}"


def _unread(path: Path, size: int) -> Iterator[str]:
    if path.suffix not in (".gz", ".png", ".parquet"):
        yield f"{path}: {size} bytes that are no text or too many to look through"


def _is_fixture(text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in FIXTURES)
