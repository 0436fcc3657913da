"""Log files, and live events with the same records, on their way through both functions, under a plan of faults, until
everything has settled; then judged.

What is promised: every hit the rules give is in the table once, as whichever source came first brought it, with its
pointers and its place in a log file; each that is to be told was told; and none was told twice, but where a fault fell
between an alert's publication and its mark.
"""

import gzip
import io
import json
import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tests.crash.aws import SHARDS, FakeDynamo, FakeS3, FakeSns, FakeStreams
from tests.crash.faults import Faults, Killed, Plan
from tests.crash.pollers import QueuePoller, StreamPoller
from tests.unit.conftest import RULE
from tests.unit.live_events import envelope
from tests.unit.log_files import log_file
from trailbell.alerts.alert import Alert
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.cloudtrail.notification import Item, ObjectRef
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Rulebook, RuleException
from trailbell.flows.delivery import Delivery
from trailbell.flows.detector import Detector
from trailbell.flows.notifier import RESERVE, Notifier
from trailbell.flows.rate_limit import RateLimit
from trailbell.handlers.notifier import new_hits
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit
from trailbell.hits.related import Related
from trailbell.ops.undelivered import UndeliveredHits, read_dropped
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import decode
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.malformed import MALFORMED, DynamoMalformedRecords
from trailbell.store.rows import DELIVERED, delivery_key, hit_key, pointer_rows


SEEN = "2026-09-01T09:18:57Z"
_FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/"
_NOTIFIER_SECONDS = 120.0  # infra/functions.py
_STEPS = 3000  # a schedule settles in about fifty
_ROBOT = ["not", ["field", "userAgent", ["eq", "robot"]]]
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_MUTES = RuleException("robots", "ops@example.com", "it tests", "2999-12-31", _ROBOT)


class Broken(BaseException):
    """A promise does not hold. No Exception, which the functions and their pollers would take for one of AWS."""


def _act(number: int, user: str = "dana", **fields: Any) -> dict[str, Any]:
    identity = {"type": "IAMUser", "userName": user, "arn": f"arn:aws:iam::111122223333:user/{user}"}
    return {
        **BASE_RECORD,
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": f"e-{number}",
        "userIdentity": identity,
        **fields,
    }


@cache
def _examiner() -> HitDetector:
    return HitDetector(Rulebook((replace(RULE, exceptions=(_MUTES,)),)))


def _log_files(storm: int) -> dict[str, bytes]:
    """Few and small, with what matters: two actors, a hit in two files, a muted one, a bad entry, a storm."""
    noise = {**BASE_RECORD, "eventName": "ListKeys"}
    files = {
        "a": log_file(_act(1), noise, _act(2), None, _act(3, "eve")),
        "b": log_file(_act(2), _act(4, userAgent="robot"), _act(5, "mallory", recipientAccountId="444455556666")),
        "gone": log_file(_act(6, "trent")),
    }
    if storm:
        files["storm"] = log_file(*(_act(100 + number, "storm") for number in range(storm)))
    return {f"{_FOLDER}{name}.json.gz": body for name, body in files.items()}


@cache
def _expected(storm: int) -> dict[str, Hit]:
    """What the rules give without AWS, by hit id."""
    found: dict[str, Hit] = {}
    for key, body in _log_files(storm).items():
        for hit in _examiner().detect([body], "b", classify_key(key), SEEN, DetectionCounts()):
            found.setdefault(hit.hit_id, hit)
    return found


def _live_events(files: Mapping[str, bytes], chance: random.Random, share: float) -> Iterator[dict[str, Any]]:
    """Of a share of the records of log files what EventBridge brings of them, some of it twice; and forged ones."""
    for body in files.values():
        for record in json.loads(gzip.decompress(body))["Records"]:
            if record and chance.random() < share:
                account = record["recipientAccountId"]
                yield envelope(record, account=account)
                if chance.random() < 0.3:
                    yield envelope(record, account=account, id=f"again-{record['eventID']}")
                if chance.random() < 0.3:
                    yield envelope({**record, "eventID": "forged"}, account="999988887777")


class _Journal:
    def failed(self, what: str, error: Exception) -> None:
        """Nothing is looked at: what counts is what became of it."""

    def refused(self, event: Envelope, reason: Refusal) -> None:
        """The same."""

    def malformed_record(self, item: Item, index: int, reason: str) -> None:
        """The same."""

    def foreign(self, ref: ObjectRef) -> None:
        """The same."""

    def dropped(self, what: str, error: Exception) -> None:
        """The same."""


class _NobodyElse:
    def before(self, alert: Alert) -> Related:
        """Other hits have nothing to do with what is shown here."""
        return Related()


@dataclass
class World:
    """Both functions on fakes of AWS. `run` drives them; raises Broken when a promise does not hold."""

    plan: Plan
    seed: int = 0
    storm: int = 0
    live: float = 0.3
    faults: Faults = field(init=False)
    by_live: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)  # noqa: S311 (a schedule, no secret)
        self.chance = chance
        self.faults = Faults(self.plan)
        files = _log_files(self.storm)
        self._late = {key: files.pop(key) for key in list(files) if "gone" in key}
        self.s3 = FakeS3(self.faults, files, self._overtake)
        self.dynamo = FakeDynamo(self.faults, overtake=self._overtake)
        self.streams = FakeStreams(self.dynamo, trimmed=bool(self.seed % 2))
        self.sns = FakeSns(self.faults, self._has_mark, overtake=self._overtake_notifier)
        self.seconds = 0.0
        self._event: dict[str, Any] = {"Records": []}
        self.dead_letters = list[str]()
        self.ingest_queue = QueuePoller(self.faults, chance, self._detect)
        self.shards = [
            StreamPoller(
                self.faults,
                chance,
                self._notify,
                shard,
                self.dynamo.shards[shard],
                self.dead_letters,
                chance.random() < 0.5,
            )
            for shard in range(SHARDS)
        ]
        keys = [*files, *self._late]
        self.ingest_queue.send({"s3Bucket": "b", "s3ObjectKey": keys[:2]})
        for key in keys[1:]:
            self.ingest_queue.send({"s3Bucket": "b", "s3ObjectKey": [key]})
        for message in _live_events({**files, **self._late}, chance, self.live):
            self.ingest_queue.send(message)

    def run(self) -> None:
        """Faults until nothing moves; then the causes are mended, dead letters redriven, and all is judged."""
        self._settle()
        self.s3.objects.update(self._late)
        self.ingest_queue.redrive()
        self._settle()  # a redrive under faults
        with suppress(Exception, Killed):  # another one: whoever gave the command gives it again
            self._redrive_alerts()
        self.faults.mended = True
        self.ingest_queue.redrive()
        self._settle()
        self._redrive_alerts()
        self._judge()

    def _settle(self) -> None:
        """Every poller, in any order, until none has anything to do."""
        for _ in range(_STEPS):
            pollers: list[QueuePoller | StreamPoller] = [self.ingest_queue, *self.shards]
            self.chance.shuffle(pollers)
            if not any(poller.poll() for poller in pollers):
                return
        raise Broken("it never settles")

    def _detect(self, event: dict[str, Any]) -> list[str]:
        self.faults.begin()
        # Without time left the detector gives back what it has not begun.
        late = not self.faults.mended and self.chance.random() < 0.1
        failed, counters = self._detector().detect_batch(event["Records"], 0 if late else math.inf)
        _must(counters.balanced, "the detector's counts do not add up")
        return list(failed)

    def _detector(self) -> Detector:
        return Detector(
            hit_detector=_examiner(),
            bucket=S3TrailBucket(self.s3),
            table=DynamoHitTable(self.dynamo, "hits", 400),
            event_log=_Journal(),
            now=lambda: SEEN,
            max_bytes=1_000_000,
            malformed_records=DynamoMalformedRecords(self.dynamo, "hits", 400),
            live_accounts=frozenset(),
        )

    def _overtake(self) -> None:
        """Another worker that was given the same messages does them all while the first one waits."""
        mended, self.faults.mended = self.faults.mended, True
        self._detector().detect_batch(self.ingest_queue.current)
        self.faults.mended = mended

    def _notify(self, event: dict[str, Any]) -> list[str]:
        self.faults.begin()
        self._event = event
        failed, counters = self._notifier().notify(new_hits(event), _NOTIFIER_SECONDS)
        _must(counters.balanced, "the notifier's counts do not add up")
        return list(failed)

    def _notifier(self) -> Notifier:
        """A notifier in a process of its own."""
        delivery = Delivery(
            SnsAlertTopic(self.sns, "topic"), _NobodyElse(), (), _Journal(), RateLimit(sleep=lambda seconds: None)
        )
        deliveries = DynamoDeliveryRecords(self.dynamo, "hits", 400, lambda: self.seconds)
        return Notifier(delivery, deliveries, _Journal(), lambda: SEEN, lambda: self.seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def _overtake_notifier(self) -> None:
        """A second notifier is given the same hits while the first one publishes them; it does not wait for it."""
        mended, self.faults.mended = self.faults.mended, True
        self._notifier().notify(new_hits(self._event), RESERVE)
        self.faults.mended = mended

    def _redrive_alerts(self) -> None:
        """What `trailbell dlq redrive` does with AlertDeadLetters."""
        self.faults.begin()
        hits = UndeliveredHits(self._client, "hits", "notifier")
        for dead_letter in list(self.dead_letters):
            if not hits.notify(hits.dropped(read_dropped(dead_letter))).undelivered:
                self.dead_letters.remove(dead_letter)
        if self.faults.mended:
            left = list(hits.undelivered(hits.seen_between(*_ALWAYS)))
            _must(not left and not self.dead_letters, f"{len(left)} hits without a mark at the end")

    def _client(self, service: str) -> Any:
        return {"dynamodb": self.dynamo, "dynamodbstreams": self.streams, "lambda": self}[service]

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """Lambda's API: the notifier, invoked by a person."""
        with suppress(Exception, Killed):
            self._notify(json.loads(Payload))
        self.faults.begin()  # back in the process of the command
        return {"Payload": io.BytesIO(b"{}")}

    def _judge(self) -> None:
        expected = _expected(self.storm)
        rows = {key: decode(item) for key, item in self.dynamo.rows.items()}
        hits = {row["hitId"] for row in rows.values() if row["kind"] in ("hit", "muted")}
        _must(hits == set(expected), f"hits kept {sorted(hits)}, expected {sorted(expected)}")
        for hit in expected.values():
            keys = [hit_key(*hit.identity), *pointer_rows(hit, 0)]
            _must(all((key["pk"], key["sk"]) in rows for key in keys), f"{hit.hit_id}: a pointer is missing")
        self._judge_origins(rows)
        self._judge_told(expected, rows)
        malformed = [row for row in rows.values() if row["kind"] == MALFORMED]
        _must(len(malformed) == 1, f"{len(malformed)} bad records kept, expected 1")
        _must(not self.ingest_queue.dead, "messages are left in DeadLetters")

    def _judge_origins(self, rows: dict[tuple[str, str], Any]) -> None:
        """A hit stays as it was kept first; where a live event brought it, its place in a log file is known."""
        changes = [decode(change["dynamodb"]["NewImage"]) for shard in self.dynamo.shards for change in shard]
        written = Counter((row["pk"], row["sk"]) for row in changes if row["kind"] in ("hit", "muted"))
        _must(set(written.values()) <= {1}, f"a hit was written again: {written}")
        for key, row in rows.items():
            if row["kind"] in ("hit", "muted"):
                self.hits += 1
                self.by_live += bool(row.get("live"))
                place = rows.get(("I" + key[0][1:], key[1]))
                _must(bool(place) is bool(row.get("live")), f"{row['hitId']}: {row.get('live')}, and its place {place}")
                _must(self._holds(place or row["place"], row), f"{row['hitId']}: its record is not at its place")

    def _holds(self, place: dict[str, Any], row: dict[str, Any]) -> bool:
        records = json.loads(gzip.decompress(self.s3.objects[place["key"]]))["Records"]
        return bool(records[place["index"]]["eventID"] == row["eventID"])

    def _judge_told(self, expected: dict[str, Hit], rows: dict[tuple[str, str], Any]) -> None:
        notified = Counter(hit_id for _, _, hits in self.sns.published for hit_id in hits)
        for hit_id, hit in expected.items():
            if hit.muted_by:
                _must(notified[hit_id] == 0, f"{hit_id} is muted and was told")
                continue
            _must(notified[hit_id] >= 1, f"{hit_id} was never told")
            _must(self._has_mark(hit_id), f"{hit_id} has no delivery record")
            _must(hit_id not in self.sns.told_in_spite, f"{hit_id} was told though it carried a mark")
            publications = [(when, which) for when, which, hits in self.sns.published if hit_id in hits]
            for when, which in publications[:-1]:
                _must(self.faults.between(which, when), f"{hit_id} was told again, and nothing had gone wrong")
        _must(set(notified) <= set(expected), "something was told that is no hit")

    def _has_mark(self, hit_id: str) -> bool:
        key = delivery_key(*_expected(self.storm)[hit_id].identity)
        row = self.dynamo.rows.get((key["pk"], key["sk"]))
        return row is not None and row["kind"] == {"S": DELIVERED}

    @property
    def twice(self) -> int:
        """How many hits were told more than once (each for a reason, else `run` had raised)."""
        notified = Counter(hit_id for _, _, hits in self.sns.published for hit_id in hits)
        return sum(count > 1 for count in notified.values())


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)
