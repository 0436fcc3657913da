"""A bad record's outline helps to recognise it and holds nothing that might be secret."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.cloudtrail.malformed import MAX_OUTLINE, outline


KNOWN = {
    "eventID": "ca7e0000-0000-4000-8000-000000000001",
    "eventTime": "2026-09-15T10:00:00Z",
    "eventSource": "ssm.amazonaws.com",
    "eventName": "PutParameter",
    "awsRegion": "eu-central-1",
    "recipientAccountId": "111122223333",
}
SECRET = "hunter2-Tr0ub4dor"


def test_record_is_recognised_by_what_aws_wrote() -> None:
    """The reader looks for an event; an index into a log file of thousands is a hard way to find it."""
    shown = outline(json.dumps({**KNOWN, "requestParameters": {"value": SECRET}, "tags": [], "n": None}).encode())

    assert all(f"{name} {value}" in shown for name, value in KNOWN.items())
    assert "requestParameters (object of 1), tags (list of 0), n (null)" in shown


@pytest.mark.parametrize("text", ['"text"', "[1, 2]", "null", "true", "12.5"])
def test_entry_that_is_no_object_is_shown_by_its_kind(text: str) -> None:
    """A bare text may be a secret itself."""
    assert outline(text.encode()) in ("text of 4", "list of 2", "null", "true or false", "number")


def test_broken_text_is_shown_by_its_punctuation_and_known_members() -> None:
    """What does not parse cannot be searched for secrets."""
    broken = json.dumps({**KNOWN, "requestParameters": {"value": SECRET}})[:-2]

    shown = outline(broken.encode())

    assert SECRET not in shown
    assert "eventName PutParameter" in shown
    assert shown.endswith('".":{".":"."')


NAMES = st.sampled_from([*KNOWN, "value", "password"])
SECRETS = st.text("abcdefghijklmnopqrstuvwxyz0123456789!$%/+=", min_size=12, max_size=60).map("S3cr3t!{}".format)


@given(name=NAMES, secret=SECRETS, depth=st.integers(0, 4), cut=st.integers(0, 30), garbage=st.binary(max_size=8))
def test_no_value_is_kept_wherever_it_stands(name: str, secret: str, depth: int, cut: int, garbage: bytes) -> None:
    """Secrets turn up in members of any name, at any depth, in whole and in broken records."""
    value: Any = secret
    for _ in range(depth):
        value = {name: value}
    text = json.dumps({**KNOWN, name: value}).encode()

    for content in (text, text[: len(text) - cut] + garbage, json.dumps(secret).encode(), secret.encode()):
        assert secret not in outline(content)
        assert secret[:10] not in outline(content)


@given(st.binary(max_size=3000))
def test_any_bytes_have_a_short_and_safe_outline(content: bytes) -> None:
    """Whoever wrote the record chose the bytes, and somebody's terminal shows them."""
    shown = outline(content)

    assert len(shown) <= MAX_OUTLINE
    assert shown.isprintable()


def test_deepest_nesting_and_longest_names_are_taken() -> None:
    """A bad record is bad because it is hostile, sometimes."""
    assert len(outline(b"[" * 300_000)) <= MAX_OUTLINE
    assert len(outline(json.dumps({"x" * 100_000: 1, **{f"m{n}": n for n in range(5000)}}).encode())) <= MAX_OUTLINE
    assert outline(b"") == ""
