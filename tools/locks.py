"""A lock names every package of an environment with one version and the hashes of its files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
LOCKS = {
    ROOT / "requirements.txt": ROOT / "pyproject.toml",
    ROOT / "requirements-local.txt": ROOT / "requirements-local.in",
    ROOT / "lambdas" / "requirements.txt": ROOT / "lambdas" / "requirements.in",
    ROOT / "lambdas" / "audit.txt": ROOT / "lambdas" / "audit.in",
    **{path: path.with_suffix(".in") for path in sorted((ROOT / "tools").glob("*.txt"))},
}
"""Every lock, and the file it is made from (make lock)."""

_PACKAGE = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;]+)(?P<rest>.*)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of a lock; `via`: what asks for it, names of packages or of files."""

    name: str
    version: str
    hashes: int
    via: tuple[str, ...]


def read_lock(text: str) -> Iterator[Locked]:
    """The packages of a lock. Raises ValueError for a line that is none of a lock's."""
    for entry in re.split(r"\n(?=\S)(?!#)", f"\n{text}".rstrip())[1:]:
        found = _PACKAGE.match(entry)
        if not found:
            raise ValueError(f"not a locked package: {entry.splitlines()[0]}")
        via = re.findall(r"#(?: via)?\s+(?:via\s+)?(\S.*)", entry)
        yield Locked(
            canonical(found["name"]), found["version"], len(_HASH.findall(entry)), tuple(part.strip() for part in via)
        )


def canonical(name: str) -> str:
    """A package's name as an index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_faults(path: Path, text: str) -> Iterator[str]:
    """One sentence for each package of a lock that could be replaced without anybody noticing."""
    packages = list(read_lock(text))
    if not packages:
        yield f"{path}: locks nothing"
    yield from (f"{path}: {package.name} has no hash" for package in packages if not package.hashes)
