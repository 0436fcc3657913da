"""What `trailbell rules check` finds: each fault with its file and line, as text, JSON lines or SARIF."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import click

from trailbell.cli.rules.sarif import sarif_log
from trailbell.errors import RuleError
from trailbell.rulebook.documents import Refused
from trailbell.text.safe_text import one_line


FORMS = ("text", "jsonl", "sarif")
_LINE = re.compile(r"line (\d+): ")
_PLACED = re.compile(r"(?P<path>.+?\.ya?ml):(?:(?P<line>\d+):)? (?P<message>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault or a warning.

    kind: what is wrong: rule, case, exception (a fault), never-matches, foreign-rule.
    line: from 1.
    """

    kind: str
    path: Path
    line: int
    message: str
    warning: bool = False

    @classmethod
    def of(cls, kind: str, refused: Refused) -> Self:
        """A document that is left out, at the line its reason names or at its first."""
        document = f"document {refused.number}: " if refused.number > 1 else ""
        line, reason = _line_in(refused.reason, refused.line)
        return cls(kind, refused.path, line, document + reason)

    @classmethod
    def of_error(cls, kind: str, path: Path, error: RuleError) -> Self:
        """A file that could not be read."""
        line, reason = _line_in(str(error).removeprefix(f"{path}: "), 1)
        return cls(kind, path, line, reason)

    @classmethod
    def of_message(cls, kind: str, where: Path, message: str, *, warning: bool = False) -> Self:
        """A message that may begin with a file and a line."""
        placed = _PLACED.fullmatch(message)
        if not placed:
            return cls(kind, where, 1, message, warning)
        return cls(kind, Path(placed["path"]), int(placed["line"] or 1), placed["message"], warning)

    @property
    def text(self) -> str:
        """`rules/kms/aws_kms_key_disabled.yml:31: unknown field 'undoo'; did you mean 'undo'?`, on one line."""
        warning = "warning: " if self.warning else ""
        return one_line(f"{warning}{self.path}:{self.line}: {self.message}")


def print_findings(findings: Sequence[Finding], form: str) -> None:
    """As text on stderr, as JSON lines or SARIF on stdout."""
    if form == "sarif":
        click.echo(json.dumps(sarif_log(map(_result, findings)), indent=2, ensure_ascii=True))
    for one in findings:
        if form == "jsonl":
            line = {**asdict(one), "path": str(one.path)}
            click.echo(json.dumps(line, ensure_ascii=True))
        elif form == "text":
            click.echo(one.text, err=True)


def faults_in(findings: Iterable[Finding]) -> int:
    """How many of them are no warnings."""
    return sum(not one.warning for one in findings)


def _result(one: Finding) -> tuple[str, str, str, Path, int]:
    return one.kind, "warning" if one.warning else "error", one.message, one.path, one.line


def _line_in(reason: str, line: int) -> tuple[int, str]:
    named = _LINE.match(reason)
    return (int(named[1]), reason[named.end() :]) if named else (line, reason)
