"""Whatever happens to the live audit: every tampering is told, nothing of an honest history, and nothing twice."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests.audit.histories import (
    TAMPERINGS,
    History,
    Told,
    come_late,
    delete_digest,
    fall_silent,
    forge_digest,
)
from tests.audit.test_flow import table
from tests.audit.world import BEGIN, HOUR


__all__ = ["table"]

_SEEDS = range(6)
_HALF = timedelta(minutes=30)
_TROUBLES = ("none", "killed", "behind", "off and on", "late")


def _history(trouble: str, seed: int, client: Any) -> History:
    if trouble == "behind":
        history = History(seed, client, behind=(BEGIN + 2 * HOUR + _HALF, BEGIN + 8 * HOUR))
    elif trouble == "off and on":
        history = History(seed, client, off=(BEGIN + 1 * HOUR + _HALF, BEGIN + 4 * HOUR + _HALF))
    else:
        history = History(seed, client, kills=0.02 if trouble == "killed" else 0.0)
    if trouble == "late":
        come_late(history, 1)
    return history


def _check(history: History, told: list[Told]) -> None:
    twice = {one: times for one, times in Counter(told).items() if times > 1}
    assert not twice
    assert not history.must - set(told), "not told"
    assert not set(told) - history.must - history.may, "told of nothing"


@pytest.mark.parametrize("trouble", _TROUBLES)
@pytest.mark.parametrize("seed", _SEEDS[:2])
def test_honest_history_tells_nothing(trouble: str, seed: int, table: Any) -> None:
    """But that the audit is behind, where it is."""
    history = _history(trouble, seed, table)

    told = history.run()

    assert {name for name, _ in told} == ({"audit-behind"} if trouble == "behind" else set())
    assert len(told) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("trouble", _TROUBLES)
@pytest.mark.parametrize("seed", _SEEDS)
def test_every_tampering_is_told_once(trouble: str, seed: int, table: Any) -> None:
    """Several of them in one history."""
    history = _history(trouble, seed, table)
    first = 5 if trouble == "off and on" else 3
    for tamper in sorted(history.random.sample(TAMPERINGS, 2), key=TAMPERINGS.index):
        tamper(history, first)

    told = history.run()

    _check(history, [one for one in told if one[0] != "audit-behind"])


@pytest.mark.parametrize("trouble", ["none", "killed", "behind"])
def test_deleted_digest_is_told_once(trouble: str, table: Any) -> None:
    """Whether the audit saw it before or not."""
    history = _history(trouble, 3, table)
    delete_digest(history, 2)

    told = history.run()

    _check(history, [one for one in told if one[0] != "audit-behind"])


def test_forged_digest_hides_no_restart_and_no_silence(table: Any) -> None:
    """Written where the chain will begin anew, or far ahead of it."""
    history = History(4, table, stopped=(4, 5))
    begun = history.standard[4]
    history.must.add(("audit-restart-unexplained", begun))
    history.may.add(("audit-digest-overdue", history.standard[3]))
    forge_digest(history, 1)
    forge_digest(history, 1, f"{history.end(begun) - HOUR:%Y%m%dT%H%M%SZ}")  # where its period begins
    fall_silent(history, 0)

    told = history.run()

    _check(history, told)
