"""YAML is read as its author wrote it, and Sigma's actions are done."""

from pathlib import Path

import pytest

from trailbell.errors import RuleError
from trailbell.rulebook.load import load_rules
from trailbell.rulebook.source import load_yaml, read_documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: NO", "NO"),
        ("a: on", "on"),
        ("a: true", True),
        ("a: False", False),
        ("a: 2012-10-17", "2012-10-17"),
        ("a: 443", 443),
        ("a: -5", -5),
        ("a: 1.5", 1.5),
        ("a: 0", 0),
        ("a: '012345670123'", "012345670123"),
    ],
)
def test_scalar_is_what_was_written(tmp_path: Path, text: str, value: object) -> None:
    """YAML 1.1 would make a boolean of Norway and a date of a policy's version."""
    (tmp_path / "r.yml").write_text(text)

    assert load_yaml(tmp_path / "r.yml") == [{"a": value}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 012345670123", "line 1: write '012345670123' in quotes"),
        ("b: x\na: 123456789012", "line 2: write '123456789012' in quotes"),
        ("a: 0x10", "in quotes"),
        ("a: 1.10", "write '1.10' in quotes"),
        ("a: !!float abc", "in quotes"),
        ("? [a]\n: b", "r.yml: "),
        ("a: 12:30:45", "in quotes"),
        ("a: 1\na: 2", "Duplicate key 'a'"),
        ("a: [", "line 2"),
        ("- a", "is a YAML map"),
        ("action: invent\ntitle: x", "unknown action 'invent'"),
    ],
)
def test_what_would_change_its_meaning_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    """An account id that silently becomes another number is a rule that never matches."""
    (tmp_path / "r.yml").write_text(text)

    with pytest.raises(RuleError, match=r"r\.yml: ") as caught:
        list(read_documents(tmp_path / "r.yml"))

    assert message in str(caught.value)


def test_actions_make_several_rules_of_one_file(tmp_path: Path) -> None:
    """global goes into all that follow, repeat is laid over the one before, reset ends it."""
    (tmp_path / "aws_many.yml").write_text(
        "action: global\nlogsource: {product: aws}\nlevel: high\n---\n"
        "title: A\nname: a\ndetection: {s: {f: x}, condition: s}\n---\n"
        "action: repeat\ntitle: B\nname: b\n---\n"
        "action: reset\n---\n"
        "title: C\nname: c\nlogsource: {product: aws}\ndetection: {s: {f: y}, condition: s}\nlevel: low\n"
    )

    found = load_rules(tmp_path, {})

    assert found.errors == ()
    assert [(rule.title, rule.level.word) for rule in found.rules] == [("A", "high"), ("B", "high"), ("C", "low")]
    assert found.rules[0].detection == found.rules[1].detection


def test_one_bad_document_does_not_hide_the_others(tmp_path: Path) -> None:
    """The author sees every fault at once, and good rules stay usable."""
    good = "title: A\nlogsource: {product: aws}\ndetection: {s: {f: x}, condition: s}\n"
    correlation = (
        "title: Many\ncorrelation: {type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 3}}\n"
    )
    (tmp_path / "aws_a.yml").write_text(f"{good}---\n{correlation}")
    (tmp_path / "aws_b.yml").write_text("a: [\n")

    found = load_rules(tmp_path, {})

    assert [rule.title for rule in found.rules] == ["A"]
    assert len(found.errors) == 2
    assert "aws_a.yml (document 2): refers to 'a', which is the id or name of no rule" in found.errors[1]
