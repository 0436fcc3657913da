"""A rule of several operations offers the undo of the one that happened."""

from pathlib import Path

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.engine.rulebook import Rulebook, Undo, dump_rulebook, load_rulebook
from trailbell.errors import RuleError
from trailbell.facts.facts import facts_of
from trailbell.hits.undo import fill_steps
from trailbell.hits.undo_note import newer_cli, undo_note
from trailbell.rulebook.cases import BASE_RECORD, merged
from trailbell.rulebook.load import compile_rules
from trailbell.rulebook.undo import compile_undo


LISTED = frozenset({"updatealias", "deletealias", "createalias"})
GIVEN = {
    "steps": [
        "aws x all",
        {"UpdateAlias": "aws x update"},
        {"DeleteAlias, CreateAlias": ["aws x first {requestParameters.gone}", "aws x second"]},
    ],
    "note": "For all.",
    "notes": {"UpdateAlias": "For one."},
}


def steps(undo: Undo, event: str) -> tuple[str, ...]:
    record = make_record(merged(BASE_RECORD, {"eventName": event}), 0)
    return fill_steps(undo, record, facts_of(record))


def test_steps_are_those_of_the_event() -> None:
    """DeleteAlias was offered UpdateAlias's way back, with a placeholder."""
    undo = compile_undo(GIVEN, "rule", LISTED)

    assert steps(undo, "UpdateAlias") == ("aws x all", "aws x update")
    assert steps(undo, "CreateAlias") == ("aws x all", "aws x first '<requestParameters.gone>'", "aws x second")
    assert steps(undo, "Other") == ("aws x all",)


def test_notes_are_those_of_the_event() -> None:
    """A note about the other operation is noise at best."""
    undo = compile_undo(GIVEN, "rule", LISTED)
    notes = [
        undo_note(undo, make_record(merged(BASE_RECORD, {"eventName": event}), 0), ())
        for event in ("UpdateAlias", "DeleteAlias")
    ]

    assert notes == ["For all. For one.", "For all."]


@pytest.mark.parametrize(
    ("undo", "words"),
    [
        ({"steps": [{"RenameAlias": "aws x"}]}, "undo names events that the rule does not: RenameAlias"),
        ({"notes": {"RenameAlias": "x"}}, "undo names events that the rule does not: RenameAlias"),
        ({"steps": [{"UpdateAlias": 7}]}, "undo.steps is a list of texts"),
        ({"steps": "aws x"}, "undo.steps is a list of texts"),
        ({"notes": "x"}, "undo.notes is a map"),
        ({"steps": [{"UpdateAlias": "aws x {userIdentity.arn}"}]}, "undo names what no record has"),
        ({"step": []}, "undo is a map of"),
    ],
)
def test_undo_that_cannot_be_meant_is_refused(undo: object, words: str) -> None:
    """A misspelt event would be an undo that nobody ever sees."""
    with pytest.raises(RuleError, match=words):
        compile_undo(undo, "rule", LISTED)


def test_rulebook_keeps_them(tmp_path: Path) -> None:
    """What Lambda loads is what was compiled."""
    root = Path(__file__).resolve().parents[2]
    rules = compile_rules(root / "rules" / "kms" / "aws_kms_alias_moved.yml", {})

    again = load_rulebook(dump_rulebook(Rulebook(rules))).rules

    assert again == rules
    assert again[0].undo.events
    assert again[0].shows


def test_commands_that_an_older_cli_lacks_say_so() -> None:
    """`Invalid choice` at three in the morning."""
    told = list(newer_cli(["aws ssm get-cloud-connector --region r", "aws ssm-guiconnect get-x", "aws ssm get-x"]))

    assert told == [
        "aws ssm-guiconnect need an AWS CLI of 2025 or later.",
        "aws ssm get-cloud-connector need an AWS CLI of June 2026 or later.",
    ]
