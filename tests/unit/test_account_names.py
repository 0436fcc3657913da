"""Names of accounts stand beside their ids, wherever people read them; they are text, and the id is always there."""

from dataclasses import replace
from datetime import UTC
from functools import cache
from typing import Any

import pytest

from trailbell.alerts.alert import Alert, alert_document
from trailbell.alerts.chat_text import chat_text
from trailbell.cli.hits.output import table_text
from trailbell.engine.rulebook import Level, Rule, Rulebook, dump_rulebook, load_rulebook
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit, hit_document, hit_from_document
from trailbell.hits.hit_state import HitState
from trailbell.rulebook.account_settings import read_account_names, read_accounts
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.query.hit_query import FoundHit


ACCOUNT = str(BASE_RECORD["recipientAccountId"])
RULE = Rule("0f1e", "kms-key-disabled", "key_disabled", "Key Disabled", Level.HIGH, "", ["field", "eventName", ["any"]])


@cache
def named(name: str) -> Hit:
    """The hit of a record, in an account of that name."""
    book = load_rulebook(dump_rulebook(Rulebook((RULE,), account_names={ACCOUNT: name} if name else {})))
    record: dict[str, Any] = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
    hit = HitDetector(book).detect_record(record, "2026-09-01T09:18:57Z")
    assert hit
    return hit


def test_hit_keeps_the_name_and_without_one_nothing() -> None:
    """Who reads a hit next year reads what the account was called then."""
    hit = named("payments")

    assert hit.account_name == "payments"
    assert hit_document(hit)["accountName"] == "payments"
    assert hit_from_document(hit_document(hit)) == hit
    assert "accountName" not in hit_document(named(""))
    assert hit.identity == named("").identity


def test_name_stands_behind_the_id_wherever_people_read_it() -> None:
    """A name alone could be anybody's."""
    hit = named("payments")
    alert = Alert((hit,))
    found = FoundHit(hit, HitState(), "place")

    assert f"account {ACCOUNT} (payments)" in " ".join(alert.text(30_000).split())
    assert f", {ACCOUNT} (payments) us-east-1 #" in alert.subject
    assert f"account {ACCOUNT} (payments)" in chat_text(alert, 3000)
    assert f"{ACCOUNT} (payments)" in table_text([found], UTC, hit.seen_at)
    assert alert_document(alert)["accountName"] == "payments"
    assert alert_document(alert)["account"] == ACCOUNT


def test_name_gives_way_in_a_subject_before_anything_is_cut_for_it() -> None:
    """Filters of mail programs, and people on a telephone, need the rest."""
    hit = replace(named("a-name-of-fifty-characters-that-leaves-no-room-at-all"[:50]), title="T" * 40, short_title="")
    without = replace(hit, account_name="")

    assert Alert((hit,)).subject == Alert((without,)).subject
    assert ACCOUNT in Alert((hit,)).subject


@pytest.mark.parametrize("name", ["<!channel> `x` *b*", "a\u202eb", "x\nSubject: y", "=cmd()", "Grüße"])
def test_name_is_text_whatever_it_says(name: str) -> None:
    """It may come from an organisation that is not ours."""
    hit = named(name)
    alert = Alert((hit,))

    assert "\n" not in hit.account_name
    assert "\u202e" not in hit.account_name
    assert "<!channel>" not in chat_text(alert, 3000)
    assert alert.subject.isascii()
    assert "\n" not in alert.subject


@pytest.mark.parametrize(
    "given",
    [
        "{",
        [],
        {"1111": "x"},
        {"111122223333": ""},
        {"111122223333": "x" * 51},
        {"111122223333": "a\nb"},
        {"111122223333": " x"},
        {"111122223333": 5},
        {111122223333: "x"},
    ],
)
def test_names_that_are_none_are_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="a map of account ids"):
        read_account_names(given)


def test_settings_of_accounts_are_read_as_json_and_as_text() -> None:
    assert read_account_names('{"444455556666": "b", "111122223333": "a"}') == {
        "111122223333": "a",
        "444455556666": "b",
    }
    assert read_accounts("111122223333, 444455556666,111122223333") == ("111122223333", "444455556666")
