"""Tests that share something costly stay in one process, and a run in which they did not fails."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.scheduling import LONGEST, KeptTogether, together
from tests.shipped import ROOT


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("unit/test_a.py::test_x[1]", "unit/test_a.py::test_y[a::b/c]", True, id="a-file"),
        pytest.param("unit/test_a.py::test_x", "unit/test_b.py::test_x", False, id="two-files"),
        pytest.param("crash/test_a.py::test_x", "crash/test_b.py::test_x", True, id="one-tally"),
        pytest.param("packaging/test_a.py::test_x", "packaging/test_b.py::test_x", True, id="one-wheel"),
        pytest.param("e2e/test_product.py::test_x", "e2e/test_replay.py::test_x", True, id="one-deployment"),
        pytest.param("e2e/test_product.py::test_x", "e2e/test_acts.py::test_x", False, id="deployments-of-their-own"),
    ],
)
def test_what_is_shared_is_made_once(one: str, other: str, same: bool) -> None:
    """Each was made in every process, for minutes, while pytest-xdist's groups did nothing."""
    assert (together(f"tests/{one}") == together(f"tests/{other}")) is same


def test_what_begins_first_is_there() -> None:
    """A name that nothing has any more begins nothing."""
    groups = {together(file.relative_to(ROOT).as_posix()) for file in (ROOT / "tests").rglob("test_*.py")}

    assert [group for group in LONGEST if group not in groups] == []
    assert len(set(LONGEST)) == len(LONGEST)


def ran(process: str, test_id: str) -> Any:
    return SimpleNamespace(nodeid=test_id, node=SimpleNamespace(gateway=SimpleNamespace(id=process)))


@pytest.mark.parametrize(("second", "status"), [("gw0", pytest.ExitCode.OK), ("gw1", pytest.ExitCode.TESTS_FAILED)])
def test_run_that_spreads_a_group_fails(second: str, status: pytest.ExitCode) -> None:
    """Nothing else tells: the tests pass."""
    kept = KeptTogether()
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    kept.pytest_runtest_logreport(ran("gw0", "tests/crash/test_a.py::test_x"))
    kept.pytest_runtest_logreport(ran("gw1", "tests/unit/test_a.py::test_x"))
    kept.pytest_runtest_logreport(ran(second, "tests/crash/test_b.py::test_x"))

    kept.pytest_sessionfinish(session)

    assert session.exitstatus == status
    assert kept.spread == (["tests/crash/"] if status else [])
