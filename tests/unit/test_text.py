"""What attackers wrote stays data: on one line, in a subject, and in a command ready to paste."""

from typing import Any

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.engine.rulebook import Undo
from trailbell.facts.facts import facts_of
from trailbell.hits.undo import fill_steps, seconds_left, undo_deadline, unknown_places
from trailbell.text.safe_text import ascii_line, csv_cell, is_safe, one_line, unlinked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, even ümlaut 漢字", "plain text, even ümlaut 漢字"),
        ("a\r\nBcc: all@example.com", r"a\x0d\x0aBcc: all@example.com"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\ud800", r"\ud800"),
        ("line\u2028separator", r"line\u2028separator"),
        ("\U000e0041", r"\U000e0041"),
        ("hidden\ufe00\u3164\u2800filler", r"hidden\ufe00\u3164\u2800filler"),
        ("\u0430dmin", r"\u0430dmin"),
        ("\uff41dmin", r"\uff41dmin"),
        ("\u0430\u0434\u043c\u0438\u043d", "\u0430\u0434\u043c\u0438\u043d"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + r"\u0301" * 2),
    ],
)
def test_unsafe_characters_are_shown_not_obeyed(text: str, shown: str) -> None:
    """A terminal, a mail header and a reader's eye must not follow what a caller wrote."""
    assert one_line(text) == shown
    assert is_safe(text) is (text == shown)


def test_long_text_is_cut_and_says_so() -> None:
    """A hundred kilobytes of one letter must not fill the mail."""
    assert one_line("a" * 100_000, 20) == "a" * 15 + "[...]"
    assert len(ascii_line("é" * 500, 30)) == 30
    assert ascii_line("Zoë 漢\n", 30) == r"Zoe ?\x0a"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://evil.example/login", "see https[:]//evil.example/login"),
        ("HTTP://evil", "HTTP[:]//evil"),
        ("www.evil.example", "www[.]evil.example"),
        ("s3://bucket/key, kms.amazonaws.com", "s3://bucket/key, kms.amazonaws.com"),
    ],
)
def test_no_address_becomes_a_link(text: str, shown: str) -> None:
    """An alert is a mail people trust; a user agent must not put a link into it."""
    assert unlinked(text) == shown


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", r"\x09=1"),
        ("\r=1", r"\x0d=1"),
        ("  =1", "  '=1"),
        ('"=1', "\"'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("arn:aws:kms:us-east-1:1:key/1-2", "arn:aws:kms:us-east-1:1:key/1-2"),
        ("aws-cli/2.31 (a; b) +x", "aws-cli/2.31 (a; b) +x"),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    """Whoever opens the hits in a spreadsheet must not run what a caller wrote."""
    assert csv_cell(text) == cell


def given_record(**fields: Any) -> Any:
    base = {"eventTime": "2026-09-01T09:14:07Z", "awsRegion": "us-east-1", "recipientAccountId": "111122223333"}
    return make_record({**base, **fields}, 0)


def fill(template: str, **fields: Any) -> str:
    record = given_record(**fields)
    return fill_steps(Undo((template,)), record, facts_of(record))[0]


def test_undo_step_is_filled_from_the_record() -> None:
    """The reader pastes it; nothing may be left to look up."""
    step = "aws x {region} {account} {requestParameters.name} {requestParameters.count}"
    step += " {resource} {resource.key} {resource.key.name}"
    arns = [{"ARN": "arn:aws:kms:eu-west-1:1:alias/a"}, {"ARN": "arn:aws:kms:eu-west-1:1:key/k"}]

    filled = fill(step, requestParameters={"name": ["n1", "n2"], "count": 7}, resources=arns)

    assert (
        filled == "aws x eu-west-1 111122223333 n1 n2 7 arn:aws:kms:eu-west-1:1:alias/a arn:aws:kms:eu-west-1:1:key/k k"
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x; rm -rf /", "'x; rm -rf /'"),
        ("$(curl evil)", "'$(curl evil)'"),
        ("it's", "'it'\"'\"'s'"),
        ("a\nb", "'<requestParameters.name>'"),
        ("a" * 5000, "'<requestParameters.name>'"),
        (None, "'<requestParameters.name>'"),
        ({"nested": 1}, "'<requestParameters.name>'"),
    ],
)
def test_values_cannot_leave_their_place_in_the_shell(name: object, shown: str) -> None:
    """Whoever names a document must not run a command on the responder's laptop."""
    assert fill("aws x --name {requestParameters.name}", requestParameters={"name": name}) == f"aws x --name {shown}"


def test_steps_that_do_not_fit_are_left_out_where_another_does() -> None:
    """Some rules report two acts, each with its own way back."""
    undo = Undo(("a {requestParameters.x}", "b {requestParameters.y}"))
    general = Undo(("aws x list --region {region}", *undo.steps))
    one, none = given_record(requestParameters={"y": "1"}), given_record()

    assert fill_steps(undo, one, facts_of(one)) == ("b 1",)
    assert fill_steps(general, one, facts_of(one)) == ("aws x list --region us-east-1", "b 1")
    assert len(fill_steps(general, none, facts_of(none))) == 3
    assert fill_steps(undo, none, facts_of(none)) == ("a '<requestParameters.x>'", "b '<requestParameters.y>'")


@pytest.mark.parametrize(
    ("undo", "fields", "deadline"),
    [
        (Undo(within=7), {}, "2026-09-08 09:14:07 UTC"),
        (
            Undo(until="responseElements.deletionDate"),
            {"responseElements": {"deletionDate": "Sep 8, 2026"}},
            "Sep 8, 2026",
        ),
        (Undo(until="responseElements.at"), {"responseElements": {"at": 1788858847}}, "2026-09-08 09:14:07 UTC"),
        (Undo(until="responseElements.at", within=1), {}, "2026-09-02 09:14:07 UTC"),
        *(
            (Undo(until="responseElements.at"), {"responseElements": {"at": answer}}, "2026-09-08 21:05:09 UTC")
            for answer in (
                "Sep 8, 2026, 9:05:09 PM",
                "Sep 8, 2026 9:05:09 PM",
                "Sep 8, 2026, 9:05:09\u202fPM",
                "2026-09-08T21:05:09Z",
                "2026-09-08T23:05:09+02:00",
                "1788901509.0",
            )
        ),
        (
            Undo(until="responseElements.at"),
            {"responseElements": {"at": "Oct 1, 2026, 12:00:00 AM"}},
            "2026-10-01 00:00:00 UTC",
        ),
        (
            Undo(until="responseElements.at"),
            {"responseElements": {"at": "Feb 30, 2026, 9:05:09 PM"}},
            "Feb 30, 2026, 9:05:09 PM",
        ),
        (
            Undo(until="responseElements.at"),
            {"responseElements": {"at": "0001-01-01T00:00:00+14:00"}},
            "0001-01-01T00:00:00+14:00",
        ),
        (Undo(), {}, ""),
        (Undo(within=7), {"eventTime": "?"}, ""),
    ],
)
def test_deadline(undo: Undo, fields: dict[str, Any], deadline: str) -> None:
    """Until when the reader can still undo it."""
    assert undo_deadline(undo, given_record(**fields)) == deadline


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        ("2026-09-08 09:14:07 UTC", 600),
        ("2026-09-08 09:04:07 UTC", 0),
        ("2026-09-08 09:04:00 UTC", -7),
        ("Sep 8, 2026", None),
        ("", None),
    ],
)
def test_time_left_to_a_deadline(until: str, seconds: int | None) -> None:
    """Ten minutes left is another night than seven days left."""
    assert seconds_left(until, "2026-09-08T09:04:07Z") == seconds


def test_places_that_no_record_has_are_known_before_deployment() -> None:
    """A misspelt place would be found in the middle of the night."""
    assert unknown_places("{region} {resource.key} {requestParameters.a.b}") == []
    assert unknown_places("{keyArn} {requestParameters} {responseElement.x}") == [
        "keyArn",
        "requestParameters",
        "responseElement.x",
    ]
