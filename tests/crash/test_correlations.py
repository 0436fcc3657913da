"""Correlations in any order, repeated, by several detectors at once, with faults anywhere: thousands of histories."""

import os
import random
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

import pytest

from tests.crash.aws import FakeDynamo
from tests.crash.correlations import BASE, Broken, Event, History, Played, World
from tests.crash.faults import Faults, nothing
from tests.unit.conftest import RULE
from tests.unit.test_episodes import correlation
from trailbell.store.dynamo import Row, decode


HISTORIES = int(os.environ.get("TRAILBELL_HISTORIES", "500"))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trailbell.store.dynamo._FIRST_PAUSE", 0.0)


def world(seed: str, *, in_order: bool = False) -> World:
    dice = random.Random(seed)  # noqa: S311 (histories, no secret)
    dynamo = FakeDynamo(Faults(nothing), page=dice.choice((1, 2, 1000)))
    history = History.by_chance(dice, in_order=in_order)
    return World(history, dynamo, partial(rows_of, dynamo), dice)


def rows_of(dynamo: FakeDynamo) -> list[Row]:
    return [*map(decode, dynamo.rows.values())]


def play(seeds: range) -> Played:
    """Every other history with faults. Raises Broken, which names the seed."""
    played = Played()
    for seed in seeds:
        one = world(f"anyhow {seed}")
        try:
            one.deliver_anyhow(0.1 if seed % 2 else 0.0)
            one.judge(played)
        except Broken as broken:
            raise Broken(f"seed {seed}: {broken}") from broken
    return played


def play_broken_repeats(seeds: range) -> Played:
    """Raises Broken, which names the seed."""
    played = Played()
    for seed in seeds:
        one = world(f"broken repeats {seed}")
        one.deliver_with_broken_repeats()
        try:
            one.judge(played)
        except Broken as broken:
            raise Broken(f"seed {seed}: {broken}") from broken
    return played


def test_any_order_and_any_fault_come_to_the_episodes_of_one_look_at_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    played = play(range(HISTORIES))

    with capsys.disabled():
        print(f"\ncorrelations: {played}")  # noqa: T201 (how many there were is the result)
    assert played.joined > HISTORIES / 20
    assert played.chained > HISTORIES / 20
    assert played.crashes > HISTORIES / 2
    assert played.live > HISTORIES


def test_what_broke_off_does_not_take_the_place_of_what_was_read_whole() -> None:
    assert play_broken_repeats(range(HISTORIES // 3)).episodes > HISTORIES / 10


def test_in_order_each_episode_has_one_hit_and_none_is_joined() -> None:
    played = Played()
    for seed in range(HISTORIES // 3):
        one = world(f"in order {seed}", in_order=True)
        one.deliver_in_order()
        one.judge(played)

    assert played.joined == 0
    assert played.episodes > HISTORIES / 10


def test_a_member_of_an_ordered_window_may_be_one_by_a_sequence_outside_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """b at 3 follows a at -2, and lies within the timespan of what happens at 5 and 6: all of it is one episode."""
    times = {"file-0": ((-2, "a"), (3, "b")), "file-1": ((5, "a"), (6, "b"))}
    files = {
        name: [Event(BASE + time, f"e{time}", (rule,), {"g": "g1"}) for time, rule in given]
        for name, given in times.items()
    }
    ordered = replace(
        correlation("temporal_ordered", 2, 5, 2), group_by=("g",), group_paths=(("g",), ("g",)), rule=RULE
    )
    history = History([ordered], [event for given in files.values() for event in given], files)

    for reach in (15, 5):
        dynamo = FakeDynamo(Faults(nothing))
        one = World(history, dynamo, partial(rows_of, dynamo), random.Random(0))  # noqa: S311 (nothing is chosen)
        monkeypatch.setattr("trailbell.flows.correlating.reach_seconds", lambda _, reach=reach: reach)
        one.deliver_in_order()
        with nullcontext() if reach == 15 else pytest.raises(Broken):
            one.judge(Played())
