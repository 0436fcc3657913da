"""What the detector does for the audit: it hands digests over, and keeps a ledger of what it read to the end."""

import gzip
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.unit.log_files import log_file
from tests.unit.test_flows import FakeBucket, FakeJournal, FakeTable, disable_key, message
from trailbell.aws.audit_queues import SqsAuditQueues
from trailbell.cloudtrail.notification import parse_notification
from trailbell.cloudtrail.object_key import ObjectKind
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import TableError
from trailbell.flows.detector import Detector
from trailbell.hits.detect import HitDetector
from trailbell.hits.ledger import ReadLog


NOW = "2026-09-01T09:18:57Z"
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/"
DIGEST = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/09/01/x.json.gz"


@dataclass
class FakeLedger:
    kept: list[ReadLog] = field(default_factory=list)
    fails: bool = False

    def keep(self, read: ReadLog) -> None:
        if self.fails:
            raise TableError("throttled")
        self.kept.append(read)


@dataclass
class FakeDigests:
    taken: list[tuple[str, str, int, int]] = field(default_factory=list)
    fails: bool = False

    def take_up(self, bucket: str, key: str, tries: int, seconds: int) -> None:
        if self.fails:
            raise OSError("no connection")
        self.taken.append((bucket, key, tries, seconds))


@pytest.fixture
def detector(rule: Rule) -> Detector:
    detector = Detector(
        HitDetector(Rulebook((rule,))), FakeBucket({}), FakeTable(), FakeJournal(), lambda: NOW, 1_000_000
    )
    return replace(detector, ledger=FakeLedger(), digests=FakeDigests())


def test_log_file_that_was_read_is_in_the_ledger(detector: Detector) -> None:
    """With the hash of its content, which is what a digest lists, and after its hits."""
    body = log_file(disable_key("e"))
    detector.bucket.bodies = {f"{FOLDER}a.json.gz": body}  # type: ignore[attr-defined]

    failed, _ = detector.detect_batch([message(f"{FOLDER}a.json.gz")])

    content = gzip.decompress(body)
    expected = ReadLog("b", f"{FOLDER}a.json.gz", hashlib.sha256(content).hexdigest(), len(content), 1, NOW)
    assert failed == []
    assert detector.ledger.kept == [expected]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["cut off", "gone", "hits not kept", "ledger not kept"])
def test_log_file_that_was_not_read_to_its_end_is_not_in_the_ledger(kind: str, detector: Detector) -> None:
    """Its message comes back; a row would say that somebody has seen all of it."""
    body = log_file(disable_key("e"))
    detector.bucket.bodies = {} if kind == "gone" else {f"{FOLDER}a.json.gz": body[:-9] if kind == "cut off" else body}  # type: ignore[attr-defined]
    detector.table.fails = kind == "hits not kept"  # type: ignore[attr-defined]
    detector.ledger.fails = kind == "ledger not kept"  # type: ignore[union-attr]

    failed, _ = detector.detect_batch([message(f"{FOLDER}a.json.gz")])

    assert failed == ["m"]
    assert detector.ledger.kept == []  # type: ignore[union-attr]


def test_digest_is_handed_over_and_counted_as_ignored(detector: Detector) -> None:
    """It holds no records; the audit takes it up when its log files have had time to be read."""
    failed, counters = detector.detect_batch([message(DIGEST)])

    assert failed == []
    assert detector.digests.taken == [("b", DIGEST, 0, 900)]  # type: ignore[union-attr]
    assert counters.objects_ignored[ObjectKind.DIGEST] == 1
    assert counters.balanced


def test_digest_that_cannot_be_handed_over_comes_back(detector: Detector) -> None:
    """Else nobody would compare that hour with what was read."""
    detector.digests.fails = True  # type: ignore[union-attr]

    failed, counters = detector.detect_batch([message(DIGEST)])

    assert failed == ["m"]
    assert counters.balanced


class FakeSqs:
    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send_message(self, **sent: Any) -> None:
        self.sent.append(sent)


def test_repair_is_a_notification_that_says_so(detector: Detector) -> None:
    """It goes the way of S3's own, and the ledger has it as repaired; many keys are several messages."""
    sqs, keys = FakeSqs(), [f"{FOLDER}name with +blank {number}.json.gz" for number in range(51)]
    detector.bucket.bodies = dict.fromkeys(keys, log_file(disable_key("e")))  # type: ignore[attr-defined]

    SqsAuditQueues(sqs, "audit", "ingest").repair("b", keys)

    refs = [ref for sent in sqs.sent for ref in parse_notification(sent["MessageBody"]).objects]
    assert [(ref.bucket, ref.key, ref.repair, ref.notify, ref.replay) for ref in refs] == [
        ("b", key, True, True, False) for key in keys
    ]
    assert {sent["QueueUrl"] for sent in sqs.sent} == {"ingest"}
    assert len(sqs.sent) == 2
    detector.detect(json.loads(sqs.sent[1]["MessageBody"]), "m")
    assert [(read.key, read.repaired) for read in detector.ledger.kept] == [(keys[50], True)]  # type: ignore[union-attr]


def test_digest_is_sent_with_what_was_done_and_a_delay() -> None:
    """SQS delays no longer than a quarter of an hour."""
    sqs = FakeSqs()

    SqsAuditQueues(sqs, "audit").take_up("b", DIGEST, 2, 900)

    (sent,) = sqs.sent
    assert (sent["QueueUrl"], sent["DelaySeconds"]) == ("audit", 900)
    assert json.loads(sent["MessageBody"]) == {"bucket": "b", "key": DIGEST, "tries": 2}
