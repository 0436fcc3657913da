"""Drafts: what `trailbell rules new` left for a person to fill in, in rules and their cases."""

from collections.abc import Iterator
from pathlib import Path

from trailbell.cli.rules.case_files import cases_of, root_and_cases
from trailbell.cli.rules.findings import Finding
from trailbell.errors import RuleError
from trailbell.rulebook.draft import FILL_IN
from trailbell.rulebook.pieces import read_file
from trailbell.rulebook.source import rule_files


def unfilled(where: Path, cases: Path | None) -> Iterator[Finding]:
    """A fault for each line that still says FILL IN, in comments, too: readers of a mail are not to see one."""
    root, cases = root_and_cases(where, cases)
    for path in rule_files(where):
        yield from _of_file("rule", path)
        file = cases_of(path, root, cases)
        if file.is_file():
            yield from _of_file("case", file)


def _of_file(kind: str, path: Path) -> Iterator[Finding]:
    try:
        lines = read_file(path).decode("utf-8", "replace").splitlines()
    except RuleError:
        return  # reported when the file is loaded
    for number, line in enumerate(lines, 1):
        if FILL_IN in line:
            yield Finding(kind, path, number, f"still to be filled in: {line.strip().removeprefix('- ')}")
