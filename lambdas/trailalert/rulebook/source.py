"""Rule files: YAML that is read strictly, so that what the author wrote is what gets compiled.

PyYAML's YAML 1.1 turns `NO` into false and an account id with only octal digits into another number, and
keeps the last of two equal keys; pySigma's loader refuses the latter, and we name the file for all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sigma.rule.base import SigmaYAMLLoader

from trailalert.errors import RuleError


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its file, its position in it (from 1), and its content."""

    path: Path
    number: int
    content: dict[str, Any]

    @property
    def place(self) -> str:
        """How errors name it."""
        return str(self.path) if self.number == 1 else f"{self.path} (document {self.number})"


def rule_files(where: Path) -> list[Path]:
    """The .yml and .yaml files of a folder at any depth, sorted; a file stands for itself."""
    if where.is_file():
        return [where]
    if not where.is_dir():
        raise RuleError(f"{where}: no such file or folder")
    return sorted(path for path in where.rglob("*") if path.suffix in (".yml", ".yaml"))


def read_documents(path: Path) -> Iterator[Document]:
    """The documents of one file. Raises RuleError on bad YAML, a duplicate key, or a document that is no map."""
    try:
        contents = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=SigmaYAMLLoader))
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: {' '.join(str(error).split())}") from None
    except UnicodeDecodeError as error:
        raise RuleError(f"{path}: not UTF-8 text: {error}") from None
    for number, content in enumerate(contents, start=1):
        if content is None:
            continue
        if not isinstance(content, dict):
            raise RuleError(f"{path}: a rule is a YAML map, this is a {type(content).__name__}")
        yield Document(path, number, content)
