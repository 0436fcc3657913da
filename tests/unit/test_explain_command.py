"""`trailbell explain` on files: every wrapping of a record, 80 columns, no secrets, and hostile text as data."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.unit.conftest import RULE
from trailbell.cli.explain.conditions import wanted_words
from trailbell.cli.main import cli
from trailbell.engine.rulebook import Rulebook
from trailbell.engine.value_tests import VALUE_TESTS
from trailbell.rulebook.cases import BASE_RECORD, merged


RECORD: dict[str, Any] = merged(BASE_RECORD, {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey"})
OTHER: dict[str, Any] = {**RECORD, "eventID": "other", "eventName": "EnableKey"}


@pytest.fixture(autouse=True)
def rulebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailbell.cli.explain.command.find_rulebook", lambda *_: Rulebook((RULE,)))


def run(path: Path | str, *options: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(cli, ["explain", str(path), *options], input=stdin)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORD).encode(),
        json.dumps([RECORD]).encode(),
        json.dumps({"Records": [RECORD]}).encode(),
        gzip.compress(json.dumps({"Records": [RECORD]}).encode()),
        gzip.compress(json.dumps(RECORD).encode()),
        json.dumps(RECORD, indent=2).encode(),
        b"\xef\xbb\xbf" + json.dumps(RECORD).encode(),
    ],
)
def test_reads_a_record_however_it_is_wrapped(tmp_path: Path, content: bytes) -> None:
    """Who has a record has it from somewhere."""
    file = tmp_path / "record.json"
    file.write_bytes(content)

    result = run(file)

    assert result.exit_code == 0, result.output
    assert "Result: a hit of kms-key-disabled, high" in result.stdout
    assert run("-", stdin=content).stdout == result.stdout


def test_of_several_records_one_is_picked(tmp_path: Path) -> None:
    """By its event's id or its position; without either it is asked for."""
    file = tmp_path / "two.jsonl"
    file.write_text("\n".join(map(json.dumps, (RECORD, OTHER))))

    asked, by_id, by_index = run(file), run(file, "--event", "other"), run(file, "--index", "1")

    assert isinstance(asked.exception, Exception)
    assert "--index 0 to 1" in str(asked.exception)
    assert by_id.stdout == by_index.stdout
    assert "no hit: no rule is about this call" in by_id.stdout


@pytest.mark.parametrize("content", [b"x", b"[]", b"[1]", b"{}", b'{"Records": []}'])
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    """Never a silent answer about nothing."""
    file = tmp_path / "odd.json"
    file.write_bytes(content)

    assert str(file) in str(run(file).exception)


def test_rule_that_is_named_is_shown_whole_and_a_wrong_name_is_asked_back(tmp_path: Path) -> None:
    """The gate is said, and the tree with what the record has."""
    file = tmp_path / "record.json"
    file.write_text(json.dumps(OTHER))

    result, wrong = run(file, "--rule", "kms-key-*"), run(file, "--rule", "kms-key-disable")

    assert "not looked at: eventName is EnableKey, it is about disablekey" in result.stdout
    assert "NO  eventName is disablekey\n      has EnableKey: another value" in result.stdout
    assert "did you mean 'kms-key-disabled'" in str(wrong.exception)


def test_hostile_text_is_data(tmp_path: Path) -> None:
    """Escapes, line breaks and long words stay on their lines, and secrets are not shown."""
    record = {**RECORD, "eventName": "x\x1b[31m\r\n" + "A" * 300, "userAgent": "\u202egnp.exe"}
    file = tmp_path / "record.json"
    file.write_text(json.dumps(record))

    text = run(file, "--rule", RULE.name).stdout
    document = json.loads(run(file, "--format", "json").stdout)

    assert text.isascii()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert document["eventName"].startswith("x\\x1b")


def test_every_kind_of_test_has_words() -> None:
    """A new kind of test is not explained as JSON."""
    arguments: dict[str, list[Any]] = {
        "in": [["a"]],
        "glob": [["a", 0, 1]],
        "exists": [True],
        "number": [7],
        "compare": ["gte", 7],
        "cidr": ["10.0.0.0/8"],
        "timepart": ["hour", "gte", 7],
        "re": ["a", "i"],
        "any": [],
        "null": [],
    }
    for kind in (*VALUE_TESTS, "fieldref"):
        given = ["other", "eq"] if kind == "fieldref" else arguments.get(kind, ["a", True])

        assert not wanted_words([kind, *given]).startswith("[")


def test_secret_is_replaced_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition may look at what nobody should read over a shoulder."""
    about_secret = Rulebook((replace(RULE, detection=["field", "requestParameters.password", ["eq", "x"]]),))
    monkeypatch.setattr("trailbell.cli.explain.command.find_rulebook", lambda *_: about_secret)
    file = tmp_path / "record.json"
    file.write_text(json.dumps({**RECORD, "requestParameters": {"password": "hunter2hunter2"}}))

    hidden, shown = run(file), run(file, "--show-secrets")

    assert "hunter2" not in hidden.stdout + run(file, "--format", "json").stdout
    assert "hunter2" in shown.stdout
