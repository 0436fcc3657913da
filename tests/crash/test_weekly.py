"""The weekly report is sent once for each week that was due, however the clock's runs are missed, doubled, cut off."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.crash.aws import FakeDynamo
from tests.crash.faults import ANY_CALL, OVERTAKEN, Faults, Killed, after, before, chosen, nothing
from trailbell.flows.clock import Clock
from trailbell.flows.weekly import WeeklyReport, due_on
from trailbell.hits.due import Due
from trailbell.hits.week import DAYS, Week
from trailbell.store.reports import DynamoReports


START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
played = Counter[str]()


@pytest.fixture(scope="module", autouse=True)
def _say_how_many() -> Iterator[None]:
    """How many histories were played, and what happened in them: a property that is never tried protects nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trailbell.store.dynamo._FIRST_PAUSE", 0.0)
        yield
    sys.stdout.write(f"weekly reports: {dict(played)}\n")
    assert all(played[what] for what in ("histories", "reports", "killed", "overtaken", "missed", "twice"))


class NothingDue:
    """No due rows: reading them takes hundreds of requests, and the report waits for none of them."""

    def until(self, now: str) -> Iterator[Due]:
        return iter(())

    def done(self, due: Due) -> bool:
        """Nothing is."""
        raise AssertionError(due)

    def read_to(self, now: str, first_left: str) -> None:
        """Nothing is left."""


@dataclass
class World:
    """The clock's weekly task on a table, in runs that may be killed, and overtaken by whole other runs."""

    day: str
    faults: Faults
    minutes: int = 0
    published: list[tuple[str, int, int]] = field(default_factory=list)
    last_fault: int = -1000  # minute
    deep: int = 0

    def __post_init__(self) -> None:
        self.dynamo = FakeDynamo(self.faults, overtake=self.overtake)

    @property
    def now(self) -> str:
        return f"{START + timedelta(minutes=self.minutes):%Y-%m-%dT%H:%M:%SZ}"

    @property
    def due(self) -> str:
        return due_on(self.day, self.now)

    def to_next_due(self, weeks: int) -> None:
        next_due = datetime.fromisoformat(f"{self.due}T07:55:00Z") + timedelta(weeks=1 + weeks)
        self.minutes = int((next_due - START).total_seconds()) // 60

    def overtake(self) -> None:
        """A second invocation, in a process of its own, from beginning to end between two calls of the first."""
        if self.deep < 3:
            played["overtaken"] += 1
            outer = self.faults.invocation
            self.run()
            self.faults.invocation, self.faults.dead = outer, False

    def read(self, since: str, until: str, now: str) -> Week:
        """The week, which takes two requests here."""
        for part in ("pointers", "hits"):
            call = f"read {part} {until}"
            kind = self.faults.at(call, (*ANY_CALL, OVERTAKEN))
            before(kind, call)
            if kind == OVERTAKEN:
                self.overtake()
            after(kind, call)
        days = (date.fromisoformat(until) - date.fromisoformat(since)).days
        assert 7 <= days <= 35
        return Week(since, until, now)

    def notify(self, subject: str, text: str) -> None:
        assert len(subject) < 100
        assert self.due >= text.partition(" to ")[2][:10]
        call = f"publish {subject}"
        kind = self.faults.at(call, (*ANY_CALL, OVERTAKEN))
        before(kind, call)
        if kind == OVERTAKEN:
            self.overtake()
        self.published.append((self.due, self.faults.time, self.faults.invocation))
        if kind == OVERTAKEN:
            self.overtake()
        after(kind, call)

    def failed(self, what: str, error: Exception) -> None:
        """It is tried again."""

    def run(self) -> bool:
        """One run; whether it came to its end, and no other had left a claim behind just before."""
        self.faults.begin()
        faults, self.deep = len(self.faults.happened), self.deep + 1
        with suppress(Exception, Killed):
            reports = DynamoReports(self.dynamo, "hits", lambda: self.minutes * 60.0)
            weekly = WeeklyReport(reports, self, self, lambda day: [], self.day)
            Clock(NothingDue(), {}, {}, self, at_last={"weekly": weekly.run}).run(self.now)
        self.deep -= 1
        if any(kind != OVERTAKEN for *_, kind in self.faults.happened[faults:]):
            self.last_fault = self.minutes
        return self.minutes - self.last_fault >= 5


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(1, 4)),
        st.tuples(st.just("twice"), st.integers(1, 3)),
        st.tuples(st.just("wait"), st.integers(1, 60 * 24 * 9)),
        st.tuples(st.just("due"), st.integers(0, 2)),  # to five minutes before the next report, or weeks later
        st.tuples(st.just("due"), st.just(0)),
    ),
    min_size=6,
    max_size=24,
)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(DAYS), STEPS, st.integers(0, 3000))
def test_each_due_week_has_one_report(day: str, steps: list[tuple[str, int]], seed: int) -> None:
    """Missed, doubled, at once and cut off anywhere: one report a week, two only where a run ended with the first."""
    world = World(day, Faults(chosen(seed) if seed % 4 else nothing))
    healthy = set[str]()  # the due days of which a run came to its end
    for step, number in steps:
        if step == "wait":
            world.minutes += number
            continue
        if step == "due":
            world.to_next_due(weeks=number)
            continue
        for _ in range(number):
            for _ in range(2 if step == "twice" else 1):
                if world.run():
                    healthy.add(world.due)
            played["twice"] += step == "twice"
            world.minutes += 5
    world.faults.mended = True
    for _ in range(3):  # the causes are mended, and the clock goes on
        world.minutes += 5
        assert world.run()
        healthy.add(world.due)
        world.minutes += 60 * 24 * 7

    _judge(world, healthy)


def _judge(world: World, healthy: set[str]) -> None:
    sent = Counter(due for due, _, _ in world.published)
    rows = {sk: row for (pk, sk), row in world.dynamo.rows.items() if pk == "W#report" and "at" in row}
    (begin,) = [day for day, row in rows.items() if row["at"] == {"S": "begun"}]
    assert set(rows) - {begin} <= set(sent), "a report is marked that was not sent"
    assert {due for due in healthy if due > begin} <= set(sent), "a week has no report"
    assert all(due > begin for due in sent)
    for due in sent:
        times = [(time, invocation) for day, time, invocation in world.published if day == due]
        for time, invocation in times[:-1]:
            assert world.faults.between(invocation, time), f"{due} was reported twice for nothing"
    days = [date.fromisoformat(day) for day in sorted({*sent, begin})]
    played.update(histories=1, reports=len(world.published), again=len(world.published) - len(sent))
    played["missed"] += sum((later - day).days > 7 for day, later in pairwise(days))
    played["killed"] += sum(kind.startswith("killed") for *_, kind in world.faults.happened)
