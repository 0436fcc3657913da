"""What the schedules came to, at the end of the tests' output."""

import pytest

from tests.crash.explore import Tried
from tests.unit.conftest import given_hit  # noqa: F401 (the fixture)


TRIED = pytest.StashKey[Tried]()


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Tried:
    """The schedules of this run, all tests together."""
    return request.config.stash.setdefault(TRIED, Tried())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line, also where every test passed."""
    if TRIED in config.stash:
        terminalreporter.write_line(f"crash anywhere: {config.stash[TRIED]}")
