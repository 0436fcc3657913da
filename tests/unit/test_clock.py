"""The clock and the canary, in whatever order runs, messages and crashes come: each canary is reported once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailbell.flows.canary import DUE_KIND, CanaryRelay, CanaryWatch, StreamCanary, broken_link
from trailbell.flows.clock import Clock
from trailbell.hits.canary import Canary, Returned
from trailbell.hits.due import Due


START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    return f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


class CrashError(BaseException):
    """The function ends here."""


class Faults:
    """Ends the function at the n-th call that it is asked about."""

    def __init__(self) -> None:
        self.left = -1

    def check(self) -> None:
        if self.left == 0:
            self.left = -1
            raise CrashError
        self.left -= 1 if self.left > 0 else 0


class FakeDueRows:
    def __init__(self, faults: Faults) -> None:
        self.rows: dict[tuple[str, str, str], Due] = {}
        self.cursor = ""
        self.faults = faults

    def add(self, due: Due) -> None:
        self.faults.check()
        self.rows[due.due_at, due.kind, due.id] = due

    def until(self, now: str) -> Iterator[Due]:
        yield from sorted(
            (due for due in self.rows.values() if self.cursor[:13] <= due.due_at[:13] and due.due_at <= now),
            key=lambda due: due.due_at,
        )

    def done(self, due: Due) -> bool:
        self.faults.check()
        if self.rows.get((due.due_at, due.kind, due.id)) is not due:
            return False
        del self.rows[due.due_at, due.kind, due.id]
        return True

    def read_to(self, now: str, first_left: str) -> None:
        self.faults.check()
        self.cursor = first_left or f"{datetime.fromisoformat(now) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"


class FakeCanaries:
    def __init__(self, faults: Faults) -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.faults = faults

    def add(self, name: str, step: str, **members: str | int) -> bool:
        self.faults.check()
        if step in self.rows[name]:
            return False
        self.rows[name][step] = dict(members)
        return True

    def steps(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        return dict(self.rows[name])


class FakeQueue:
    def __init__(self) -> None:
        self.messages: list[Returned] = []

    def receive(self) -> list[Returned]:
        return list(self.messages)

    def done(self, returned: Returned) -> None:
        self.messages = [one for one in self.messages if one is not returned]


class World:
    """The chain around the clock: what CloudTrail, detector, notifier and topic would do with a call."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.due = FakeDueRows(self.faults)
        self.canaries = FakeCanaries(self.faults)
        self.queue = FakeQueue()
        self.calls: list[str] = []
        self.subjects: list[str] = []
        self.errors: list[str] = []
        self.refuses = False

    def notify(self, subject: str, text: str) -> None:
        self.faults.check()
        if self.refuses:
            raise RuntimeError("the topic is gone")
        self.subjects.append(subject)

    def act(self, parameter: str) -> None:
        self.faults.check()
        self.calls.append(parameter)

    def failed(self, what: str, error: Exception) -> None:
        self.errors.append(what)

    def watch(self) -> CanaryWatch:
        return CanaryWatch(self.canaries, self.queue, self, self.due, self.act, 30)

    def run(self, minutes: float) -> None:
        watch = self.watch()
        Clock(self.due, {"canary": watch.run}, {DUE_KIND: watch.judge}, self).run(at(minutes))

    def bring_back(self, parameter: str, minutes: float) -> None:
        _, _, name, nonce = parameter.rsplit("/", 3)
        self.queue.messages.append(Returned(Canary(name, nonce), at(minutes - 4), at(minutes), "receipt"))


@pytest.fixture
def world() -> World:
    return World()


def test_one_canary_is_sent_an_hour(world: World) -> None:
    """Every run would be twelve times the cost and no better."""
    for minutes in range(0, 120, 5):
        world.run(minutes)

    assert len(world.calls) == 2
    assert {canary.split("/")[3] for canary in world.calls} == {"2026-11-20T09", "2026-11-20T10"}


def test_canary_that_comes_back_disturbs_nobody(world: World) -> None:
    """The usual case: an hour's canary is back within its minutes."""
    world.run(0)
    world.bring_back(world.calls[0], 6)
    for minutes in range(10, 59, 5):
        world.run(minutes)

    assert world.subjects == []
    assert world.canaries.rows["2026-11-20T09"]["returned"] == {"at": at(10), "seconds": 240}
    assert not [due for due in world.due.rows.values() if due.id == "2026-11-20T09"]


def test_canary_that_does_not_come_back_is_reported_once_and_again_when_it_does(world: World) -> None:
    """Operations need to know that it is over, too."""
    for minutes in range(0, 50, 5):
        world.run(minutes)
    world.bring_back(world.calls[0], 52)
    world.run(55)

    assert world.subjects == [
        "trailbell: the canary of 2026-11-20T09 has not come back",
        "trailbell: the canary of 2026-11-20T09 is back",
    ]


def test_report_that_cannot_be_sent_is_sent_by_the_next_run(world: World) -> None:
    """A claim is no delivery: ten minutes later it no longer counts."""
    world.run(0)
    world.refuses = True
    world.run(35)
    world.refuses = False
    world.run(45)

    assert world.errors == ["due canary 2026-11-20T09"]
    assert world.subjects == ["trailbell: the canary of 2026-11-20T09 has not come back"]


def test_outage_of_days_is_caught_up(world: World) -> None:
    """A deadline that passed while the clock stood still is still one that passed."""
    world.run(0)
    world.run(3 * 24 * 60)

    assert world.subjects == ["trailbell: the canary of 2026-11-20T09 has not come back"]


def test_canary_nobody_sent_does_not_come_back(world: World) -> None:
    """Whoever may call DeleteParameter could otherwise pretend that alerts work."""
    world.run(0)
    world.bring_back("/trailbell/canary/2026-11-20T09/" + "0" * 32, 6)
    world.run(35)

    assert world.queue.messages == []
    assert world.subjects == ["trailbell: the canary of 2026-11-20T09 has not come back"]


def test_due_row_of_a_later_version_waits(world: World) -> None:
    """After a rollback the older clock leaves alone what it does not know."""
    world.due.add(Due(at(1), "poem", "1"))

    watch = world.watch()
    counters = Clock(world.due, {}, {DUE_KIND: watch.judge}, world).run(at(5))

    assert (counters.due_unknown, counters.due_done) == (1, 0)
    assert len(world.due.rows) == 1


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ({}, "It was not sent"),
        ({"sent": {"at": at(0)}}, "The detector has not seen it"),
        ({"sent": {"at": at(0)}, "detected": {"at": at(5)}}, "the notifier has not published it"),
        ({"sent": {}, "detected": {}, "published": {"at": at(5)}}, "the canary's queue did not get it"),
    ],
)
def test_report_names_the_link_that_broke(steps: dict[str, dict[str, str]], expected: str) -> None:
    """Three links, three people to wake."""
    assert expected in broken_link("2026-11-20T09", steps)


def test_relay_gives_back_what_the_topic_refuses(world: World) -> None:
    """A canary fails like an alert, or it would say that alerts work while they do not."""

    class Topic:
        def notify_canary(self, canary: Canary, event_time: str) -> None:
            raise RuntimeError("the topic is gone")

    entry = StreamCanary("7", Canary("2026-11-20T09", "0" * 32), at(0))

    assert CanaryRelay(Topic(), world.canaries, world, lambda: at(1)).relay([entry]) == ["7"]
    assert "published" not in world.canaries.rows["2026-11-20T09"]


Action = tuple[str, int]
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(0, 25)),
        st.tuples(st.just("crash"), st.integers(0, 12)),
        st.tuples(st.just("back"), st.integers(0, 9)),
        st.tuples(st.just("back twice"), st.integers(0, 9)),
    ),
    max_size=40,
)


def play(world: World, actions: list[Action]) -> tuple[float, int]:
    """Play a history; how many minutes it took, and how many runs crashed."""
    minutes, crashes = 0.0, 0
    for action, number in actions:
        if action == "run":
            minutes += number
            world.run(minutes)
        elif action == "crash":
            world.faults.left = number
            try:
                world.run(minutes)
            except CrashError:
                crashes += 1
            world.faults.left = -1
        elif number < len(world.calls):
            for _ in range(2 if action == "back twice" else 1):
                world.bring_back(world.calls[number], minutes)
    return minutes, crashes


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(ACTIONS)
def test_any_history_of_runs_crashes_and_returns_reports_each_canary(actions: list[Action]) -> None:
    """After any history and an hour of quiet runs: what was lost was reported, what came back after all, too."""
    world = World()
    minutes, crashes = play(world, actions)
    for _ in range(12):
        minutes += 5
        world.run(minutes)

    for name, steps in world.canaries.rows.items():
        missing = world.subjects.count(f"trailbell: the canary of {name} has not come back")
        back = world.subjects.count(f"trailbell: the canary of {name} is back")
        assert missing or "returned" in steps or steps["sent"]["at"] > at(minutes - 45), f"{name} was lost in silence"
        assert back or not missing or "returned" not in steps, f"{name} came back in silence"
        assert max(missing, back) <= 1 + crashes
