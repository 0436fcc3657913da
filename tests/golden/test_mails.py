"""The mails are what somebody has read: each is compared to the letter with the one that was approved."""

from pathlib import Path

import pytest

from tests.golden.mails import GALLERY, MAILS, gallery, golden_mails


EXPECTED = golden_mails()
AGAIN = "run `make generate`, then read what git says has changed"


@pytest.mark.parametrize("path", EXPECTED, ids=lambda path: path.stem)
def test_mail_is_the_one_that_was_read(path: Path) -> None:
    """A change of a word in the middle of the night is one that somebody saw before."""
    assert EXPECTED[path] == (path.read_text(encoding="utf-8") if path.is_file() else ""), AGAIN


def test_no_golden_mail_is_left_of_a_rule_that_is_gone() -> None:
    """A mail that nothing makes is read for nothing."""
    assert set(MAILS.rglob("*.txt")) == set(EXPECTED), AGAIN


def test_gallery_shows_the_golden_mails() -> None:
    """docs/mails.md is what newcomers judge the product by."""
    assert gallery() == GALLERY.read_text(encoding="utf-8"), AGAIN


def test_mails_hold_no_json() -> None:
    """People read mails; the record is behind the link, and machines have a form of their own."""
    shown = [line for mail in EXPECTED.values() for line in mail.splitlines() if not line.startswith("  aws ")]

    assert [line for line in shown if '{"' in line or '":' in line] == []


def test_subjects_and_lines_are_safe() -> None:
    """SNS refuses other subjects, and control characters do things in mail programs."""
    for mail in EXPECTED.values():
        subject, _, text = mail.partition("\n\n")
        line = subject.removeprefix("Subject: ")
        assert len(line) <= 99
        assert line.isascii()
        assert all(char == "\n" or char.isprintable() for char in text)
