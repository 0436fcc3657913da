"""The deployed product under faults: a short run of benchmarks/soak.py, one fault of each kind."""

import pytest

from benchmarks.faulty_proxy import DOWN, LOST, THROTTLED
from benchmarks.soak import report, soak_deployed
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import deploy
from trailbell.cli.local.local_aws import LocalAws


pytestmark = pytest.mark.e2e


def test_nothing_is_lost_and_nobody_told_twice_under_faults(aws: LocalAws) -> None:
    """Lost answers, a throttled table, a topic that is down, and killed functions; judged by soak_deployed itself."""
    deploy(aws, TRAIL_BUCKET)

    run = soak_deployed(aws, files=60, fault_seconds=2, hidden_seconds=4)

    assert {LOST, THROTTLED, DOWN} <= set(run.proxy.seen.faults), "a fault was never met"
    assert run.kills >= 2
    assert run.swept > 0, "the embedded AWS dropped what the notifier gave back: the sweep told it"
    assert f"{len(run.expected)} hits: 0 lost" in report(run)
