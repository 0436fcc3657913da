"""The two flows, with fakes for AWS: what goes wrong costs only itself, and every thing is counted."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.unit.log_files import log_file
from trailbell.alerts.alert import Alert
from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.cloudtrail.notification import Item, ObjectRef
from trailbell.cloudtrail.object_key import ObjectKind, TrailPlace
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import LogFileError, TableError
from trailbell.flows.claims import Claim
from trailbell.flows.detector import Detector
from trailbell.flows.notifier import RESERVE, Notifier
from trailbell.flows.stream_batch import StreamHit
from trailbell.hits.detect import HitDetector
from trailbell.hits.held import HeldHit
from trailbell.hits.hit import Hit
from trailbell.lookback.replay import replay_message
from trailbell.rulebook.cases import BASE_RECORD


GivenHit = Callable[..., Hit]
FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/"


@dataclass
class FakeBucket:
    bodies: dict[str, bytes]

    def read(self, ref: ObjectRef) -> Iterable[bytes]:
        if ref.key not in self.bodies:
            raise LogFileError("gone")
        return [self.bodies[ref.key]]


@dataclass
class FakeTable:
    rows: dict[tuple[str, str, str], Hit] = field(default_factory=dict)
    fails: bool = False

    def keep(self, hits: Sequence[Hit]) -> int:
        if self.fails:
            raise TableError("throttled")
        before = len(self.rows)
        self.rows.update((hit.identity, hit) for hit in hits if hit.identity not in self.rows)
        return len(self.rows) - before


@dataclass
class FakeJournal:
    notified: list[str] = field(default_factory=list)

    def failed(self, what: str, error: Exception) -> None:
        self.notified.append(f"{what}: {error}")

    def refused(self, event: Envelope, reason: Refusal) -> None:
        self.notified.append(f"{event} refused: {reason}")

    def malformed_record(self, item: Item, index: int, reason: str) -> None:
        self.notified.append(f"{item} {index}: {reason}")

    def foreign(self, ref: ObjectRef) -> None:
        self.notified.append(f"{ref} is foreign")


def disable_key(event_id: str) -> dict[str, Any]:
    return {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey", "eventID": event_id}


def message(*keys: str, name: str = "m") -> dict[str, Any]:
    return {"messageId": name, "body": json.dumps({"s3Bucket": "b", "s3ObjectKey": list(keys)})}


@pytest.fixture
def world(rule: Rule) -> tuple[Detector, FakeBucket, FakeTable, FakeJournal]:
    """A detector that knows one rule."""
    bucket, table, event_log = FakeBucket({}), FakeTable(), FakeJournal()
    detector = Detector(
        HitDetector(Rulebook((rule,))), bucket, table, event_log, lambda: "2026-09-01T09:18:57Z", 1_000_000
    )
    return detector, bucket, table, event_log


World = tuple[Detector, FakeBucket, FakeTable, FakeJournal]


def test_batch_of_ten_with_one_corrupt_object_returns_one_message(world: World) -> None:
    """Neighbours of a bad object are done; only its own message comes back."""
    detector, bucket, table, event_log = world
    bucket.bodies = {f"{FOLDER}{n}.json.gz": log_file(disable_key(f"e-{n}")) for n in range(10)}
    bucket.bodies[f"{FOLDER}4.json.gz"] = b"\x1f\x8b corrupt beyond its header"

    failed, counters = detector.detect_batch([message(f"{FOLDER}{n}.json.gz", name=f"m-{n}") for n in range(10)])

    assert failed == ["m-4"]
    assert len(table.rows) == counters.hits_new == counters.objects_read == 9
    assert counters.objects_failed == counters.messages_failed == 1
    assert counters.balanced
    assert event_log.notified[0].startswith(f"s3://b/{FOLDER}4.json.gz: log file is not valid gzip")


def test_bad_object_does_not_stop_its_own_message(world: World) -> None:
    """A message may name many objects; those after a bad one are read all the same."""
    detector, bucket, table, _ = world
    bucket.bodies = {FOLDER + "b.json.gz": log_file(disable_key("e"))}

    failed, counters = detector.detect_batch([message(FOLDER + "gone.json.gz", FOLDER + "b.json.gz")])

    assert failed == ["m"]
    assert len(table.rows) == 1
    assert (counters.objects_received, counters.objects_read, counters.objects_failed) == (2, 1, 1)


def test_same_log_file_three_times_is_one_hit(world: World) -> None:
    """S3, SQS and Lambda deliver at least once."""
    detector, bucket, table, _ = world
    bucket.bodies = {FOLDER + "a.json.gz": log_file(disable_key("e"))}

    tallies = [detector.detect_batch([message(FOLDER + "a.json.gz")])[1] for _ in range(3)]

    assert len(table.rows) == 1
    assert [(counters.hits_new, counters.hits_known) for counters in tallies] == [(1, 0), (0, 1), (0, 1)]
    assert [counters.event_to_hit_seconds_max for counters in tallies] == [4 * 60 + 50, 0, 0]


@pytest.mark.parametrize(
    ("bucket", "key"),
    [
        pytest.param("attackers", FOLDER + "a.json.gz", id="another-bucket"),
        pytest.param("B", FOLDER + "a.json.gz", id="another-case"),
        pytest.param("b", "copies/" + FOLDER + "a.json.gz", id="another-prefix"),
        pytest.param("b", FOLDER[3:] + "a.json.gz", id="cut-prefix"),
    ],
)
def test_object_of_another_place_is_ignored_named_and_not_tried_again(world: World, bucket: str, key: str) -> None:
    """Whoever gets a message into the queue could name a bucket of their own, with whatever records they like."""
    detector, objects, table, event_log = world
    objects.bodies = {key: log_file(disable_key("e"))}
    guarded = replace(detector, trail=TrailPlace("b", "AWSLogs/"))
    body = json.dumps({"s3Bucket": bucket, "s3ObjectKey": [key]})

    failed, counters = guarded.detect_batch([{"messageId": "m", "body": body}])

    assert (failed, table.rows, counters.failures) == ([], {}, {})
    assert counters.objects_ignored == {ObjectKind.FOREIGN: 1}
    assert counters.balanced
    assert event_log.notified == [f"s3://{bucket}/{key} is foreign"]


def test_object_of_the_trails_place_is_read(world: World) -> None:
    """A check that refuses everything would be as safe as it is useless."""
    detector, objects, table, event_log = world
    objects.bodies = {FOLDER + "a.json.gz": log_file(disable_key("e"))}

    _, counters = replace(detector, trail=TrailPlace("b", "AWSLogs/")).detect_batch([message(FOLDER + "a.json.gz")])

    assert (len(table.rows), counters.objects_read, event_log.notified) == (1, 1, [])


@pytest.mark.parametrize(("notify", "expected"), [(True, 2), (False, 0)])
def test_hits_that_the_notifier_must_receive_are_counted(world: World, notify: bool, expected: int) -> None:
    """What the alarm compares with what it received: counting quiet hits, too, would fire at every replay."""
    detector, objects, _, _ = world
    objects.bodies = {FOLDER + "a.json.gz": log_file(disable_key("e-1"), disable_key("e-2"))}
    ref = ObjectRef("b", FOLDER + "a.json.gz", size=1)
    later = replace(detector, now=lambda: "2026-10-01T00:00:00Z")

    counted = [
        later.detect_batch([{"messageId": "m", "body": replay_message(ref, notify=notify)}])[1].hits_to_notify
        for _ in range(2)
    ]

    assert counted == [expected, 0]


def test_digest_among_log_files_is_ignored_and_does_not_end_the_batch(world: World) -> None:
    """The place where a peer loses data: a digest key that ends the loop."""
    detector, bucket, table, _ = world
    bucket.bodies = {FOLDER + "a.json.gz": log_file(disable_key("e"))}
    digest = FOLDER.replace("CloudTrail", "CloudTrail-Digest") + "d.json.gz"
    insight = FOLDER.replace("CloudTrail", "CloudTrail-Insight") + "i.json.gz"

    failed, counters = detector.detect_batch([message(digest, insight, "other/x", FOLDER + "a.json.gz")])

    assert failed == []
    assert {str(kind): count for kind, count in counters.objects_ignored.items()} == {
        "digest": 1,
        "insight": 1,
        "other": 1,
    }
    assert len(table.rows) == 1
    assert counters.balanced


def test_records_are_counted_into_matched_not_watched_and_bad(world: World) -> None:
    """Records read = matched against rules + not watched + bad; nothing is dropped in silence."""
    detector, bucket, _, event_log = world
    other = {**BASE_RECORD, "eventSource": "s3.amazonaws.com", "eventName": "GetObject"}
    bucket.bodies = {FOLDER + "a.json.gz": log_file(disable_key("e"), other, None, other, "text")}

    _, counters = detector.detect_batch([message(FOLDER + "a.json.gz")])

    assert (
        counters.records_read,
        counters.records_matched,
        counters.records_not_watched,
        counters.records_malformed,
    ) == (5, 1, 2, 2)
    assert counters.balanced
    assert len(event_log.notified) == 2


def test_message_comes_back_when_the_table_fails(world: World) -> None:
    """Answering success after a failed write would lose every hit of the file."""
    detector, bucket, table, _ = world
    bucket.bodies = {FOLDER + "a.json.gz": log_file(disable_key("e"))}
    table.fails = True

    failed, counters = detector.detect_batch([message(FOLDER + "a.json.gz")])

    assert failed == ["m"]
    assert counters.objects_failed == 1
    assert (counters.records_read, counters.records_matched, counters.hits_new) == (1, 1, 0)
    assert counters.balanced


@pytest.mark.parametrize("body", ["not json", '{"unknown": 1}'])
def test_message_nobody_understands_comes_back(world: World, body: str) -> None:
    """It may stand for a log file."""
    failed, counters = world[0].detect_batch([{"messageId": "m", "body": body}])

    assert failed == ["m"]
    assert counters.messages_failed == 1


def test_greeting_is_success(world: World) -> None:
    """Otherwise every new stack would begin with a dead letter."""
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})

    failed, counters = world[0].detect_batch([{"messageId": "m", "body": body}])

    assert failed == []
    assert counters.notifications_ignored == 1


def now() -> str:
    return "2026-09-01T09:20:07Z"


@dataclass
class FakeTopic:
    fails_for: str = ""
    alerts: list[Alert] = field(default_factory=list)

    def notify(self, alert: Alert) -> None:
        if self.fails_for and self.fails_for == alert.sample.actor.key:
            raise TimeoutError("topic is down")
        self.alerts.append(alert)


@dataclass
class FakeDeliveries:
    """held: identities that another notifier has claimed."""

    levels: dict[tuple[str, str, str], str] = field(default_factory=dict)
    held: set[tuple[str, str, str]] = field(default_factory=set)
    released: list[tuple[str, str, str]] = field(default_factory=list)

    def notified(self, hits: Sequence[Hit]) -> dict[tuple[str, str, str], str]:
        return {
            hit.identity: self.levels[hit.delivery_identity] for hit in hits if hit.delivery_identity in self.levels
        }

    def left(self, held: Sequence[HeldHit]) -> list[HeldHit]:
        return [one for one in held if not any(identity in self.levels for identity in one.delivered_as)]

    def claim(self, hits: Sequence[Hit]) -> list[Claim]:
        return [
            Claim.DELIVERED
            if hit.delivery_identity in self.levels
            else Claim.HELD
            if hit.identity in self.held
            else Claim.OURS
            for hit in hits
        ]

    def record(self, hits: Sequence[Hit]) -> None:
        self.levels |= {hit.delivery_identity: hit.level for hit in hits}

    def release(self, hits: Sequence[Hit]) -> None:
        self.released += [hit.identity for hit in hits]


def test_storm_is_one_alert_with_a_count(given_hit: GivenHit) -> None:
    """Forty deletions by one actor are one mail."""
    topic = FakeTopic()
    batch = [StreamHit(str(n), given_hit(eventID=f"e-{n}")) for n in range(40)]

    failed, counters = Notifier(topic, FakeDeliveries(), FakeJournal(), now).notify(batch)

    assert failed == []
    assert [len(alert.hits) for alert in topic.alerts] == [40]
    assert (counters.hits_notified, counters.alerts_sent, counters.balanced) == (40, 1, True)
    assert counters.event_to_alert_seconds_max == 6 * 60


def test_failing_alert_comes_back_and_the_others_are_told_once(given_hit: GivenHit) -> None:
    """The stream gives back everything from the first failure on; what was told must not be told again."""
    topic, marks, event_log = FakeTopic(fails_for="arn:bad"), FakeDeliveries(), FakeJournal()
    notifier = Notifier(topic, marks, event_log, now)
    malformed = given_hit(eventID="bad", userIdentity={"type": "IAMUser", "arn": "arn:bad", "userName": "bad"})
    batch = [StreamHit("1", given_hit(eventID="a")), StreamHit("2", malformed), StreamHit("3", given_hit(eventID="c"))]

    failed, counters = notifier.notify(batch)
    topic.fails_for = ""
    again, second = notifier.notify(batch[1:])

    assert (failed, counters.hits_failed, counters.hits_notified) == (["2"], 1, 2)
    assert (again, second.hits_known, second.hits_notified) == ([], 1, 1)
    assert [sorted(hit.event_id for hit in alert.hits) for alert in topic.alerts] == [["a", "c"], ["bad"]]
    assert counters.balanced
    assert second.balanced
    assert event_log.notified[0].endswith("topic is down")


def test_hit_that_another_notifier_has_claimed_is_waited_for(given_hit: GivenHit) -> None:
    """Two notifiers, or an operator beside the stream: the one that comes second sends nothing."""
    seconds, topic, deliveries = [0.0], FakeTopic(), FakeDeliveries()
    theirs, ours = given_hit(eventID="a"), given_hit(eventID="b")
    deliveries.held = {theirs.identity}

    def sleep(pause: float) -> None:
        seconds[0] += pause
        if seconds[0] > 20:  # the other one is done
            deliveries.record([theirs])

    notifier = Notifier(topic, deliveries, FakeJournal(), now, lambda: seconds[0], sleep)
    failed, counters = notifier.notify([StreamHit("1", theirs), StreamHit("2", ours)], 120)

    assert failed == []
    assert [hit.event_id for alert in topic.alerts for hit in alert.hits] == ["b"]
    assert (counters.hits_known, counters.hits_notified, counters.balanced) == (1, 1, True)


def test_hit_that_stays_claimed_comes_back_with_the_stream(given_hit: GivenHit) -> None:
    """Whoever claimed it may have ended: once the lease is over, it is notified of after all."""
    seconds, topic, deliveries, hit = [0.0], FakeTopic(), FakeDeliveries(), given_hit()
    deliveries.held = {hit.identity}

    def sleep(pause: float) -> None:
        seconds[0] += pause

    notifier = Notifier(topic, deliveries, FakeJournal(), now, lambda: seconds[0], sleep)
    failed, counters = notifier.notify([StreamHit("1", hit)], 120)

    assert (failed, counters.hits_deferred, counters.balanced) == (["1"], 1, True)
    assert topic.alerts == []
    assert seconds[0] <= 120 - RESERVE


def test_alert_that_fails_gives_its_claims_back(given_hit: GivenHit) -> None:
    """Else the stream's next attempt would wait for our own lease."""
    deliveries, hit = FakeDeliveries(), given_hit()

    Notifier(FakeTopic(fails_for=hit.actor.key), deliveries, FakeJournal(), now).notify([StreamHit("1", hit)])

    assert deliveries.released == [hit.identity]


@pytest.mark.parametrize("together", [True, False])
def test_act_that_two_accounts_record_is_notified_of_once(given_hit: GivenHit, together: bool) -> None:
    """CloudTrail writes a call between accounts into both, under two event ids and one sharedEventID."""
    topic, deliveries = FakeTopic(), FakeDeliveries()
    notifier = Notifier(topic, deliveries, FakeJournal(), now)
    one = given_hit(eventID="a", sharedEventID="s")
    other = given_hit(eventID="b", sharedEventID="s", recipientAccountId="444455556666")

    batches = [[one, other]] if together else [[one], [other]]
    counted = [notifier.notify([StreamHit(hit.event_id, hit) for hit in batch])[1] for batch in batches]

    assert [len(alert.hits) for alert in topic.alerts] == [1]
    assert sum(counters.hits_known for counters in counted) == 1
    assert all(counters.balanced for counters in counted)


def test_graver_record_of_a_shared_act_is_a_stronger_verdict(given_hit: GivenHit) -> None:
    """The key's owner may see more in it than the caller; that is said, and not as a new act."""
    topic, deliveries = FakeTopic(), FakeDeliveries()
    notifier = Notifier(topic, deliveries, FakeJournal(), now)
    mild = replace(given_hit(eventID="a", sharedEventID="s"), level="medium")
    grave = replace(given_hit(eventID="b", sharedEventID="s", recipientAccountId="444455556666"), level="critical")

    for hit in (mild, grave, grave, mild):
        _, counters = notifier.notify([StreamHit("1", hit)])
        assert counters.balanced

    assert [(alert.sample.level, alert.sample.raised_from) for alert in topic.alerts] == [
        ("medium", ""),
        ("critical", "medium"),
    ]


def test_alerts_that_cannot_be_told_in_time_come_back_untouched(given_hit: GivenHit) -> None:
    """Stopped by Lambda between publishing and marking, an alert would be told again."""
    seconds = [0.0]

    class SlowTopic(FakeTopic):
        def notify(self, alert: Alert) -> None:
            super().notify(alert)
            seconds[0] += 50

    topic, marks, event_log = SlowTopic(), FakeDeliveries(), FakeJournal()
    notifier = Notifier(topic, marks, event_log, now, lambda: seconds[0])
    batch = [StreamHit(str(n), given_hit(eventID=f"e-{n}", recipientAccountId=f"11112222333{n}")) for n in range(5)]

    failed, counters = notifier.notify(batch, 120)
    again, second = notifier.notify(batch)

    assert (failed, counters.alerts_sent, counters.hits_deferred, counters.balanced) == (["2", "3", "4"], 2, 3, True)
    assert len(event_log.notified) == 1
    assert event_log.notified[0].startswith("3 alerts: deferred")
    assert (again, second.hits_known, second.hits_notified, len(topic.alerts)) == ([], 2, 3, 5)
