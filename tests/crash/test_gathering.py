"""Quiet periods on a table: a storm of held hits, unreadable hits, and what comes while the clock is at work."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults, nothing
from trailbell.alerts.alert import Alert
from trailbell.alerts.quiet import QuietMinutes
from trailbell.facts.resources import is_aws_owned
from trailbell.flows.clock import Clock, ClockCounters
from trailbell.flows.gathering import MAX_GATHERED, Gathering
from trailbell.flows.notifier import Notifier, StreamEntry
from trailbell.flows.stream_batch import NotifierCounters, StreamHit
from trailbell.handlers.notifier import new_hits
from trailbell.hits.hit import ACT, Hit
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.due import DynamoDueRows
from trailbell.store.periods import DUE_KIND, HELD, SLICE, DynamoPeriods


GivenHit = Callable[..., Hit]


@dataclass
class World:
    """Notifier and clock on one table, minute by minute after ten o'clock."""

    dynamo: FakeDynamo = field(default_factory=lambda: FakeDynamo(Faults(nothing)))
    sent: list[Alert] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    minute: int = 0
    read: int = 0

    def notify(self, alert: Alert) -> None:
        self.sent.append(alert)

    def failed(self, what: str, error: Exception) -> None:
        self.errors.append(what)

    @property
    def now(self) -> str:
        return f"2026-09-01T{10 + self.minute // 60}:{self.minute % 60:02}:00Z"

    @property
    def periods(self) -> DynamoPeriods:
        return DynamoPeriods(self.dynamo, "hits", QuietMinutes())

    @property
    def records(self) -> DynamoDeliveryRecords:
        return DynamoDeliveryRecords(self.dynamo, "hits", 400, lambda: 0.0, "one")

    def give(self, *entries: StreamEntry) -> NotifierCounters:
        """A batch of the stream."""
        notifier = Notifier(self, self.records, self, lambda: self.now, periods=self.periods)
        failed, counters = notifier.notify(entries)
        assert failed == []
        assert counters.balanced
        return counters

    def come(self, *hits: Hit) -> NotifierCounters:
        return self.give(*(StreamHit(str(number), hit) for number, hit in enumerate(hits)))

    def clock(self) -> ClockCounters:
        gathering = Gathering(self.periods, self.records)
        return Clock(DynamoDueRows(self.dynamo, "hits"), {}, {DUE_KIND: gathering.judge}, self).run(self.now)

    def gather(self) -> NotifierCounters:
        """The notifier gets what the clock has asked for."""
        changes = [change for shard in self.dynamo.shards for change in shard]
        changes.sort(key=lambda change: int(change["dynamodb"]["SequenceNumber"]))
        new, self.read = changes[self.read :], len(changes)
        return self.give(*new_hits({"Records": new}))

    @property
    def ids(self) -> list[list[str]]:
        return [[hit.event_id for hit in alert.hits] for alert in self.sent]


@pytest.fixture
def world() -> World:
    return World()


def acts(given_hit: GivenHit, first: int, last: int) -> list[Hit]:
    return [replace(given_hit(eventID=f"e-{number:05}"), kept_as=ACT) for number in range(first, last)]


def test_storm_of_held_hits_is_notified_of_in_parts(
    world: World, given_hit: GivenHit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are held: each batch takes so many, each slice is read alone, and each hit is told once."""
    world.dynamo.page = SLICE
    slices = list[int]()
    left = DynamoDeliveryRecords.left

    def counted(records: DynamoDeliveryRecords, held: list[Any]) -> list[Any]:
        slices.append(len(held))
        return left(records, held)

    monkeypatch.setattr(DynamoDeliveryRecords, "left", counted)
    world.come(*acts(given_hit, 0, 1))
    storm = acts(given_hit, 1, 2 * MAX_GATHERED + 502)
    for start in range(0, len(storm), 1000):
        assert world.come(*storm[start : start + 1000]).hits_notified == 0
    world.minute, batches = 61, list[int]()
    while not world.clock().due_done:
        batches.append(world.gather().hits_notified)
        world.minute += 5

    assert batches == [MAX_GATHERED, MAX_GATHERED, 501]
    assert max(slices) == SLICE
    assert world.errors == []
    assert sorted(one for ids in world.ids for one in ids) == [f"e-{number:05}" for number in range(len(storm) + 1)]


def test_held_hit_that_cannot_be_read_holds_up_no_other(world: World, given_hit: GivenHit) -> None:
    """A newer version held it: this one says so and tells the rest; a version that reads it tells of it later."""
    world.come(*acts(given_hit, 0, 1))
    world.come(*acts(given_hit, 1, 4))
    (newer,) = (item for item in world.dynamo.rows.values() if item["kind"]["S"] == HELD and "e-00002" in str(item))
    newer["hit"]["M"]["format"] = {"N": "99"}
    world.minute = 61
    assert world.clock().due_done == 0
    counters = world.gather()

    assert (counters.hits_notified, counters.hits_unreadable) == (2, 1)
    assert world.errors == ["hit 111122223333/e-00002/act"]
    assert world.ids == [["e-00000"], ["e-00001", "e-00003"]]

    world.minute = 66
    assert world.clock().due_done == 0
    newer["hit"]["M"]["format"] = {"N": "1"}
    world.gather()
    world.minute = 71
    assert world.clock().due_done == 1
    assert world.ids[2:] == [["e-00002"]]


def test_hit_between_the_end_and_the_clock_waits_for_the_next_message(world: World, given_hit: GivenHit) -> None:
    """Three minutes after the hour: a page of its own would come before the news that it follows."""
    world.come(*acts(given_hit, 0, 1))
    world.come(*acts(given_hit, 1, 2))
    world.minute = 63
    world.come(*acts(given_hit, 2, 3))
    assert world.ids == [["e-00000"]]
    world.clock()
    world.gather()
    assert world.ids == [["e-00000"], ["e-00001"]]
    world.minute = 121
    world.clock()
    world.gather()
    assert world.ids == [["e-00000"], ["e-00001"], ["e-00002"]]


def test_what_comes_long_after_the_last_message_is_news(world: World, given_hit: GivenHit) -> None:
    """The clock ended the period, and the one after it held nothing."""
    world.come(*acts(given_hit, 0, 1))
    world.come(*acts(given_hit, 1, 2))
    world.minute = 61
    world.clock()
    world.gather()
    world.clock()
    world.minute = 200
    world.come(*acts(given_hit, 2, 3))

    assert world.ids == [["e-00000"], ["e-00001"], ["e-00002"]]


def test_critical_hits_without_a_resource_are_told_apart_by_what_the_mail_shows(
    world: World, given_hit: GivenHit
) -> None:
    """A second command on everything is no repetition of the first, though both run AWS's own document."""
    document = "arn:aws:ssm:us-east-1::document/AWS-RunShellScript"
    assert is_aws_owned(document)
    one = replace(acts(given_hit, 0, 1)[0], level="critical", resources=(document,), shown=(("commands", "id"),))
    again, other_command = replace(one, event_id="e-1"), replace(one, event_id="e-2", shown=(("commands", "rm"),))
    other_call, other_region = replace(one, event_id="e-3", event_name="X"), replace(one, event_id="e-4", region="x")
    nothing_named = replace(one, event_id="e-5", resources=())
    for hit in (one, again, other_command, other_call, other_region, nothing_named):
        world.come(hit)

    assert world.ids == [["e-00000"], ["e-2"], ["e-3"], ["e-4"], ["e-5"]]


def test_resource_without_an_arn_is_another_one_in_another_region(world: World, given_hit: GivenHit) -> None:
    """Two key stores may go by one name."""
    one = replace(acts(given_hit, 0, 1)[0], level="critical", resources=("cks-1",))
    for number, hit in enumerate((one, one, replace(one, region="eu-west-1"))):
        world.come(replace(hit, event_id=f"e-{number}"))

    assert world.ids == [["e-0"], ["e-2"]]


@pytest.mark.parametrize("resource", ["arn:aws:s3:::trail", "arn:aws:kms:us-east-1:111122223333:key/k", "cks-1"])
def test_resource_of_an_account_is_not_awss_own(resource: str) -> None:
    """A bucket's ARN names no account either."""
    assert not is_aws_owned(resource)


def test_due_row_that_is_written_again_while_it_is_done_stays(world: World, given_hit: GivenHit) -> None:
    """The clock finds nothing to be left, and deletes the row; a hit that was held meanwhile would wait for ever."""
    world.come(*acts(given_hit, 0, 1))
    world.come(*acts(given_hit, 1, 2))
    world.minute = 61
    world.clock()
    world.gather()
    judge = Gathering(world.periods, world.records).judge

    def meanwhile(due: Any, now: str) -> bool:
        done = judge(due, now)
        (hit,) = acts(given_hit, 2, 3)
        (row,) = (item for key, item in world.dynamo.rows.items() if key[1].startswith("held#"))
        late = {**row, "sk": {"S": row["sk"]["S"].replace("00001", "00002")}}
        late["hit"] = {"M": {**late["hit"]["M"], "eventID": {"S": hit.event_id}}}
        late["as"] = {"L": [{"L": [{"S": hit.account}, {"S": hit.event_id}, {"S": ACT}]}]}
        world.dynamo._put(late)
        DynamoDueRows(world.dynamo, "hits").add(due)
        return done

    rows = DynamoDueRows(world.dynamo, "hits")
    assert Clock(rows, {}, {DUE_KIND: meanwhile}, world).run(world.now).due_done == 0
    world.minute = 66
    world.clock()
    world.gather()
    assert world.ids == [["e-00000"], ["e-00001"], ["e-00002"]]
    assert world.clock().due_done == 1
