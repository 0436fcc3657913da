"""The histories of tests/crash/correlations.py through the real adapters and boto3, against moto."""

import os
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest

from tests.crash.correlations import Broken, History, Played, World


HISTORIES = int(os.environ.get("TRAILBELL_MOTO_HISTORIES", "40"))


@pytest.mark.slow
def test_any_order_and_any_fault_come_to_the_episodes_of_one_look_at_all(
    table: str,
    dynamodb: Any,
    read_rows: Callable[[str], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("trailbell.store.dynamo._FIRST_PAUSE", 0.0)
    played = Played()
    for seed in range(HISTORIES):
        dice = random.Random(f"moto {seed}")  # noqa: S311 (histories, no secret)
        one = World(History.by_chance(dice, correlations_max=3, events_max=14), dynamodb, partial(read_rows, ""), dice)
        try:
            one.deliver_anyhow(0.04 if seed % 2 else 0.0)
            one.judge(played)
        except Broken as broken:
            raise Broken(f"seed {seed}: {broken}") from broken
        _empty(dynamodb, table, read_rows(""))

    with capsys.disabled():
        print(f"\ncorrelations against moto: {played}")  # noqa: T201 (how many there were is the result)
    assert played.episodes > HISTORIES


def _empty(dynamodb: Any, table: str, rows: list[dict[str, Any]]) -> None:
    resource = boto3.resource("dynamodb").Table(table)
    with resource.batch_writer() as batch:
        for row in rows:
            batch.delete_item(Key={"pk": row["pk"], "sk": row["sk"]})
