"""The detector on the real table, given a record by its live event and by its log file."""

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from tests.integration.conftest import REGION
from tests.unit.conftest import RULE
from tests.unit.live_events import envelope, record
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.flows.detector import Detector
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.lookback.replay import replay_message
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.query.hit_query import find_hits


LIVE_AT, FILED_AT = "2026-09-01T09:14:10Z", "2026-09-01T09:18:57Z"
DAY = datetime(2026, 9, 1, tzinfo=UTC)
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/a.json.gz"
NOISE = record(eventName="ListKeys", eventID="noise")


@dataclass
class Chain:
    """The detector on the real table, with a log file that holds the record second."""

    dynamodb: Any
    table: str
    s3: Any
    given: dict[str, Any]
    rule: Rule = RULE
    others: tuple[Rule, ...] = ()

    def deliver(self, body: Any, at: str) -> int:
        """How many hits it brought that somebody is to be notified of."""
        detector = Detector(
            HitDetector(Rulebook((self.rule, *self.others))),
            _Bucket(self.s3),
            DynamoHitTable(self.dynamodb, self.table, 400),
            _NoLog(),
            lambda: at,
            10**6,
            live_accounts=frozenset(),
        )
        text = body if isinstance(body, str) else json.dumps(body)
        failed, counters = detector.detect_batch([{"messageId": "m", "body": text}])
        assert failed == []
        return counters.hits_to_notify

    def live(self, **members: Any) -> int:
        """As EventBridge brings the record: without its eventContext."""
        given = {name: value for name, value in self.given.items() if name != "eventContext"}
        return self.deliver(envelope(given, **members), LIVE_AT)

    def put(self, key: str) -> None:
        body = gzip.compress(json.dumps({"Records": [NOISE, self.given]}).encode())
        self.s3.put_object(Bucket="trail", Key=key, Body=body)

    def log_file(self, key: str = KEY, at: str = FILED_AT) -> int:
        self.put(key)
        return self.deliver({"s3Bucket": "trail", "s3ObjectKey": [key]}, at)

    def quiet_replay(self, at: str) -> int:
        self.put(KEY)
        return self.deliver(replay_message(ObjectRef("trail", KEY, size=1), notify=False), at)

    def hit(self) -> Hit:
        """The only one."""
        (found,) = find_hits(self.dynamodb, self.table, HitQuery(since=DAY, until=DAY + timedelta(days=1)))
        return found


class _Bucket:
    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def read(self, ref: ObjectRef) -> list[bytes]:
        return [self._s3.get_object(Bucket=ref.bucket, Key=ref.key)["Body"].read()]


class _NoLog:
    def failed(self, what: str, error: Exception) -> None:
        raise error

    def wrong(self, *_: object) -> None:
        raise AssertionError("there is nothing to say")

    malformed_record = foreign = refused = wrong


def chain_on(dynamodb: Any, table: str) -> Chain:
    """A chain with a bucket of its own."""
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION})
    return Chain(dynamodb, table, s3, record())
