"""An act's life: undone, reminded of, too late; in any order, however often, whatever crashes, whenever the clock runs.

Records of acts and of what undoes them come in log files, again and again and in any order; detector, notifier and
clock crash anywhere. A naive evaluator that sees all records at once says what must have become of each act.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crash.aws import FakeDynamo
from tests.crash.faults import Faults, Killed, chosen, nothing
from tests.unit.conftest import RULE
from trailbell.alerts.alert import Alert
from trailbell.alerts.over_time import group_of_alert
from trailbell.alerts.quiet import QuietMinutes
from trailbell.engine.rulebook import Level, Rule, Rulebook, Undo, UndoneBy
from trailbell.flows.clock import Clock
from trailbell.flows.follow_ups import FollowUpNotifier
from trailbell.flows.gathering import Gathering
from trailbell.flows.notifier import Notifier
from trailbell.flows.reminders import Reminders
from trailbell.flows.tracking import HitTracking
from trailbell.handlers.notifier import new_hits
from trailbell.hits.detect import HitDetector
from trailbell.hits.follow_up import What
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import ACKED, OPEN, RESOLVED, change_state
from trailbell.hits.reminders import DUE_KIND as REMINDER
from trailbell.hits.undoing import Undoing
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.rulebook.compile import gate_of
from trailbell.rulebook.undone_by import undo_rules
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.due import DynamoDueRows
from trailbell.store.dynamo import decode
from trailbell.store.follow_ups import DynamoFollowUps, follow_up_key
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.periods import DUE_KIND as GATHERED
from trailbell.store.periods import HELD, DynamoPeriods, group_partition
from trailbell.store.states import DynamoHitStates
from trailbell.store.tracking import DynamoTracking


SECONDS = 6  # all records fall within so many: many in the same
DEADLINE = "2026-09-08T00:00:00Z"
DAY = "2026-09-0{}T{:02}:00:00Z"
CALLS = ("ScheduleKeyDeletion", "DisableKey", "CancelKeyDeletion", "EnableKey")
UNDONE_BY = {"ScheduleKeyDeletion": "CancelKeyDeletion", "DisableKey": "EnableKey"}

played = Counter[str]()


def _calls(name: str) -> list[Any]:
    source, event = ["field", "eventSource", ["eq", "kms.amazonaws.com"]], ["field", "eventName", ["eq", name.lower()]]
    return ["and", [source, event]]


def _rule(name: str) -> Rule:
    way = UndoneBy(_calls(UNDONE_BY[name]), ("requestParameters.keyId",), ("requestParameters.keyId",), key=name)
    return replace(
        RULE,
        rule_id=name,
        name=name.lower(),
        level=Level.CRITICAL if name == CALLS[0] else Level.HIGH,
        detection=_calls(name),
        gate=gate_of(_calls(name)),
        undo=Undo(("aws kms help",), "responseElements.deletionDate"),
        undone_by=(way,),
    )


RULES = tuple(map(_rule, UNDONE_BY))
RULEBOOK = Rulebook((*RULES, *undo_rules(RULES)))


@pytest.fixture(scope="module", autouse=True)
def _say_how_many() -> Iterator[None]:
    """How many histories were played, and what happened in them: a property that is never tried protects nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trailbell.store.dynamo._FIRST_PAUSE", 0.0)
        patch.setattr("trailbell.flows.notifier.MAX_GATHERED", 2)  # so that periods hold more than a batch takes
        patch.setattr("trailbell.store.periods.SLICE", 2)
        yield
    sys.stdout.write(f"lives of acts: {dict(played)}\n")
    assert all(played[what] for what in ("histories", "undone", "faults", "reminded", "gathered", "killed", "touched"))


@dataclass(frozen=True)
class Event:
    """One record."""

    number: int
    call: str
    key: str
    second: int

    @property
    def time(self) -> str:
        return f"2026-09-01T00:00:0{self.second}Z"

    @property
    def record(self) -> dict[str, Any]:
        return {
            **BASE_RECORD,
            "eventSource": "kms.amazonaws.com",
            "eventName": self.call,
            "eventID": f"e-{self.number}",
            "eventTime": self.time,
            "requestParameters": {"keyId": self.key},
            "resources": [{"type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:us-east-1:111122223333:key/{self.key}"}],
            # A deadline after seven days, as KMS answers it.
            "responseElements": {"deletionDate": DEADLINE} if self.call == CALLS[0] else None,
        }


@dataclass
class World:
    """Detector, notifier and clock on one table; each invocation is a process of its own that may be killed."""

    faults: Faults
    dynamo: FakeDynamo = field(init=False)
    published: list[tuple[int, int, Alert]] = field(default_factory=list)
    quiet: int = 0
    now: str = "2026-09-01T00:10:00Z"
    seconds: float = 0.0
    given: list[list[dict[str, Any]]] = field(default_factory=lambda: [[], []])
    touched: set[str] = field(default_factory=set)
    had: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.dynamo = FakeDynamo(self.faults)

    def notify(self, alert: Alert) -> None:
        kind = self.faults.at(f"publish {alert.subject}", ("failed", "killed before", "killed after"))
        if kind == "killed before":
            raise Killed(kind)
        if kind == "failed":
            raise ConnectionError(kind)
        if not self.faults.happened and not (alert.follow_ups or alert.gathered):
            held = self.held(group_of_alert(alert))
            assert alert.sample.severity is Level.CRITICAL or not held, "a page of its own before what was held"
        for hit, said in zip(alert.hits, alert.follow_ups, strict=False):
            word = self.state(hit.event_id)
            if said.what is What.UNDONE:
                assert word != RESOLVED, "somebody resolved it, and is told that it was undone"
            else:
                assert word in (OPEN, ACKED), f"it is {word}, and is reminded of"
                assert said.what is What.TOO_LATE or self.now < DEADLINE, "reminded of what is over"
        self.published.append((self.faults.time, self.faults.invocation, alert))
        assert alert.text(30_000)
        if kind == "killed after":
            raise Killed(kind)

    def failed(self, what: str, error: Exception) -> None:
        """It is tried again."""

    def detect(self, events: Sequence[Event]) -> bool:
        """One log file; whether it was read to its end."""
        self.faults.begin()
        detector = HitDetector(RULEBOOK, undoings=True)
        found = [one for event in events for one in detector._detect_in_fields(event.record, _file(self.now), 0, None)]
        hits = [one for one in found if isinstance(one, Hit)]
        due = DynamoDueRows(self.dynamo, "hits")
        after = HitTracking(DynamoTracking(self.dynamo, "hits", 400), due, (24,), lambda: self.now)
        try:
            after.plan(hits)
            DynamoHitTable(self.dynamo, "hits", 400).keep(hits)
            after.track(hits, [one for one in found if isinstance(one, Undoing)])
        except (Exception, Killed):
            return False
        return True

    def deliver(self, shard: int) -> None:
        """Give the notifier what the stream holds, with what must come back."""
        self.faults.begin()
        self.seconds += 200  # claims of those that were killed are over
        changes = self.dynamo.shards[shard]
        self.given[shard] += changes[self.had[shard] :]
        self.had[shard] = len(changes)
        batch = self.given[shard]
        if not batch:
            return
        records = DynamoDeliveryRecords(self.dynamo, "hits", 400, lambda: self.seconds)
        stored = DynamoFollowUps(self.dynamo, "hits"), DynamoHitStates(self.dynamo, "hits")
        follow_ups = FollowUpNotifier(self, records, *stored, self, lambda: self.seconds, lambda: self.now)
        notifier = Notifier(
            self, records, self, lambda: self.now, lambda: self.seconds, lambda _: None, follow_ups, self._periods()
        )
        with suppress(Exception, Killed):
            failed, counters = notifier.notify(new_hits({"Records": batch}))
            assert counters.balanced
            left = [change["dynamodb"]["SequenceNumber"] in failed for change in batch]
            # As the stream does: from the first that failed on, everything comes again.
            self.given[shard] = batch[left.index(True) :] if True in left else []

    def run_clock(self) -> None:
        self.faults.begin()
        due = DynamoDueRows(self.dynamo, "hits")
        reminders = Reminders(DynamoKeptHits(self.dynamo, "hits"), DynamoFollowUps(self.dynamo, "hits"), due)
        gathering = Gathering(self._periods(), DynamoDeliveryRecords(self.dynamo, "hits", 400))
        with suppress(Exception, Killed):
            Clock(due, {}, {REMINDER: reminders.judge, GATHERED: gathering.judge}, self).run(self.now)

    def _periods(self) -> DynamoPeriods:
        return DynamoPeriods(self.dynamo, "hits", QuietMinutes(self.quiet))

    def settle(self, files: Sequence[Sequence[Event]]) -> None:
        """The causes are mended; everything that had not come through does."""
        self.faults.mended = True
        for events in files:
            assert self.detect(events)
        for _ in range(3):
            for shard in (0, 1):
                self.deliver(shard)
        assert self.given == [[], []]

    def state(self, event_id: str) -> str:
        row = self.row(f"S#{BASE_RECORD['recipientAccountId']}#{event_id}", ACT)
        return row["state"] if row else OPEN

    def change(self, number: int, action: str) -> None:
        """What a person makes of a hit, if there is anything to make of it."""
        identity = BASE_RECORD["recipientAccountId"], f"e-{number}", ACT
        states = DynamoHitStates(self.dynamo, "hits")
        self.touched.add(f"e-{number}")
        self.faults.begin()
        with suppress(Exception, Killed):
            before, _ = states.read(identity)
            after, change = change_state(before, action, "dana", self.now)
            states.write(identity, after, change, 2**40)

    def held(self, group: str) -> set[str]:
        """The hits of a group that wait for the end of a period."""
        rows = [decode(item) for key, item in self.dynamo.rows.items() if key[0] == group_partition(group)]
        waiting = {str(row["hit"]["eventID"]) for row in rows if row["kind"] == HELD}
        return waiting - {hit.event_id for *_, alert in self.published if not alert.follow_ups for hit in alert.hits}

    def row(self, pk: str, sk: str) -> dict[str, Any] | None:
        item = self.dynamo.rows.get((pk, sk))
        return decode(item) if item else None


def _file(seen_at: str) -> Any:
    from trailbell.cloudtrail.object_key import classify_key
    from trailbell.hits.detect import DetectionCounts, _Reading

    return _Reading("b", classify_key("k"), seen_at, DetectionCounts())


EVENTS = st.lists(
    st.tuples(st.sampled_from(CALLS), st.sampled_from(["k1", "k2"]), st.integers(0, SECONDS - 1)),
    min_size=1,
    max_size=8,
).map(lambda drawn: [Event(number, *one) for number, one in enumerate(drawn)])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[Event]], list[tuple[str, int]], int]:
    """Records in log files, some in several; what is done in which order; and a seed for what goes wrong."""
    events = draw(EVENTS)
    order = draw(st.permutations(events))
    cuts = draw(st.lists(st.integers(1, 3), min_size=len(events), max_size=len(events)))
    files, at = list[list[Event]](), 0
    for cut in cuts:
        if order[at : at + cut]:
            files.append(list(order[at : at + cut]))
        at += cut
    files += draw(st.lists(st.sampled_from(files), max_size=3))
    steps = st.one_of(
        st.tuples(st.just("detect"), st.integers(0, len(files) - 1)),
        st.tuples(st.just("deliver"), st.integers(0, 1)),
        st.tuples(st.just("clock"), st.integers(1, 9)),
        st.tuples(st.just("later"), st.integers(1, 9)),
        st.tuples(st.sampled_from(["resolve", "reopen", "ack"]), st.integers(0, len(events) - 1)),
    )
    return files, draw(st.lists(steps, max_size=20)), draw(st.integers(0, 2000))


def oracle(events: Sequence[Event]) -> dict[str, Event | None]:
    """Of each act by its event's id: the first call after its second that undoes it."""
    return {
        f"e-{act.number}": min(
            (
                one
                for one in events
                if one.call == UNDONE_BY[act.call] and one.key == act.key and one.second > act.second
            ),
            key=lambda one: (one.second, f"e-{one.number}"),
            default=None,
        )
        for act in events
        if act.call in UNDONE_BY
    }


@settings(max_examples=1200, deadline=None)
@given(histories())
def test_every_act_comes_to_what_its_records_say(history: tuple[list[list[Event]], list[tuple[str, int]], int]) -> None:
    """Same states, same follow-ups, each once, in whatever order."""
    files, steps, seed = history
    world = World(Faults(chosen(seed) if seed % 3 else nothing), quiet=60 * (seed % 2))
    for step, number in steps:
        if step == "detect":
            world.detect(files[number])
        elif step == "deliver":
            world.deliver(number)
        elif step in ("resolve", "reopen", "ack"):
            world.change(number, step)
        else:
            world.now = max(world.now, DAY.format(number, 0))
            if step == "clock":
                world.run_clock()
    late = world.now >= DEADLINE
    world.settle(files)
    reminded_before = _said(world)
    expected = oracle([event for file in files for event in file])
    for day in range(1, 10):  # the clock catches up, and goes on past every deadline
        for hour in range(1, 6):  # of what a period holds a batch takes a part
            world.now = max(world.now, DAY.format(day, hour))
            world.run_clock()
            world.settle([])

    _judge(world, expected, reminded_before, late=late)
    if not world.faults.happened:
        _judge_gathered(world)
    played.update(histories=1, touched=len(world.touched), faults=len(world.faults.happened), acts=len(expected))
    played["killed"] += sum(kind.startswith("killed") for *_, kind in world.faults.happened)
    played["undone"] += sum(undo is not None for undo in expected.values())
    played["gathered"] += sum(alert.gathered for *_, alert in world.published)
    played["reminded"] += sum(name.startswith("reminder") for _, name in _said(world))


def _said(world: World) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """When and in which invocation each follow-up was published, "alert" for the act itself."""
    said = defaultdict[tuple[str, str], list[tuple[int, int]]](list)
    for time, invocation, alert in world.published:
        for position, hit in enumerate(alert.hits):
            name = alert.follow_ups[position].name if alert.follow_ups else "alert"
            said[hit.event_id, name].append((time, invocation))
    return said


def _judge(
    world: World, expected: dict[str, Event | None], before: dict[tuple[str, str], list[tuple[int, int]]], *, late: bool
) -> None:
    """late: when all was settled every deadline had passed: of a reminder nobody can say whether it was to be sent."""
    said = _said(world)
    for event_id, undo in expected.items():
        account = BASE_RECORD["recipientAccountId"]
        state = world.row(f"S#{account}#{event_id}", ACT)
        row = world.row(*follow_up_key(account, event_id, "undone").values())
        assert (event_id, "alert") in said
        if event_id in world.touched:
            continue  # what may be said of it is asserted where it is said
        if undo is None:
            assert (state, row) == (None, None)
            assert (event_id, "undone") not in said
        else:
            assert state
            assert row
            assert (state["state"], state["at"], row["at"]) == ("undone", undo.time, undo.time)
            assert said[event_id, "undone"][0][0] > said[event_id, "alert"][0][0], "told of the undo before the act"
    for (event_id, name), times in said.items():
        undo = expected[event_id]
        for time, invocation in times[:-1]:
            assert world.faults.between(invocation, time), f"{event_id}: {name} was said twice for nothing"
        if name == "undone":
            assert undo
        if name not in ("alert", "undone") and (event_id, name) not in before and event_id not in world.touched:
            assert undo is None, f"{event_id} was undone, and is reminded of"
    deadlines = {event for event, undo in expected.items() if undo is None and _has_deadline(world, event)}
    for event_id in deadlines - world.touched:
        missing = {*(() if late else ("reminder-24h", "reminder-half")), "too-late"} - {
            name for event, name in said if event == event_id
        }
        due = {key for key in world.dynamo.rows if key[0].startswith("D#2")}
        assert not missing or _read_late(world, event_id), f"{event_id}: never said {missing}"
        assert not any(event_id in key[1] for key in due)


def _has_deadline(world: World, event_id: str) -> bool:
    account = BASE_RECORD["recipientAccountId"]
    row = world.row(f"H#{account}#{event_id}", ACT)
    assert row
    return bool(row.get("undoUntil"))


def _read_late(world: World, event_id: str) -> bool:
    """Whether the record was first read after some of the reminders were due: those are not sent."""
    account = BASE_RECORD["recipientAccountId"]
    row = world.row(f"H#{account}#{event_id}", ACT)
    return bool(row and row["seenAt"] > "2026-09-04")


def _judge_gathered(world: World) -> None:
    """Of each kind of hits the first is not held, and neither is a critical one on a resource that was not named."""
    named = defaultdict[tuple[str, str], set[str]](set)
    for _, _, alert in world.published:
        if alert.follow_ups:
            continue
        group = alert.sample.rule_id, alert.sample.actor.key
        if alert.gathered:
            assert group in named
            for hit in alert.hits:
                assert hit.severity < Level.CRITICAL or {*hit.resources} <= named[group]
        named[group].update(resource for hit in alert.hits for resource in hit.resources)
