"""What the audit finds is told as what it is: nobody did it as far as we know, and no event says it."""

import json
from dataclasses import replace
from pathlib import Path

import fastjsonschema
import pytest

from tests.audit.test_flow import finding_hits
from trailbell.alerts.alert import alert_document
from trailbell.alerts.grouping import group_hits
from trailbell.alerts.subject import mail_subject
from trailbell.engine.rulebook import Level, Rulebook, RuleException
from trailbell.hits.audit_finding import EVENT_NAMES, Finding, FindingHits, Found
from trailbell.hits.hit import hit_document, hit_from_document
from trailbell.rulebook.load import compile_rules


RULES = Path(__file__).parents[2] / "rules"
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "alert-1.json"
DIGEST = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/20/d.json.gz"
LOGS = tuple(f"AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/20/{number}.json.gz" for number in range(60))


def finding(found: Found, about: str = "a", files: tuple[str, ...] = ()) -> Finding:
    details = (("trail", "acme-audit"), ("log files", str(len(files))))
    return Finding(found, "111122223333", "us-east-1", about, "2026-11-20T10:01:31Z", "logs", DIGEST, files, details)


@pytest.mark.parametrize("found", Found)
def test_every_finding_has_texts_and_an_alert_in_the_published_form(found: Found) -> None:
    """A rule of its own, a mail of its own, and JSON that machines read."""
    (alert,) = group_hits([finding_hits().hit(finding(found), "2026-11-20T11:00:00Z")])

    document = alert_document(alert)
    text = document["text"]
    fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))(document)
    assert (document["level"], alert.sample.name) == ("critical", found.value)
    assert "The audit of log files found this" in text
    assert "What it means" in text
    assert "Check first" in text
    for wrong in ("Who\n", "called", "succeeded", "Asked for", "to mute", "#/events/"):
        assert wrong not in text


def test_subject_says_what_and_where() -> None:
    """It is read on a telephone."""
    hit = finding_hits().hit(finding(Found.DIGEST_DELETED), "2026-11-20T11:00:00Z")

    assert mail_subject([hit]).startswith("[CRITICAL] Digest Deleted: ")
    assert "111122223333" in mail_subject([hit])


def test_identity_is_what_it_is_about() -> None:
    """Found again it is the same hit, whatever is known by then; of something else it is another."""
    first, again = (
        finding_hits().hit(finding(Found.LOG_MISSING, "a", LOGS[:number]), f"2026-11-20T1{number}:00:00Z")
        for number in (1, 2)
    )
    other = finding_hits().hit(finding(Found.LOG_MISSING, "b"), "2026-11-20T11:00:00Z")
    kind = finding_hits().hit(finding(Found.LOG_ALTERED, "a"), "2026-11-20T11:00:00Z")

    assert first.identity == again.identity
    assert len({first.identity, other.identity, kind.identity}) == 3
    assert len({hit.rule_id for hit in (first, kind)}) == 2


def test_many_files_are_named_up_to_a_limit_and_the_rest_counted() -> None:
    """A row of the table has a size."""
    hit = finding_hits().hit(finding(Found.LOG_MISSING, files=LOGS), "2026-11-20T11:00:00Z")

    assert len(hit.resources) == 50
    assert ("more files", "10") in hit.shown
    assert hit_from_document(json.loads(json.dumps(hit_document(hit)))) == hit


def test_kind_that_no_rule_is_about_is_reported_all_the_same() -> None:
    """Who takes a rule away, or narrows it, must not lose findings in silence."""
    hits = [FindingHits(Rulebook(())).hit(finding(found), "2026-11-20T11:00:00Z") for found in Found]

    assert {(hit.name, hit.level) for hit in hits} == {(found.value, "critical") for found in Found}
    assert all(hit.identity == finding_hits().hit(finding(Found(hit.name)), hit.seen_at).identity for hit in hits)


def test_every_kind_has_a_rule_of_its_name() -> None:
    """Its slug is what people have filters for."""
    hits = {found: finding_hits().hit(finding(found), "2026-11-20T11:00:00Z") for found in Found}

    assert {found: hit.name for found, hit in hits.items()} == {found: found.value for found in Found}
    assert {hit.event_name for hit in hits.values()} == set(EVENT_NAMES.values())
    assert len({hit.rule_id for hit in hits.values()}) == len(Found)


def test_exception_and_level_are_those_of_the_rule() -> None:
    """As of every rule: a deployer may know that an account is closed."""
    rule = next(rule for rule in compile_rules(RULES / "audit", {}) if rule.name == "audit-logs-silent")
    elsewhere = ["not", ["field", "recipientAccountId", ["eq", "111122223333"]]]
    closed = RuleException("closed", "dana", "closed for good", "2026-12-31", elsewhere)
    rules = FindingHits(Rulebook((replace(rule, exceptions=(closed,), level=Level.HIGH),)))

    hit = rules.hit(finding(Found.LOGS_SILENT), "2026-11-20T11:00:00Z")
    other = rules.hit(replace(finding(Found.LOGS_SILENT), account="444455556666"), "2026-11-20T11:00:00Z")

    assert (hit.muted_by, hit.level, other.muted_by) == ("closed", "high", "")
