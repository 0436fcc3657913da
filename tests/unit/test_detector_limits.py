"""The detector's limits: objects side by side, hits in chunks, and an answer before its time is over."""

import gzip
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.log_files import log_file
from trailbell.cloudtrail.live_event import Envelope, Refusal
from trailbell.cloudtrail.logfile import MalformedRecord
from trailbell.cloudtrail.notification import Item, ObjectRef
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.errors import LogFileError, OutOfTimeError, TableError, Unreadable
from trailbell.flows import detector as flow
from trailbell.flows import source
from trailbell.flows.detector import ITEMS_AT_ONCE, Detector
from trailbell.flows.keeping import CHUNK
from trailbell.flows.source import RESERVE
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.rulebook.cases import BASE_RECORD


FOLDER = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/"
PIECE = 1024


@dataclass
class Bucket:
    """Bodies by key; `before` is called with the key before each piece."""

    bodies: dict[str, bytes]
    before: Callable[[str], None] = lambda key: None

    def read(self, ref: ObjectRef) -> Iterator[bytes]:
        body = self.bodies[ref.key]
        for start in range(0, len(body), PIECE):
            self.before(ref.key)
            yield body[start : start + PIECE]


@dataclass
class Table:
    chunks: list[int] = field(default_factory=list)
    kept: set[tuple[str, str, str]] = field(default_factory=set)

    def keep(self, hits: Sequence[Hit]) -> int:
        self.chunks.append(len(hits))
        new = {hit.identity for hit in hits} - self.kept
        self.kept |= new
        return len(new)


@dataclass
class Bad:
    kept: list[tuple[str, list[int]]] = field(default_factory=list)
    fails: bool = False

    def keep(self, ref: ObjectRef, malformed: Sequence[MalformedRecord]) -> None:
        if self.fails:
            raise TableError("throttled")
        self.kept.append((ref.key, [one.index for one in malformed]))


@dataclass
class EventLog:
    errors: list[Exception] = field(default_factory=list)

    def failed(self, what: str, error: Exception) -> None:
        self.errors.append(error)

    def refused(self, event: Envelope, reason: Refusal) -> None:
        raise AssertionError(reason)

    def malformed_record(self, item: Item, index: int, reason: str) -> None:
        pass

    def foreign(self, ref: ObjectRef) -> None:
        pass


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    rule: Rule
    bucket: Bucket = field(default_factory=lambda: Bucket({}))
    table: Table = field(default_factory=Table)
    malformed: Bad = field(default_factory=Bad)
    event_log: EventLog = field(default_factory=EventLog)
    clock: Clock = field(default_factory=Clock)

    def detector(self, **changes: Any) -> Detector:
        members: dict[str, Any] = {
            "hit_detector": HitDetector(Rulebook((self.rule,))),
            "bucket": self.bucket,
            "table": self.table,
            "event_log": self.event_log,
            "now": lambda: "2026-09-01T09:18:57Z",
            "max_bytes": 100_000_000,
            "malformed_records": self.malformed,
            "clock": self.clock,
        }
        return Detector(**members | changes)


@pytest.fixture
def world(rule: Rule) -> World:
    return World(rule)


def key(name: object) -> str:
    return f"{FOLDER}{name}.json.gz"


def disable_key(number: int) -> dict[str, Any]:
    return {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey", "eventID": f"e-{number}"}


def message(*keys: str, name: str = "m") -> dict[str, Any]:
    return {"messageId": name, "body": json.dumps({"s3Bucket": "b", "s3ObjectKey": list(keys)})}


def messages(names: Iterable[object]) -> list[dict[str, Any]]:
    return [message(key(name), name=f"m-{name}") for name in names]


def test_objects_of_a_batch_wait_for_s3_together(world: World) -> None:
    """One after the other, ten objects wait ten times."""
    everybody = threading.Barrier(ITEMS_AT_ONCE, timeout=10)  # passed only if all are being read at the same time

    def meet(name: str) -> None:
        everybody.wait()

    world.bucket = Bucket({key(n): log_file(disable_key(n)) for n in range(ITEMS_AT_ONCE)}, meet)

    failed, counters = world.detector().detect_batch(messages(range(ITEMS_AT_ONCE)))

    assert (failed, counters.objects_read, counters.hits_new) == ([], ITEMS_AT_ONCE, ITEMS_AT_ONCE)


def test_no_more_objects_are_read_at_once_than_readers(world: World) -> None:
    """A message of CloudTrail's own may name more log files than fit into the memory."""
    lock, running, most = threading.Lock(), set[str](), list[int]()

    def count(name: str) -> None:
        with lock:
            running.add(name)
            most.append(len(running))
        threading.Event().wait(0.002)
        with lock:
            running.discard(name)

    names = [key(n) for n in range(4 * ITEMS_AT_ONCE)]
    world.bucket = Bucket({name: log_file(disable_key(n)) for n, name in enumerate(names)}, count)

    _, counters = world.detector().detect_batch([message(*names)])

    assert counters.objects_read == 4 * ITEMS_AT_ONCE
    assert max(most) <= ITEMS_AT_ONCE


def test_answer_does_not_depend_on_who_is_ready_first(world: World) -> None:
    """Lambda takes ids that failed; an id of a neighbour would lose its own."""
    turn = {f"{n}": threading.Event() for n in range(6)}
    turn["5"].set()

    def last_first(name: str) -> None:
        number = int(name.removeprefix(FOLDER).removesuffix(".json.gz"))
        turn[f"{number}"].wait(10)
        if number:
            turn[f"{number - 1}"].set()

    world.bucket = Bucket({key(n): log_file(disable_key(n)) if n % 2 else b"corrupt" for n in range(6)}, last_first)

    failed, counters = world.detector().detect_batch(messages(range(6)))

    assert failed == ["m-0", "m-2", "m-4"]
    assert (counters.objects_read, counters.objects_failed, counters.hits_new) == (3, 3, 3)
    assert counters.balanced


def test_hits_are_kept_in_chunks(world: World) -> None:
    """A log file of nothing but hits must not stand in memory as hits."""
    world.bucket = Bucket({key("a"): log_file(*map(disable_key, range(2 * CHUNK + 7)))})

    _, counters = world.detector().detect_batch(messages("a"))

    assert world.table.chunks == [CHUNK, CHUNK, 7]
    assert (counters.hits_new, counters.records_matched) == (2 * CHUNK + 7, 2 * CHUNK + 7)


def test_hits_before_the_place_where_a_log_file_breaks_are_kept(world: World) -> None:
    """They were right, to the last one; a log file that is never whole would keep them from ever being told."""
    whole = json.dumps({"Records": [disable_key(n) for n in range(CHUNK + 40)]}).encode()
    world.bucket = Bucket({key("a"): gzip.compress(whole[:-200])})
    detector = world.detector()

    failed, first = detector.detect_batch(messages("a"))
    _, second = detector.detect_batch(messages("a"))

    assert failed == ["m-a"]
    assert (first.hits_new, second.hits_new, second.hits_known) == (CHUNK + 39, 0, CHUNK + 39)
    assert (first.objects_failed, first.objects_read, first.records_read) == (1, 0, CHUNK + 39)
    assert first.records_matched == first.hits_new
    assert first.failures == {"Corrupt": 1}
    assert first.balanced
    assert second.balanced


def test_what_cannot_be_begun_in_time_is_put_off(world: World) -> None:
    """Begun and then stopped by Lambda, the whole batch would come back, with no word about why."""
    world.bucket = Bucket({key(n): log_file(disable_key(n)) for n in range(3)})
    digest = FOLDER.replace("CloudTrail", "CloudTrail-Digest") + "d.json.gz"

    failed, counters = world.detector().detect_batch([*messages(range(3)), message(digest, name="d")], RESERVE - 1)

    assert failed == ["m-0", "m-1", "m-2"]
    assert (counters.objects_received, counters.objects_deferred, counters.objects_ignored.total()) == (4, 3, 1)
    assert (counters.objects_read, counters.objects_failed, counters.messages_failed) == (0, 0, 3)
    assert counters.balanced
    assert "before it could be begun" in str(world.event_log.errors[0])


def test_log_file_that_takes_too_long_is_abandoned_and_its_neighbour_done(world: World) -> None:
    """It comes back; and should it never fit, the log must say what to set."""

    def slow(name: str) -> None:
        if name == key("slow") and world.table.kept:
            world.clock.now = 1000 - RESERVE + 1

    records = [{**BASE_RECORD, "userAgent": str(n)} for n in range(2000)]
    world.bucket = Bucket({key("slow"): log_file(*records), key("quick"): log_file(disable_key(1))}, slow)
    detector = world.detector()

    first, _ = detector.detect_batch(messages(["quick"]), 1000)
    failed, counters = detector.detect_batch(messages(["slow"]), 1000)

    assert (first, failed) == ([], ["m-slow"])
    assert (counters.failures, counters.records_read, counters.balanced) == ({"OutOfTime": 1}, 0, True)
    (error,) = world.event_log.errors
    assert isinstance(error, OutOfTimeError)
    assert "detector_seconds, detector_memory_mb" in str(error)


def test_hits_of_a_log_file_abandoned_for_want_of_time_are_kept(world: World) -> None:
    """The journal says so; and a log file that never fits into the time would keep them from ever being told."""

    def slow(name: str) -> None:
        if pieces:
            world.clock.now = 1000 - RESERVE + 1
        pieces.append(name)

    pieces: list[str] = []
    records = [disable_key(1), *({**BASE_RECORD, "userAgent": os.urandom(300).hex()} for _ in range(20))]
    world.bucket = Bucket({key("a"): log_file(*records)}, slow)

    failed, counters = world.detector().detect_batch(messages("a"), 1000)

    assert (failed, counters.failures) == (["m-a"], {"OutOfTime": 1})
    assert (counters.hits_new, len(world.table.kept)) == (1, 1)


def test_log_file_of_many_hits_is_abandoned_between_chunks(world: World) -> None:
    """A small log file can hold tens of thousands of hits, which is where the time goes then."""
    records = [disable_key(n) for n in range(3 * CHUNK)]

    class SlowTable(Table):
        def keep(self, hits: Sequence[Hit]) -> int:
            world.clock.now += 60
            return super().keep(hits)

    world.bucket, world.table = Bucket({key("a"): log_file(*records)}), SlowTable()

    failed, counters = world.detector().detect_batch(messages("a"), 60 + RESERVE)
    world.clock.now = 0.0
    failed_again, again = world.detector().detect_batch(messages("a"))

    assert (failed, counters.hits_new, counters.failures) == (["m-a"], 2 * CHUNK, {"OutOfTime": 1})
    assert (failed_again, again.hits_known, again.hits_new) == ([], 2 * CHUNK, CHUNK)


def test_answer_comes_although_an_object_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that never ends must cost its own message and not the batch."""
    monkeypatch.setattr(source, "RESERVE", 0.0)
    monkeypatch.setattr(flow, "LAST_CALL", 0.0)
    released = threading.Event()

    def hang(name: str) -> None:
        if name == key("hangs"):
            released.wait(10)

    world.bucket = Bucket({key("hangs"): log_file(disable_key(1)), key("good"): log_file(disable_key(2))}, hang)

    failed, counters = world.detector().detect_batch(messages(["hangs", "good"]), 0.3)
    released.set()

    assert failed == ["m-hangs"]
    assert (counters.objects_read, counters.hits_new, counters.failures) == (1, 1, {"OutOfTime": 1})
    assert counters.balanced


@pytest.mark.parametrize("outcome", Unreadable)
def test_failures_are_counted_by_what_went_wrong(world: World, outcome: Unreadable) -> None:
    """Corrupt is the writer's, denied the deployer's, interrupted nobody's: one number would not say who must act."""

    def refuse(name: str) -> None:
        raise LogFileError("no", outcome)

    world.bucket = Bucket({key("a"): b"x"}, refuse)

    _, counters = world.detector().detect_batch(messages("a"))

    assert counters.failures == {outcome.value: 1}


def test_bad_records_are_kept_where_a_person_can_read_them(world: World) -> None:
    """Counted alone, nobody knows which log file to look into."""
    world.bucket = Bucket({key("a"): log_file(None, disable_key(1), "text"), key("b"): log_file(disable_key(2))})

    failed, counters = world.detector().detect_batch(messages("ab"))

    assert (failed, counters.records_malformed) == ([], 2)
    assert world.malformed.kept == [(key("a"), [0, 2])]


def test_log_file_whose_bad_records_cannot_be_kept_comes_back(world: World) -> None:
    """Bad records that nobody can find are lost."""
    world.bucket, world.malformed.fails = Bucket({key("a"): log_file(None)}), True

    failed, counters = world.detector().detect_batch(messages("a"))

    assert (failed, counters.failures, counters.balanced) == (["m-a"], {"Table": 1}, True)
