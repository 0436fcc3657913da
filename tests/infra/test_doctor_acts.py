"""Doctor on a whole deployed stack: nothing is found where nothing was done, and each act is named."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from tests.infra.deployed.acts import ACTS, EVENTBRIDGE_ACTS, TRAIL_ACTS, Act
from tests.infra.deployed.makers import REGION
from tests.infra.deployed.world import World
from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.ops.checks.finding import Finding


# What a fresh stack without any log file has: nothing of it says that something was changed.
FRESH = {"trail.not-delivered-yet", "trail.no-log-file", "topics.not-confirmed"}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every client talks to moto."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


@pytest.fixture
def world(template_of: Callable[..., dict[str, Any]]) -> World:
    """The stack with a trail of its own and one inbox."""
    return World(template_of(alert_emails={"ops@example.com": "medium"}))


def findings(world: World, **options: bool) -> list[Finding]:
    return check_stack(world.clients, "trailbell", datetime.now(UTC), **options)


def conditions(world: World) -> set[str]:
    return {finding.condition for finding in findings(world)} - {""}


def test_a_whole_stack_has_no_finding(world: World) -> None:
    """A doctor that cries wolf is not asked again."""
    assert conditions(world) <= FRESH


BOTH = ACTS | TRAIL_ACTS


@pytest.mark.parametrize(("act", "expected"), BOTH.values(), ids=BOTH)
def test_each_act_is_named(world: World, act: Act, expected: set[str]) -> None:
    """What somebody can do to silence the alerter has a name, a state and a fix."""
    act(world)

    assert conditions(world) - FRESH == expected


@pytest.fixture
def by_eventbridge(template_of: Callable[..., dict[str, Any]]) -> World:
    """The stack whose source is EventBridge, with a bus of its own."""
    return World(template_of(alert_emails={"ops@example.com": "medium"}, eventbridge=True, event_bus=True))


@pytest.mark.parametrize(("act", "expected"), EVENTBRIDGE_ACTS.values(), ids=EVENTBRIDGE_ACTS)
def test_each_act_on_eventbridge_is_named(by_eventbridge: World, act: Act, expected: set[str]) -> None:
    """moto does not say that a bucket sends to EventBridge, which is found before and after."""
    before = conditions(by_eventbridge)
    act(by_eventbridge)

    assert before <= FRESH | {"source.eventbridge-off", "source.changed"}
    assert conditions(by_eventbridge) - before == expected
