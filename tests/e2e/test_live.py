"""Live events and log files through the deployed product: in either order one alert, and how long each takes."""

import gzip
import json
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, deploy
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.live import is_drained, live_event, wait_until
from trailbell.cli.local.local_aws import LocalAws
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.text.times import iso_time


pytestmark = pytest.mark.e2e
ROUNDS = 12

Record = dict[str, Any]


def act(number: int) -> Record:
    """A key is disabled now: each time another one."""
    key = f"{number:08x}-12ab-34cd-56ef-{uuid.uuid4().hex[:12]}"
    return {
        **BASE_RECORD,
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": str(uuid.uuid4()),
        "eventTime": iso_time(datetime.now(UTC)),
        "requestParameters": {"keyId": key},
        "resources": [{"type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:us-east-1:111122223333:key/{key}"}],
    }


class Product:
    """The deployed product, as live events and log files reach it."""

    def __init__(self, aws: LocalAws) -> None:
        deploy(aws, TRAIL_BUCKET, quiet_minutes="0", live="true", live_organization="o-trailbelllocal")
        self.aws, self.stack = aws, DeployedStack(aws.client, STACK)
        self.queue = self.stack.output("IngestQueue")
        self.episodes = list[str]()
        self.inbox = Inbox(aws, self.stack.output("AlertTopic"))

    def send_live(self, record: Record, **members: Any) -> None:
        body = json.dumps({**live_event(record), **members})
        self.aws.client("sqs").send_message(QueueUrl=self.queue, MessageBody=body)

    def put_log_file(self, record: Record) -> None:
        key = f"AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/{record['eventID']}.json.gz"
        body = gzip.compress(json.dumps({"Records": [record]}).encode())
        self.aws.client("s3").put_object(Bucket=TRAIL_BUCKET, Key=key, Body=body)

    def notified(self) -> list[str]:
        """The event ids of the acts of the alerts that come within a while; episodes are put aside."""
        for _ in range(20):
            hits = [hit for alert in self.inbox.receive(1) for hit in alert["hits"]]
            self.episodes += [hit["eventID"] for hit in hits if "episode" in hit]
            if acts := [hit["eventID"] for hit in hits if "episode" not in hit]:
                return acts
        return []

    def seconds_until_notified(self, source: Callable[[Record], None], record: Record) -> float:
        began = time.monotonic()
        source(record)
        assert self.notified() == [record["eventID"]]
        return time.monotonic() - began

    def settled(self) -> None:
        wait_until(lambda: is_drained(self.aws, self.queue), "messages in the ingest queue")


def test_either_order_is_one_alert_and_a_live_event_takes_no_longer(
    aws: LocalAws, capsys: pytest.CaptureFixture[str]
) -> None:
    product, taken = Product(aws), dict[str, list[float]]()
    ways = {"live event": product.send_live, "log file": product.put_log_file}
    acts = []
    for number in range(ROUNDS):
        first = [*ways][number % 2]
        acts.append(act(number))
        taken.setdefault(first, []).append(product.seconds_until_notified(ways[first], acts[-1]))
        for send in ways.values():  # the other one, and the first once more
            send(acts[-1])
    product.send_live({**act(99), "recipientAccountId": "444455556666"}, account="111122223333")
    product.send_live(act(98), source="my.app")
    product.settled()
    waits = product.notified()

    dead = aws.client("sqs").get_queue_attributes(
        QueueUrl=product.stack.output("DeadLetters"), AttributeNames=["ApproximateNumberOfMessages"]
    )
    with capsys.disabled():
        for source, seconds in taken.items():
            middle = statistics.median(seconds[1:])  # the first of each starts a function
            print(f"\n{source} to alert on the local stack: {middle:.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")  # noqa: T201
    assert waits == []
    assert len(product.episodes) == 1, "twelve keys in a row are one wave, whichever way each came"
    assert dead["Attributes"]["ApproximateNumberOfMessages"] == "0"
    assert max(map(len, taken.values())) == ROUNDS / 2
    assert statistics.median(taken["live event"]) < 10
