"""What doctor says of a deployment that nobody touched: no problem; and the lines that the documentation shows."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, deploy
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.local_aws import LocalAws
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, Finding
from trailbell.ops.deployed_stack import DeployedStack


pytestmark = pytest.mark.e2e
PAGE = Path(__file__).parents[2] / "docs" / "getting-started.md"


@pytest.fixture(scope="module")
def findings(aws: LocalAws) -> list[Finding]:
    """Of a deployment with the settings of `trailbell local`, with an inbox as it has."""
    deploy(aws, TRAIL_BUCKET, alert_emails="you@example.com", live="true", live_organization="o-trailbelllocal")
    Inbox(aws, DeployedStack(aws.client, STACK).output("AlertTopic"))
    return check_stack(aws.client, STACK, datetime.now(UTC), embedded=True)


def test_fresh_deployment_is_as_it_was_deployed(findings: list[Finding]) -> None:
    """Whoever tries the product on a machine of his own must not look for a problem that is none."""
    assert [one for one in findings if one.state == PROBLEM] == []
    assert [one.condition for one in findings if one.condition.startswith("policy.")] == []
    (bus,) = [one for one in findings if one.check == "as deployed: DescribeEventBus"]
    assert (bus.state, "the embedded AWS does not keep" in bus.meaning) == (UNKNOWN, True)


def test_documentation_shows_what_doctor_says(findings: list[Finding]) -> None:
    shown = PAGE.read_text(encoding="utf-8").partition("some of its lines are:")[2].split("```")[1].splitlines()[2:]
    rows = [re.split(r"  +", line.strip()) for line in shown if line.strip()]
    said = {(one.state, one.check, one.meaning) for one in findings}

    assert len(rows) > 5
    assert [row for row in rows if tuple(row[:3]) not in said] == []
