"""The detector's waiting: a batch of objects with latency, and a thousand hits of one log file.

    python -m benchmarks.batch [rounds]

AWS is a fake that takes its time (30 ms an object, 10 ms a request to the table); all else is the product.
"""

import gzip
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from benchmarks.measure import Row, row
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Level, Rule, Rulebook
from trailbell.flows.detector import Detector
from trailbell.flows.keeping import CHUNK
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.store.dynamo import put_new, write_all
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.rows import hit_row, pointer_rows


ROUNDS = 5
OBJECTS = 10
HITS = 1000
_LATENCY_S3 = 0.030
_LATENCY_TABLE = 0.010
_FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01"
_NOW = "2026-09-01T10:00:00Z"
_RULE = Rule(
    rule_id="3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01",
    name="kms-key-disabled",
    stem="aws_kms_key_disabled",
    title="KMS Key Disabled",
    level=Level.HIGH,
    description="",
    detection=["field", "eventName", ["eq", "disablekey"]],
    gate={"eventSource": ("kms.amazonaws.com",), "eventName": ("disablekey",)},
)


class SlowBucket:
    """Gives every object the same log file, after a while."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, ref: ObjectRef) -> Iterable[bytes]:
        """The log file."""
        time.sleep(_LATENCY_S3)
        return [self._body]


class SlowDynamo:
    """Takes everything, after a while; counts requests, and hits written at the same moment."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.puts = 0
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """Takes all rows."""
        self.batches += [len(requests) for requests in RequestItems.values()]
        time.sleep(_LATENCY_TABLE)
        return {}

    def query(self, **_: Any) -> dict[str, Any]:
        """Knows nothing of a hit yet."""
        time.sleep(_LATENCY_TABLE)
        return {"Items": []}

    def put_item(self, **_: Any) -> dict[str, Any]:
        """Takes the row."""
        with self._lock:
            self.puts += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(_LATENCY_TABLE)
        with self._lock:
            self._now -= 1
        return {}


class HotDynamo(SlowDynamo):
    """Takes no more than 1,000 rows a second into one partition, with no credit, as DynamoDB does at worst.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
    """

    _RATE = 1000
    _CREDIT = 0.1  # seconds

    def __init__(self) -> None:
        super().__init__()
        self._free: dict[str, tuple[float, float]] = {}
        self.throttled = 0

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """Takes what its partitions take now."""
        time.sleep(_LATENCY_TABLE)
        ((table, requests),) = RequestItems.items()
        with self._lock:
            left = [request for request in requests if not self._takes(request["PutRequest"]["Item"]["pk"]["S"])]
            self.batches.append(len(requests) - len(left))
            self.throttled += len(left)
        return {"UnprocessedItems": {table: left}} if left else {}

    def _takes(self, partition: str) -> bool:
        now, most = time.monotonic(), self._RATE * self._CREDIT
        free, since = self._free.get(partition, (most, now))
        free = min(most, free + (now - since) * self._RATE)
        self._free[partition] = max(free - 1, 0), now
        return free >= 1


class _Nothing:
    def keep(self, hits: object) -> int:
        return 0

    def failed(self, what: str, error: Exception) -> None:
        raise error

    def malformed_record(self, item: object, index: int, reason: str) -> None:
        raise ValueError(reason)

    def refused(self, event: object, reason: object) -> None:
        raise ValueError(reason)

    def foreign(self, ref: object) -> None:
        raise ValueError(ref)


def rows(rounds: int = ROUNDS) -> list[Row]:
    """The batch's time against its slowest object's, requests against pointer rows, and hits against one at a time."""
    batch, requests, at_once, speed, hot = [], [], [], [], []
    hits = _hits(HITS)
    for _ in range(rounds):
        slowest = max(_seconds(_detection(1)) for _ in range(OBJECTS))
        batch.append(_seconds(_detection(OBJECTS)) / slowest)
        side_by_side, one_by_one = SlowDynamo(), SlowDynamo()
        together = _seconds(partial(_keep, side_by_side, hits))
        requests.append(len(side_by_side.batches) / (sum(side_by_side.batches) / 25))
        at_once.append(float(side_by_side.most_at_once))
        hot.append(_seconds(partial(_keep, HotDynamo(), hits)) / (HITS / 1000))
        in_turn = _seconds(partial(_keep_in_turn, one_by_one, hits[:CHUNK])) * HITS / CHUNK
        speed.append(in_turn / together)
    return [
        row(f"a batch of {OBJECTS} objects, 30 ms each / the slowest single one", "<= 1.5", batch),
        row(f"{HITS} hits: BatchWriteItem requests / 25 pointer rows", "<= 1", requests),
        row(f"{HITS} hits: written at once", "> 1", at_once),
        row(f"{HITS} hits: time of one request after the other / the detector's", "-", speed),
        row(f"{HITS} hits of one actor: time / the least a hot partition allows, nothing lost", "<= 3", hot),
    ]


def _detection(count: int) -> Callable[[], None]:
    """A batch of one message about so many objects, ready to be done."""
    record = {"eventSource": "s3.amazonaws.com", "eventName": "GetObject", "userAgent": "x" * 900}
    body = gzip.compress(json.dumps({"Records": [record] * 50}).encode())
    names = [f"{_FOLDER}/{number}.json.gz" for number in range(count)]
    message = {"messageId": "m", "body": json.dumps({"s3Bucket": "b", "s3ObjectKey": names})}
    nothing = _Nothing()
    detector = Detector(HitDetector(Rulebook((_RULE,))), SlowBucket(body), nothing, nothing, lambda: _NOW, 10**8)

    def detect() -> None:
        failed, counters = detector.detect_batch([message])
        if failed or counters.objects_read != count or counters.records_read != count * 50:
            raise RuntimeError(f"the batch was not done: {counters}")

    return detect


def _hits(count: int) -> list[Hit]:
    records = [
        {
            "eventVersion": "1.11",
            "eventID": f"ca7e0000-0000-4000-8000-{number:012d}",
            "eventTime": "2026-09-01T09:00:00Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "DisableKey",
            "recipientAccountId": "111122223333",
            "requestParameters": {"keyId": f"arn:aws:kms:us-east-1:111122223333:key/{number:036d}"},
            "userIdentity": {"type": "IAMUser", "userName": "ci", "arn": "arn:aws:iam::111122223333:user/ci"},
        }
        for number in range(count)
    ]
    body = json.dumps({"Records": records}).encode()
    hit_detector = HitDetector(Rulebook((_RULE,)))
    return list(hit_detector.detect([body], "b", classify_key(f"{_FOLDER}/a.json.gz"), _NOW, DetectionCounts()))


def _keep(client: SlowDynamo, hits: list[Hit]) -> None:
    table = DynamoHitTable(client, "hits", 400)
    new = sum(table.keep(hits[start : start + CHUNK]) for start in range(0, len(hits), CHUNK))
    if new != len(hits) or sum(client.batches) != sum(len(pointer_rows(hit, 0)) for hit in hits):
        raise RuntimeError("hits or pointers were not written")


def _keep_in_turn(client: SlowDynamo, hits: list[Hit]) -> None:
    write_all(client, "hits", (row for hit in hits for row in pointer_rows(hit, 0)))
    for hit in hits:
        put_new(client, "hits", hit_row(hit, 0))


def _seconds(do: Callable[[], None]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


if __name__ == "__main__":
    for name, target, low, middle, high in rows(*(int(text) for text in sys.argv[1:2])):
        print(f"{name:90} {target:8} {low:7.2f} {middle:7.2f} {high:7.2f}")
