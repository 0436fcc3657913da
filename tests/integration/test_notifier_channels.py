"""The notifier as Lambda calls it, with a chat topic and an event bus: who is told when one of them is gone."""

import json
import logging
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from trailbell.handlers import notifier
from trailbell.hits.hit import Hit
from trailbell.store.dynamo import encode
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.rows import hit_row


GivenHit = Callable[..., Hit]
Receive = Callable[[], list[dict[str, Any]]]
DONE: dict[str, list[object]] = {"batchItemFailures": []}


@pytest.fixture
def chat_arn(aws: None) -> str:
    return str(boto3.client("sns").create_topic(Name="chat")["TopicArn"])


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, table: str, topic_arn: str, chat_arn: str) -> None:
    """What the stack tells the notifier, which starts cold."""
    boto3.client("events").create_event_bus(Name="trailbell")
    for cached in (notifier._parts, notifier._metrics):
        cached.cache_clear()
    logging.Logger.manager.loggerDict.pop("notifier", None)
    for name, value in {
        "TABLE": table,
        "TOPIC_ARN": topic_arn,
        "RETENTION_DAYS": "400",
        "CHAT_TOPIC_ARN": chat_arn,
        "CHAT_LEVEL": "high",
        "EVENT_BUS": "trailbell",
        "RUNBOOK_URL": "https://wiki.example.com/{rule}",
    }.items():
        monkeypatch.setenv(f"TRAILBELL_{name}", value)


def given_event(*hits: Hit) -> dict[str, Any]:
    """What the stream tells of new hits."""
    rows = [encode(hit_row(hit, 2_000_000_000)) for hit in hits]
    changes = [{"SequenceNumber": str(number), "NewImage": row} for number, row in enumerate(rows)]
    return {"Records": [{"eventName": "INSERT", "dynamodb": change} for change in changes]}


def counts(output: str) -> dict[str, float]:
    """What the last batch counted, as CloudWatch reads it from the log."""
    (line, *_) = [line for line in reversed(output.splitlines()) if '"counts"' in line]
    return dict(json.loads(line)["counts"])


def test_everybody_is_told_with_related_hits_and_runbook(
    dynamodb: Any,
    table: str,
    subscribe: Callable[..., Receive],
    given_hit: GivenHit,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The whole way of a deployed notifier that has everything switched on."""
    receive = subscribe()
    earlier, now = given_hit(1, event_time="2026-09-15T09:00:00Z", title="KMS Alias Moved"), given_hit(2)
    DynamoHitTable(dynamodb, table, 400).keep([earlier, now])

    assert notifier.handler(given_event(now), None) == DONE

    (envelope,) = receive()
    document = json.loads(envelope["Message"])
    assert [hit["hitId"] for hit in document["related"]["hits"]] == [earlier.hit_id]
    assert "2026-09-15 09:00:00 UTC  high     KMS Alias Moved (DisableKey)" in document["text"]
    assert document["links"]["runbook"] == "https://wiki.example.com/kms-key-disabled"
    found = counts(capsys.readouterr().out)
    assert (found["ChannelsNotified"], found["ChannelsFailed"], found["RelatedRead"]) == (2, 0, 1)


def test_readers_that_are_gone_cost_no_mail_and_no_second_one(
    chat_arn: str,
    subscribe: Callable[..., Receive],
    given_hit: GivenHit,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Somebody deletes chat topic and event bus: mails go out once, and the failure is counted, which is alarmed."""
    receive = subscribe()
    boto3.client("sns").delete_topic(TopicArn=chat_arn)
    boto3.client("events").delete_event_bus(Name="trailbell")

    answers = [notifier.handler(given_event(given_hit(1)), None) for _ in range(2)]

    assert answers == [DONE, DONE]
    assert len(receive()) == 1
    first, *_ = [line for line in capsys.readouterr().out.splitlines() if '"ChannelsFailed"' in line]
    assert counts(first)["ChannelsFailed"] == 2


def test_table_that_cannot_be_queried_costs_no_mail(
    table: str, subscribe: Callable[..., Receive], given_hit: GivenHit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look-up is a courtesy; the alert is the promise."""
    receive = subscribe()
    notifier._parts()
    monkeypatch.setattr(notifier._parts().related, "_table", "gone")

    assert notifier.handler(given_event(given_hit(1)), None) == DONE

    (envelope,) = receive()
    document = json.loads(envelope["Message"])
    assert document["related"]["note"] == "could not be read; the alert did not wait"
    assert (
        "trailbell hits --from 2026-09-14 --to 2026-09-15 --actor arn:aws:iam::111122223333:role/Deploy"
        in document["text"]
    )
