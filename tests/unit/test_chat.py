"""What stands in a chat is the chat program's Markdown: nothing from a record may work there as anything but text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.golden.alerts import awkward_alerts, rule_alerts
from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.chat import chat_message
from trailbell.hits.hit import Hit


GivenHit = Callable[..., Hit]
MESSAGES = {rule.name: chat_message(alert) for rule, alert in rule_alerts()}
MESSAGES |= {f"case-{name}": chat_message(alert) for name, _, alert in awkward_alerts()}


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_a_custom_notification(name: str) -> None:
    """What is not of the form is dropped by Amazon Q Developer without a word."""
    message = MESSAGES[name]

    assert (message["version"], message["source"]) == ("1.0", "custom")
    assert set(message) == {"version", "source", "id", "content", "metadata"}
    content, metadata = message["content"], message["metadata"]
    assert set(content) == {"textType", "title", "description", "nextSteps", "keywords"}
    assert content["textType"] == "client-markdown"
    assert 1 <= len(content["title"]) <= 250
    assert 1 <= len(content["description"]) <= 3_000
    assert all(isinstance(step, str) and step for step in content["nextSteps"] + content["keywords"])
    assert set(metadata) == {"threadId", "summary", "eventType", "relatedResources", "additionalContext"}
    assert all(isinstance(value, str) and value for value in metadata["additionalContext"].values())
    assert content["description"].count("```") % 2 == 0


def test_message_says_who_what_and_how_to_undo_it(given_hit: GivenHit) -> None:
    """The chat is where the first minutes of an incident happen."""
    content = chat_message(Alert((given_hit(),)))["content"]

    assert content["title"].startswith("[HIGH] KMS Key Disabled: 1234abcd by role/Admin")
    for expected in (
        "`role Admin, session alice@example.com`",
        "`DisableKey`",
        "aws kms enable-key",
        "event: https://",
    ):
        assert expected in content["description"]
    assert content["nextSteps"] == ["Ask the person."]


HOSTILE = "<!channel> <https://evil.example|click> `*_~ & \n``` @here"


def hostile_hit(given_hit: GivenHit) -> Hit:
    arn = "arn:aws:ssm:us-east-1:1:document/" + HOSTILE
    identity: dict[str, Any] = {"type": "IAMUser", "userName": HOSTILE, "arn": HOSTILE}
    return given_hit(eventName=HOSTILE, awsRegion=HOSTILE, userIdentity=identity, resources=[{"ARN": arn}])


def test_text_from_a_record_mentions_nobody_and_links_nowhere(given_hit: GivenHit) -> None:
    """Whoever names a session must not page the whole channel."""
    message = chat_message(Alert((hostile_hit(given_hit),)))

    texts = [*message["content"].values(), *message["metadata"].values()]
    assert "<!channel>" not in str(texts)
    assert "<https" not in str(texts)


def test_code_spans_cannot_be_left(given_hit: GivenHit) -> None:
    """A backtick in a name would end the span, and what follows would be Markdown."""
    description = chat_message(Alert((hostile_hit(given_hit),)))["content"]["description"]

    first = description.split("\n\n")[0]
    assert first.count("`") == 8  # who, call, resource, region
    assert "\n" not in first


def test_command_with_a_backtick_is_left_out_rather_than_changed(given_hit: GivenHit) -> None:
    """A command that the block ends early, or that was altered, is pasted all the same."""
    hit = replace(given_hit(), undo=("aws x --name 'a`b'", "aws y"))

    description = chat_message(Alert((hit,)))["content"]["description"]

    assert "a`b" not in description
    assert "aws y" in description
    assert "(more steps in the mail)" in description


def test_long_message_is_cut_between_paragraphs(given_hit: GivenHit) -> None:
    """A message that is too long is dropped; one that is cut within a block is unreadable."""
    hit = replace(given_hit(), undo=("aws x " + "y" * 5000,), meaning="z" * 1000)

    description = chat_message(Alert((hit,)))["content"]["description"]

    assert len(description) <= 3_000
    assert description.endswith("_(more in the mail and in the hit table)_")
    assert description.count("```") % 2 == 0


def test_repetitions_are_one_thread_and_other_actors_are_not(given_hit: GivenHit) -> None:
    """Ten mails of one terraform run are one line in the channel."""
    first, again = given_hit(eventID="a"), given_hit(eventID="b")
    other = given_hit(eventID="c", userIdentity={"type": "IAMUser", "userName": "ci", "arn": "arn:u"})

    threads = [chat_message(Alert((hit,)))["metadata"]["threadId"] for hit in (first, again, other)]

    assert threads[0] == threads[1] != threads[2]
    assert all(len(thread) <= 100 for thread in threads)
