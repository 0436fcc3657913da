"""The table for the person on call names tests, alarms and commands that exist."""

import ast
import re
from pathlib import Path

import pytest

from trailbell.cli.main import cli


ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reliability.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)))


def test_every_failure_has_a_test() -> None:
    """A row without one is a hope."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| what")]

    assert len(rows) > 35
    assert [row for row in rows if "::test_" not in row] == []


@pytest.mark.parametrize(("file", "name"), NAMED, ids=lambda part: part)
def test_named_test_exists(file: str, name: str) -> None:
    """A test that was renamed leaves a promise that nobody keeps."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_named_alarms_exist() -> None:
    """Who searches for an alarm that is called otherwise loses the minutes that count."""
    known = set(re.findall(r"[A-Z]\w+", (ROOT / "infra" / "watch.py").read_text("utf-8")))
    known |= {f"{queue}NotEmpty" for queue in ("DeadLetters", "AlertDeadLetters")}
    known |= {f"{name}{what}" for name in ("Detector", "Notifier") for what in ("Errors", "Throttled", "CountMismatch")}
    alarms = re.findall(r"alarms? (?:is )?((?:`\w+`(?:, later |, then |, | or )?)+)", TEXT)

    named = {name for group in alarms for name in re.findall(r"\w+", group)} - {"later", "then", "or"}
    assert len(named) > 8
    assert named <= known


def test_named_commands_exist() -> None:
    """Copied from the page at night, they must run."""
    named = set(re.findall(r"(?:`|^)trailbell ([a-z]+)(?: ([a-z]+))?", TEXT, re.M))

    assert len(named) > 5
    for name, below in named:
        command = cli.commands[name]
        assert not below or below in getattr(command, "commands", {}), (name, below)
