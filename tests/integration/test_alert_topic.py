"""Alerts reach the topic in a form that inboxes, queues and filter policies can use."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.alerts.grouping import group_hits
from trailbell.hits.hit import Hit


GivenHit = Callable[..., Hit]
Receive = Callable[[], list[dict[str, Any]]]

LIMIT = 256 * 1024
"""What SNS takes for all forms of a message and its attributes together."""


class RecordingSns:
    """An SNS client that remembers what it was asked to publish."""

    def __init__(self) -> None:
        self.request: dict[str, Any] = {}

    def publish(self, **request: Any) -> None:
        self.request = request

    def bytes_sent(self) -> int:
        attributes = self.request["MessageAttributes"].items()
        names = sum(len(name) + len(value["DataType"]) + len(value["StringValue"]) for name, value in attributes)
        return len(self.request["Message"].encode()) + names


@pytest.fixture
def topic(topic_arn: str) -> SnsAlertTopic:
    return SnsAlertTopic(boto3.client("sns"), topic_arn)


def given_alert(*hits: Hit) -> Alert:
    (alert,) = group_hits(hits)
    return alert


def given_published(alert: Alert) -> RecordingSns:
    sns = RecordingSns()
    SnsAlertTopic(sns, "arn:aws:sns:eu-central-1:111122223333:alerts").notify(alert)
    return sns


def test_queue_gets_the_alert_as_json(
    topic: SnsAlertTopic, subscribe: Callable[..., Receive], given_hit: GivenHit
) -> None:
    """Machines depend on every one of these members; the schema says so."""
    receive = subscribe()

    topic.notify(given_alert(given_hit(1), given_hit(2, event_time="2026-09-15T10:05:00Z")))

    (envelope,) = receive()
    document = json.loads(envelope["Message"])
    assert document["schema"] == "trailbell.alert/1"
    assert document["count"] == 2
    assert document["level"] == "high"
    assert document["rule"] == {"id": given_hit().rule_id, "name": "kms-key-disabled", "title": "KMS Key Disabled"}
    assert document["account"] == "111122223333"
    assert document["service"] == "kms"
    assert document["actor"] == {"key": given_hit().actor.key, "text": "role Deploy, session ci"}
    assert (document["firstEventTime"], document["lastEventTime"]) == ("2026-09-15T10:00:00Z", "2026-09-15T10:05:00Z")
    assert document["hitIds"] == [given_hit(1).hit_id, given_hit(2).hit_id]
    assert [hit["hitId"] for hit in document["hits"]] == document["hitIds"]
    assert document["subject"] == envelope["Subject"]
    assert document["text"].startswith("HIGH - KMS Key Disabled (2 times)")


def test_inbox_gets_the_text(given_hit: GivenHit) -> None:
    """Somebody woken at night cannot read JSON."""
    request = given_published(given_alert(given_hit())).request

    forms = json.loads(request["Message"])
    assert request["MessageStructure"] == "json"
    assert set(forms) == {"default", "email"}
    assert forms["email"].startswith("HIGH - KMS Key Disabled\n")
    assert forms["email"] == json.loads(forms["default"])["text"]


def test_attributes_say_what_a_subscription_can_choose_by(
    topic: SnsAlertTopic, subscribe: Callable[..., Receive], given_hit: GivenHit
) -> None:
    """A renamed attribute makes every filter policy silent."""
    receive = subscribe()

    topic.notify(given_alert(given_hit()))

    (envelope,) = receive()
    assert {name: attribute["Value"] for name, attribute in envelope["MessageAttributes"].items()} == {
        "level": "high",
        "service": "kms",
        "account": "111122223333",
        "rule": "kms-key-disabled",
    }


def test_filter_policy_on_the_level_lets_through_what_it_names(
    topic: SnsAlertTopic, subscribe: Callable[..., Receive], given_hit: GivenHit
) -> None:
    """The pager subscribes to what is critical, and to nothing else."""
    everything, severe = subscribe(), subscribe(level=["high", "critical"])

    for level in ("informational", "low", "medium", "high", "critical"):
        topic.notify(given_alert(given_hit(level=level)))

    assert len(everything()) == 5
    assert sorted(envelope["MessageAttributes"]["level"]["Value"] for envelope in severe()) == ["critical", "high"]


def test_record_without_an_event_source_can_be_told(
    topic: SnsAlertTopic, subscribe: Callable[..., Receive], given_hit: GivenHit
) -> None:
    """SNS refuses a message with an empty attribute, and with it the alert."""
    receive = subscribe()

    topic.notify(given_alert(given_hit(event_source="")))

    (envelope,) = receive()
    assert envelope["MessageAttributes"]["service"]["Value"] == "unknown"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("x\r\nBcc: everybody@example.com", id="header"),
        pytest.param("\x1b[31m\x00\x7f", id="control"),
        pytest.param("\u202egnp.exe\u2028", id="bidirectional"),
        pytest.param("Ångström 鍵🔑", id="not-ascii"),
        pytest.param("\ufdfa" * 200, id="grows-when-folded"),
        pytest.param("x" * 5000, id="long"),
        pytest.param("\t \n" * 200, id="blank"),
    ],
)
def test_subject_is_short_printable_ascii_whoever_acted(given_hit: GivenHit, name: str) -> None:
    """SNS refuses any other subject, and a line break in one adds a header to the mail."""
    hit = given_hit(resources=(name,), region=name, title=f"Title {name}")

    subject = given_published(given_alert(replace(hit, actor=replace(hit.actor, name=name)))).request["Subject"]

    assert subject.startswith("[HIGH] Title")
    assert 1 <= len(subject) <= 99
    assert subject.isascii()
    assert subject.isprintable()


def test_storm_of_a_thousand_hits_fits_into_one_message(given_hit: GivenHit) -> None:
    """A message SNS refuses is an alert about a thousand acts that nobody gets."""
    step = "aws kms enable-key --region eu-central-1 --key-id " + "x" * 1000
    hits = [
        given_hit(
            number,
            resources=tuple(
                f"arn:aws:kms:eu-central-1:111122223333:key/{number}-{part}-{'y' * 400}" for part in range(50)
            ),
            undo=(step, step),
            user_agent='"quoted" \\ ' * 90,
        )
        for number in range(1000)
    ]

    sns = given_published(given_alert(*hits))

    document = json.loads(json.loads(sns.request["Message"])["default"])
    assert sns.bytes_sent() < LIMIT
    assert document["count"] == 1000
    assert 1 <= len(document["hits"]) < 1000
    assert 1 <= len(document["hitIds"]) < 1000


@pytest.mark.parametrize(
    ("resources", "undo"),
    [
        pytest.param(50 * ['"\\' * 500], [], id="quotes"),
        pytest.param(50 * ["\U000e0001" * 1100], [], id="invisible"),
        pytest.param(50 * ["x" * 6000], [], id="long"),
        pytest.param(10 * ["🔑" * 1090], 18 * ["🔑" * 1000], id="four-bytes"),
        pytest.param(14 * ['"\\' * 525], 15 * ['"\\' * 500], id="quotes-everywhere"),
        pytest.param([], 80 * ["x" * 2000], id="steps"),
    ],
)
def test_single_hit_of_hostile_names_fits_into_one_message(
    given_hit: GivenHit, resources: list[str], undo: list[str]
) -> None:
    """Whoever can make one act too large to tell can act without being told."""
    named = tuple(f"{number}{resource}" for number, resource in enumerate(resources))

    sns = given_published(given_alert(given_hit(resources=named, undo=tuple(undo))))

    document = json.loads(json.loads(sns.request["Message"])["default"])
    assert sns.bytes_sent() < LIMIT
    assert document["hitIds"] == [given_hit().hit_id]
    assert document["text"].startswith("HIGH - KMS Key Disabled")
