"""What is posted: a message within Slack's limits in which a record's text does nothing, or the alert as JSON."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.golden.alerts import awkward_alerts, rule_alerts
from trailbell.alerts.alert import Alert, alert_document
from trailbell.alerts.channels.webhook import Webhook
from trailbell.alerts.webhook_forms import slack_message, teams_message
from trailbell.engine.rulebook import Level
from trailbell.hits.hit import Hit


GivenHit = Callable[..., Hit]
ALERTS = {rule.name: alert for rule, alert in rule_alerts()}
ALERTS |= {f"case-{name}": alert for name, _, alert in awkward_alerts()}
HOSTILE = "<!channel> <https://evil.example|click> `*_~ & \n``` @here https://evil.example"


@pytest.mark.parametrize("name", ALERTS)
def test_message_is_within_slacks_limits(name: str) -> None:
    """Slack answers 400 to a message that is too long, however often it is sent."""
    message = slack_message(ALERTS[name])

    assert set(message) == {"text", "blocks"}
    assert 1 <= len(message["text"]) <= 4_000
    assert [block["type"] for block in message["blocks"]] == ["section", "section"]
    for block in message["blocks"]:
        assert block["text"]["type"] == "mrkdwn"
        assert 1 <= len(block["text"]["text"]) <= 3_000
        assert block["text"]["text"].count("```") % 2 == 0


def test_message_says_who_what_and_how_to_undo_it(given_hit: GivenHit) -> None:
    """The chat is where the first minutes of an incident happen."""
    title, text = (block["text"]["text"] for block in slack_message(Alert((given_hit(),)))["blocks"])

    assert title.startswith("*[HIGH] KMS Key Disabled: 1234abcd by role/Admin")
    for expected in ("`role Admin, session alice@example.com`", "`DisableKey`", "aws kms enable-key"):
        assert expected in text


def test_text_from_a_record_mentions_nobody_and_links_nowhere(given_hit: GivenHit) -> None:
    """Whoever names a session must not page the whole channel."""
    identity: dict[str, Any] = {"type": "IAMUser", "userName": HOSTILE, "arn": HOSTILE}
    arn = "arn:aws:ssm:us-east-1:1:document/" + HOSTILE
    hit = given_hit(eventName=HOSTILE, awsRegion=HOSTILE, userIdentity=identity, resources=[{"ARN": arn}])

    message = slack_message(Alert((hit,)))

    assert "<" not in json.dumps(message)
    assert "https://evil" not in message["text"] + message["blocks"][0]["text"]["text"]
    first = message["blocks"][1]["text"]["text"].split("\n\n")[0]
    assert first.count("`") == 8  # who, call, resource, region: nothing leaves its span
    assert all("evil" not in outside for outside in first.split("`")[::2])


TEAMS_BYTES = 28_000
"""What Teams takes of a message, which it counts in UTF-16."""


@pytest.mark.parametrize("name", ALERTS)
def test_card_is_one_that_teams_takes(name: str) -> None:
    """A workflow that gets no card posts an empty message."""
    body = Webhook(NOBODY, NOBODY, None, "teams", Level.MEDIUM)._form(ALERTS[name])
    message = json.loads(body)

    assert message["type"] == "message"
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {run["type"] for run in runs} == {"TextRun"}  # which knows no Markdown
    assert runs[0]["text"] == ALERTS[name].subject
    assert all(run["text"].strip() for run in runs)
    assert len(json.dumps(message, ensure_ascii=False).encode("utf-16-le")) < TEAMS_BYTES


def test_card_of_a_hostile_storm_fits(given_hit: GivenHit) -> None:
    """Teams answers 413 however often it is sent."""
    hits = tuple(replace(given_hit(eventID=f"e-{n}"), meaning="🔑" * 5_000, title="🔑" * 200) for n in range(300))

    body = Webhook(NOBODY, NOBODY, None, "teams", Level.MEDIUM)._form(Alert(hits))

    assert len(body) < TEAMS_BYTES
    assert len(json.dumps(json.loads(body), ensure_ascii=False).encode("utf-16-le")) < TEAMS_BYTES
    assert teams_message(Alert(hits)) != json.loads(body)


@pytest.mark.parametrize(("level", "expected"), [("low", False), ("medium", True), ("critical", True)])
def test_webhook_gets_alerts_from_its_level_on(given_hit: GivenHit, level: str, expected: bool) -> None:
    """A channel that gets everything is muted by its readers."""
    webhook = Webhook(NOBODY, NOBODY, None, "slack", Level.MEDIUM)

    assert webhook.wants(Alert((replace(given_hit(), level=level),))) is expected


def test_json_is_the_published_alert_and_fits(given_hit: GivenHit) -> None:
    """One form for all machines; what is hostile and long is made to fit."""
    alert = Alert((given_hit(),))
    long = Alert(tuple(replace(given_hit(eventID=f"e-{n}"), meaning="\U000e0001" * 5_000) for n in range(300)))

    webhook = Webhook(NOBODY, NOBODY, None, "json", Level.MEDIUM)

    assert json.loads(webhook._form(alert)) == json.loads(json.dumps(alert_document(alert)))
    body = webhook._form(long)
    assert len(body) <= 250_000
    assert json.loads(body)["count"] == 300


NOBODY: Any = None
