"""The recording of the demo: paced so that it can be read, whole, without scripts, and of the demo as it is."""

import re
from xml.etree import ElementTree

import pytest

from tests.shipped import ROOT
from tools.recording import PICTURE, paced


PICTURE_TEXT = PICTURE.read_text(encoding="utf-8")
RULER = "\r\n" + "=" * 80 + "\r\n"


def mail(subject: str, undo: str = "Undo") -> str:
    return f"{RULER}To:      a@example.com\r\nSubject: {subject}\r\n\r\n{undo}\r\n" + "line\r\n" * 40


EVENTS = [
    *((0.1 * turn, "\r\x1b[2K\x1b[32m\N{BRAILLE PATTERN DOTS-14}\x1b[0m cdk deploy ...") for turn in range(400)),
    (40.0, "  done: cdk deploy (40.0 s)\r\n"),
    (41.0, mail("one")),
    (42.0, mail("two", "Undo (until tomorrow)") + mail("three", "Undo (until tomorrow)")),
    (91.4, "In short: three mails.\r\n"),
]


def test_waiting_is_shortened_and_nothing_else_is_left_out() -> None:
    """A picture of a run that leaves out what went wrong would be an advertisement."""
    shown = list(paced(EVENTS))
    text = "".join(one.text for one in shown)

    assert sum(one.seconds for one in shown) < 20
    assert text.count("cdk deploy ...") < 10
    assert "".join(said for _, said in EVENTS[400:]) in text
    assert "A run of 91 s: waiting is shortened" in shown[-1].text


def test_first_mail_with_a_deadline_is_held_at_its_first_screen() -> None:
    """It is what the reader came for; the others show how many there are."""
    held = max(paced(EVENTS), key=lambda one: one.seconds)

    assert "Subject: two" in held.text
    assert held.text.count("\n") < 30


def test_picture_says_what_the_demo_says_today() -> None:
    """An old one shows a product that is gone: `make recording` makes it anew."""
    said = re.search(r"^In short: .*$", (ROOT / "docs" / "getting-started.md").read_text("utf-8"), re.MULTILINE)

    assert said
    assert said[0] in "".join(ElementTree.fromstring(PICTURE_TEXT).itertext())  # noqa: S314 (our own file)


@pytest.mark.parametrize("unwanted", ["<script", "javascript:", "onload=", "@import", "<image", "<foreignObject"])
def test_picture_runs_and_loads_nothing(unwanted: str) -> None:
    """GitHub would take it out, and a reader should not have to trust it."""
    assert unwanted not in PICTURE_TEXT
    assert re.findall(r'(?:href|src)="(?!#)[^"]*"', PICTURE_TEXT) == []


def test_picture_is_small_and_stands_still_for_whoever_asks() -> None:
    """It is loaded with the first page that anybody sees."""
    assert PICTURE.stat().st_size < 300_000
    assert "@media (prefers-reduced-motion: reduce) {#screen_view {animation: none !important" in PICTURE_TEXT
