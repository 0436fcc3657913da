"""A document of a rule file, and what is said of one that is left out."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from trailbell.errors import RuleError
from trailbell.text.safe_text import one_line


# What makes a YAML document one of Sigma's: repositories of rules hold workflows and settings as well.
_OF_SIGMA = frozenset({"correlation", "detection", "filter", "logsource"})
_OF_TITLED = frozenset({"falsepositives", "id", "level", "status"})


class Kind(StrEnum):
    """Why a document is left out."""

    REFUSED = "refused"
    CORRELATION = "correlation"
    FILTER = "filter"
    OTHER_SOURCE = "not for CloudTrail"
    NO_RULE = "no rule"


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its file, its position in it (from 1), its content, and the line that begins in (from 1)."""

    path: Path
    number: int
    content: dict[str, Any]
    line: int = 1

    @property
    def place(self) -> str:
        """How errors name it."""
        return _place(self.path, self.number)

    @property
    def title(self) -> str:
        """What it calls itself; "" without a title."""
        return str(self.content.get("title") or "")


@dataclass(frozen=True, slots=True)
class Refused:
    """A document (or a whole file) that is left out, and the reason."""

    path: Path
    number: int
    line: int
    reason: str
    kind: Kind = Kind.REFUSED
    title: str = ""

    @classmethod
    def of(cls, document: Document, reason: str, kind: Kind = Kind.REFUSED) -> Self:
        """A document that could be read, and yet is left out."""
        return cls(document.path, document.number, document.line, reason, kind, document.title)

    @classmethod
    def of_file(cls, path: Path, error: RuleError) -> Self:
        """A whole file that cannot be read."""
        return cls(path, 1, 1, str(error).removeprefix(f"{path}: "))

    @property
    def message(self) -> str:
        """The place and the reason, on one line."""
        return one_line(f"{_place(self.path, self.number)}: {self.reason}")


def _place(path: Path, number: int) -> str:
    return str(path) if number == 1 else f"{path} (document {number})"


def is_of_sigma(content: dict[str, Any]) -> bool:
    """Whether a YAML map is meant as a document of Sigma, be it a wrong one."""
    members = _OF_SIGMA | _OF_TITLED if "title" in content else _OF_SIGMA
    return not members.isdisjoint(content)
