"""Today's verdict: what became of an exception, by the record and without it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.conftest import RULE
from trailbell.alerts.mail import mail_text
from trailbell.cloudtrail.origin import Place
from trailbell.engine.rulebook import Level, Rule, Rulebook, RuleException
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.verdict import Judge, Today, verdict_document, verdict_text
from trailbell.rulebook.cases import BASE_RECORD


SEEN, NOW = "2026-09-15T10:04:00Z", "2026-11-20T08:00:00Z"
PLACE = Place("trail", "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/09/15/a.json.gz", 3)
RECORD = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey", "userAgent": "rotator/1"}
NIGHTLY = RuleException(
    "nightly", "ops@example.com", "Planned.", "2026-12-31", ["not", ["field", "userAgent", ["contains", "rotator"]]]
)
WEEKLY = replace(NIGHTLY, name="weekly")
NARROW = replace(NIGHTLY, detection=["not", ["field", "userAgent", ["contains", "other"]]])
SHORT = replace(NIGHTLY, expires="2026-10-31")


def book(*exceptions: RuleException, **changes: Any) -> Rulebook:
    return Rulebook((replace(RULE, exceptions=exceptions, **changes),))


def found_under(*exceptions: RuleException) -> Hit:
    hit = HitDetector(book(*exceptions)).detect_record(RECORD, SEEN, PLACE)
    assert hit
    return hit


@pytest.mark.parametrize(
    ("then", "now", "text"),
    [
        (NIGHTLY, (), "muted by nightly until 2026-12-31; today: not muted (the exception nightly is gone)"),
        (
            SHORT,
            (SHORT,),
            "muted by nightly until 2026-10-31; today: not muted (the exception nightly expired on 2026-10-31)",
        ),
        (
            SHORT,
            (),
            "muted by nightly until 2026-10-31; today: not muted (the exception nightly expired on 2026-10-31)",
        ),
        (
            NIGHTLY,
            (NARROW,),
            "muted by nightly until 2026-12-31; today: not muted (the exception nightly does not cover it any more)",
        ),
        (NIGHTLY, (NIGHTLY,), "muted by nightly until 2026-12-31; today: still muted by nightly until 2026-12-31"),
        (
            NIGHTLY,
            (WEEKLY,),
            "muted by nightly until 2026-12-31; today: muted by weekly until 2026-12-31"
            " (the exception nightly is gone)",
        ),
    ],
)
def test_verdict_says_what_became_of_the_exception(
    then: RuleException, now: tuple[RuleException, ...], text: str
) -> None:
    """Whoever looks a month later must see both: what was decided, and what would be."""
    hit = found_under(then)

    assert verdict_text(hit, Judge(book(*now), NOW).judge(hit, RECORD)) == text


def test_act_is_reported_as_today_says_and_names_what_had_muted_it() -> None:
    """The level of then may be wrong, the undo may have changed, and the reader wonders why it comes so late."""
    hit = found_under(NIGHTLY)

    verdict = Judge(book(level=Level.CRITICAL), NOW).judge(hit, RECORD)

    assert verdict.hit
    assert (verdict.hit.identity, verdict.hit.level, verdict.hit.seen_at) == (hit.identity, "critical", NOW)
    assert verdict.hit.is_to_notify
    assert "The exception nightly muted it when it was found, and mutes it no more." in mail_text([verdict.hit])
    assert verdict_document(verdict) == {
        "verdict": "notified",
        "rule": "kms-key-disabled",
        "level": "critical",
        "why": "the exception nightly is gone",
    }


def test_hit_that_was_notified_has_a_verdict_too() -> None:
    """Whoever writes an exception asks whether it would have muted this."""
    hit = found_under()

    muted, other = Judge(book(NIGHTLY), NOW).judge(hit, RECORD), Judge(book(), NOW).judge(hit, RECORD)

    assert verdict_text(hit, muted) == "reported by kms-key-disabled, high; today: muted by nightly until 2026-12-31"
    assert verdict_text(hit, other) == ("reported by kms-key-disabled, high; today: reported by kms-key-disabled, high")


def test_act_that_no_rule_reports_any_more_is_said_so() -> None:
    """A rule that was removed took its exception with it: nobody is to be notified."""
    hit, other = found_under(NIGHTLY), replace(RULE, detection=["field", "eventName", ["eq", "x"]])

    verdict = Judge(Rulebook((other,)), NOW).judge(hit, RECORD)

    assert (verdict.today, verdict.hit) == (Today.NO_RULE, None)
    assert verdict_text(hit, verdict) == "muted by nightly until 2026-12-31; today: no rule reports it"


@pytest.mark.parametrize("record", ["the object is gone", {**RECORD, "eventID": "another-event"}])
def test_without_its_record_a_hit_is_judged_by_the_names_in_it(record: Any) -> None:
    """Log files are removed after a year, and what was muted can still be told; an exception that works still mutes."""
    hit = found_under(NIGHTLY)
    nobody: tuple[Rule, ...] = ()

    gone = Judge(book(), NOW).judge(hit, record)
    works = Judge(book(NIGHTLY), NOW).judge(hit, record)
    no_rule = Judge(Rulebook(nobody), NOW).judge(hit, record)

    assert [gone.today, works.today, no_rule.today] == [Today.NOTIFIED, Today.MUTED, Today.NO_RULE]
    assert gone.hit
    assert gone.hit == replace(
        hit, seen_at=NOW, muted_by="", muted_owner="", muted_reason="", muted_until="", muted_before="nightly"
    )
    assert "judged without its record: " in gone.text
