"""Live events through the detector: beside log files, refused without being lost, and never in the way of the trail."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.unit.live_events import envelope, record
from tests.unit.log_files import log_file
from tests.unit.test_flows import FOLDER, FakeBucket, FakeJournal, FakeTable, message
from trailbell.cloudtrail.live_event import Refusal
from trailbell.cloudtrail.origin import NO_PLACE, LiveEvent, Place
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import TableError
from trailbell.flows.detector import Detector
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.hits.hit import Hit, hit_document, hit_from_document
from trailbell.hits.ledger import ReadLog


NOW = "2026-09-01T09:14:10Z"
ORIGIN = LiveEvent("6b1f7c9e-0000-4000-8000-000000000001", "111122223333", "us-east-1", "2026-09-01T09:14:08Z")


@dataclass
class _Ledger:
    kept: list[ReadLog] = field(default_factory=list)

    def keep(self, read: ReadLog) -> None:
        self.kept.append(read)


@dataclass
class World:
    detector: Detector
    bucket: FakeBucket
    table: FakeTable
    journal: FakeJournal

    def detect(self, *bodies: Any) -> tuple[list[str], Any]:
        messages = [
            {"messageId": f"m-{number}", "body": body if isinstance(body, str) else json.dumps(body)}
            for number, body in enumerate(bodies)
        ]
        return self.detector.detect_batch(messages)


@pytest.fixture
def world(rule: Rule) -> World:
    bucket, table, journal = FakeBucket({}), FakeTable(), FakeJournal()
    detector = Detector(HitDetector(Rulebook((rule,))), bucket, table, journal, lambda: NOW, 10**6)
    return World(replace(detector, live_accounts=frozenset()), bucket, table, journal)


def kept(world: World) -> list[Hit]:
    return [*world.table.rows.values()]


def test_batch_mixes_log_files_and_live_events(world: World) -> None:
    """Each is read by its own source, and each is counted."""
    world.bucket.bodies = {f"{FOLDER}a.json.gz": log_file(record(eventID="in-file"))}

    failed, counters = world.detect(
        envelope(record()),
        json.loads(message(f"{FOLDER}a.json.gz")["body"]),
        envelope(record(eventName="ListKeys")),
        envelope(record(), source="my.app"),
        "no JSON",
    )

    assert failed == ["m-4"]
    assert {(hit.event_id, hit.place, hit.live) for hit in kept(world)} == {
        ("e-1", NO_PLACE, ORIGIN),
        ("in-file", Place("b", f"{FOLDER}a.json.gz", 0), None),
    }
    assert (counters.live_received, counters.live_read, counters.live_refused) == (3, 2, {Refusal.SOURCE: 1})
    assert (counters.objects_received, counters.objects_read) == (1, 1)
    assert (counters.records_read, counters.records_matched, counters.records_not_watched) == (3, 2, 1)
    assert (counters.hits_new, counters.event_to_hit_seconds_max, counters.messages_failed) == (2, 3, 1)
    assert counters.balanced


def test_hit_of_a_live_event_is_that_of_its_log_file_but_for_its_origin(world: World, rule: Rule) -> None:
    """The same fields, facts and identity: what is known by it is known whichever comes first."""
    world.detect(envelope(record()))

    (by_live,) = kept(world)
    in_file = HitDetector(Rulebook((rule,))).detect([log_file(record())], "b", _key(), NOW, DetectionCounts())
    assert replace(by_live, live=None) == replace(next(in_file), place=NO_PLACE)
    assert hit_from_document(json.loads(json.dumps(hit_document(by_live)))) == by_live
    assert hit_document(by_live)["place"] == {"index": 0}  # what the schema of version 1 asks for


def _key() -> Any:
    from trailbell.cloudtrail.object_key import classify_key

    return classify_key(f"{FOLDER}a.json.gz")


@pytest.mark.parametrize("body", [envelope(record()), envelope(record(), source="my.app"), envelope("text")])
def test_without_the_setting_every_live_event_is_refused_and_named(world: World, body: dict[str, Any]) -> None:
    """A rule that somebody left behind, or put there, must not make hits; and it must not be silent."""
    world.detector = replace(world.detector, live_accounts=None)

    failed, counters = world.detect(body)

    assert (failed, kept(world)) == ([], [])
    assert counters.live_refused == {Refusal.OFF: 1}
    assert [line.partition("refused: ")[2] for line in world.journal.notified] == [str(Refusal.OFF)]


def test_refusal_names_why_and_from_whom_and_the_message_is_gone(world: World) -> None:
    """It would be refused for ever; what is true of it stands in a log file minutes later."""
    failed, counters = world.detect(envelope(record(recipientAccountId="444455556666")))

    assert (failed, counters.messages_failed) == ([], 0)
    (line,) = world.journal.notified
    assert "account 111122223333, us-east-1, from aws.kms" in line
    assert str(Refusal.ACCOUNT) in line


def test_live_event_writes_no_ledger_row(world: World) -> None:
    """The ledger is of log files that were read: a digest that lists one must not find it there for an event's sake."""
    ledger = _Ledger()
    world.detector = replace(world.detector, ledger=ledger)

    world.detect(envelope(record()))

    assert ledger.kept == []


def test_live_event_that_cannot_be_kept_comes_back(world: World) -> None:
    """It may be minutes ahead of its log file, and the queue tries again within one."""

    class Refusing(FakeTable):
        def keep(self, hits: Any) -> int:
            raise TableError("throttled")

    world.detector = replace(world.detector, table=Refusing())

    failed, counters = world.detect(envelope(record()))

    assert failed == ["m-0"]
    assert (counters.live_failed, counters.objects_failed, counters.messages_failed) == (1, 0, 1)
    assert counters.balanced


def test_live_event_that_cannot_be_begun_in_time_comes_back(world: World) -> None:
    failed, counters = world.detector.detect_batch([{"messageId": "m", "body": json.dumps(envelope(record()))}], 1)

    assert failed == ["m"]
    assert (counters.live_deferred, counters.objects_deferred, counters.balanced) == (1, 0, True)


def test_record_nested_too_deeply_is_counted_and_costs_no_neighbour(world: World) -> None:
    deep: Any = "x"
    for _ in range(900):
        deep = {"a": deep}

    failed, counters = world.detect(envelope(record(requestParameters=deep)), envelope(record(eventID="e-2")))

    assert failed == []
    assert counters.hits_new + counters.records_malformed == 2
    assert counters.hits_new >= 1
    assert counters.balanced
