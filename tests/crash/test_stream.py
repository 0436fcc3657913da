"""What fails in a stream batch costs only itself: the rest is told once, it waits in the queue, and is told later."""

import io
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.crash.aws import SHARDS, FakeDynamo, FakeSns, FakeStreams
from tests.crash.faults import FAILED, Faults
from tests.crash.pollers import StreamPoller
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.flows.notifier import Notifier
from trailbell.handlers.notifier import new_hits
from trailbell.hits.hit import Hit
from trailbell.ops.undelivered import UndeliveredHits, read_dropped
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import encode
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.rows import hit_row


GivenHit = Callable[..., Hit]
REFUSED = "444455556666"


class Told:
    """A notifier behind the streams of a table, and a topic that refuses alerts of one account."""

    def __init__(self, seed: int) -> None:
        self.faults = Faults(lambda call, made, kinds: FAILED if f"publish {REFUSED}" in call else None)
        self.dynamo, self.sns = FakeDynamo(self.faults), FakeSns(self.faults, lambda _: False)
        self.dead_letters, self.failures = list[str](), list[str]()
        chance = random.Random(seed)  # noqa: S311 (a schedule, no secret)
        self.pollers = [
            StreamPoller(
                self.faults, chance, self.notify, shard, self.dynamo.shards[shard], self.dead_letters, seed % 2 == 0
            )
            for shard in range(SHARDS)
        ]

    def failed(self, what: str, error: Exception) -> None:
        self.failures.append(what)

    def notify(self, event: dict[str, Any]) -> list[str]:
        self.faults.begin()
        marks = DynamoDeliveryRecords(self.dynamo, "hits", 400)
        notifier = Notifier(SnsAlertTopic(self.sns, "topic"), marks, self, lambda: "2026-09-15T10:05:00Z")
        failed, counters = notifier.notify(new_hits(event))
        assert counters.balanced
        return failed

    def drain(self) -> None:
        while any(poller.poll() for poller in self.pollers):
            pass

    def notified(self) -> Counter[str]:
        return Counter(hit_id for _, _, hits in self.sns.published for hit_id in hits)

    def redrive(self) -> tuple[str, ...]:
        """What `trailbell dlq redrive` does; the names of the hits that are still not told."""
        hits = UndeliveredHits(self._client, "hits", "notifier")
        tellings = [hits.notify(hits.dropped(read_dropped(dead_letter))) for dead_letter in self.dead_letters]
        return tuple(name for delivery in tellings for name in delivery.undelivered)

    def _client(self, service: str) -> Any:
        return {"dynamodb": self.dynamo, "dynamodbstreams": FakeStreams(self.dynamo), "lambda": self}[service]

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        self.notify(json.loads(Payload))
        return {"Payload": io.BytesIO(b"{}")}


def hits_of(given_hit: GivenHit, count: int) -> list[Hit]:
    """Hits of two actors."""
    hits = [given_hit(eventID=f"e-{number}") for number in range(count)]
    eve = replace(hits[0].actor, key="arn:aws:iam::111122223333:user/eve")
    return [replace(hit, actor=eve) if number % 2 else hit for number, hit in enumerate(hits)]


@pytest.mark.parametrize("seed", range(6))
def test_hit_that_cannot_be_told_ends_in_the_queue_and_is_told_later(given_hit: GivenHit, seed: int) -> None:
    """The others are told once, those that came with it and those that came after it."""
    notified, hits = Told(seed), hits_of(given_hit, 60)
    hits[20] = replace(hits[20], account=REFUSED)
    DynamoHitTable(notified.dynamo, "hits", 400).keep(hits)

    notified.drain()

    others = {hit.hit_id for hit in hits if hit.account != REFUSED}
    assert notified.notified() == Counter(dict.fromkeys(others, 1))
    assert len(notified.dead_letters) == 1

    notified.faults.mended = True
    assert notified.redrive() == ()
    assert notified.redrive() == ()

    assert notified.notified() == Counter(dict.fromkeys((hit.hit_id for hit in hits), 1))


@pytest.mark.parametrize("seed", range(6))
def test_row_that_is_no_hit_blocks_nobody_and_is_not_lost(given_hit: GivenHit, seed: int) -> None:
    """A row that this version cannot read: counted, told to the journal, and named by every redrive."""
    notified, hits = Told(seed), hits_of(given_hit, 60)
    table = DynamoHitTable(notified.dynamo, "hits", 400)
    table.keep(hits[:30])
    row = {**hit_row(given_hit(eventID="poison"), 2_000_000_000), "level": "apocalyptic"}
    notified.dynamo.put_item(TableName="hits", Item=encode(row))
    table.keep(hits[30:])

    notified.drain()

    assert notified.notified() == Counter(dict.fromkeys((hit.hit_id for hit in hits), 1))
    assert len(notified.dead_letters) == 1
    (name,) = notified.redrive()
    assert "poison" in name
    assert all("poison" in failure for failure in notified.failures)
