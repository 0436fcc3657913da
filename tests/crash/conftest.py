"""What the schedules came to, at the end of the tests' output."""

from typing import Any

import pytest

from tests.crash.explore import Tried
from tests.unit.conftest import given_hit  # noqa: F401 (the fixture)


TRIED = pytest.StashKey[Tried]()
_SENT = pytest.StashKey[str]()
_LINE = "crash anywhere"


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Tried:
    """The schedules of this run, all tests together."""
    return request.config.stash.setdefault(TRIED, Tried())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a process of pytest-xdist: send the line to the one that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and TRIED in session.config.stash:
        output[_LINE] = str(session.config.stash[TRIED])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a process has sent."""
    if line := getattr(node, "workeroutput", {}).get(_LINE):
        node.config.stash[_SENT] = line


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line, also where every test passed."""
    line = config.stash.get(_SENT, "") or (str(config.stash[TRIED]) if TRIED in config.stash else "")
    if line:
        terminalreporter.write_line(f"crash anywhere: {line}")
