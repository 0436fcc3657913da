"""Which tests stay in one of pytest-xdist's processes, and which of them begin first: those that take longest.

A file's tests stay together, as they share what its fixtures make; so do those of suites that share more than that.
pytest-xdist's own groups (`xdist_group`) are not used: 3.8 names them in the ids of tests, which pytest 9.2 does not
let it do, and says nothing.
"""

from collections import defaultdict
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


# One wheel for all; one tally of schedules; one deployed product.
_SHARED = {
    "tests/packaging/": "tests/packaging/",
    "tests/crash/": "tests/crash/",
    "tests/e2e/test_product.py": "tests/e2e: deployed",
    "tests/e2e/test_replay.py": "tests/e2e: deployed",
}

# Those that take 14 seconds of a whole run and more, the longest first. What is not here begins by its number of tests.
LONGEST = (
    "tests/crash/",
    "tests/e2e/test_acts.py",
    "tests/e2e/test_soak.py",
    "tests/browser/test_serve_page.py",
    "tests/packaging/",
    "tests/e2e/test_lifecycle.py",
    "tests/integration/test_serve.py",
    "tests/e2e: deployed",
    "tests/e2e/test_live.py",
    "tests/audit/test_flow.py",
    "tests/infra/test_doctor_acts.py",
    "tests/infra/test_lint.py",
    "tests/e2e/test_audit.py",
    "tests/audit/test_flow_histories.py",
    "tests/infra/test_asset.py",
    "tests/rules/test_hostile_text.py",
    "tests/audit/test_unlisted.py",
    "tests/fuzz/test_fuzz.py",
    "tests/e2e/test_organisation.py",
    "tests/unit/test_prefilter.py",
    "tests/e2e/test_doctor.py",
    "tests/e2e/test_sources.py",
    "tests/integration/test_weekly.py",
    "tests/unit/test_wrappings.py",
    "tests/audit/test_world.py",
    "tests/infra/test_least_privilege.py",
    "tests/integration/test_correlation_histories.py",
    "tests/browser/test_site.py",
    "tests/unit/test_odd_records.py",
)


def together(test_id: str) -> str:
    """What a test stays together with: its file, or more than that."""
    file = test_id.partition("::")[0]
    return next((group for begin, group in _SHARED.items() if file.startswith(begin)), file)


class LongestFirst(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist's scheduler ships no types
    """pytest-xdist's scheduler of groups, with groups and an order of our own."""

    def _split_scope(self, nodeid: str) -> str:
        return together(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        """Give a process the next group; of those that are not named here, the one with most tests."""
        self.workqueue.move_to_end(min(self.workqueue, key=_place), last=False)
        super()._assign_work_unit(node)


def _place(group: str) -> int:
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)


class KeptTogether:
    """Fails a run in which a group was spread over processes: what it shares was made more than once, unseen."""

    def __init__(self) -> None:
        self._processes: dict[str, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A test was run, in one of the processes."""
        if node := getattr(report, "node", None):
            self._processes[together(report.nodeid)].add(node.gateway.id)

    @property
    def spread(self) -> list[str]:
        """The groups that more than one process ran tests of."""
        return sorted(group for group, processes in self._processes.items() if len(processes) > 1)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """All tests were run. Who replaces a process that died runs what is left; that is a failure already."""
        if self.spread:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which, as no test says it."""
        if self.spread:
            terminalreporter.write_line(f"not kept in one process of pytest-xdist: {', '.join(self.spread)}", red=True)
