"""Doctor on a whole deployed stack: nothing is found where nothing was done, and each act is named."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from click.testing import CliRunner
from moto import mock_aws

from tests.infra.deployed.acts import ACTS, EVENTBRIDGE_ACTS, LIVE_ACTS, TRAIL_ACTS
from tests.infra.deployed.doing import Act
from tests.infra.deployed.makers import REGION
from tests.infra.deployed.world import Refusing, World
from tests.shipped import shipped_rules
from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.main import cli
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, Finding
from trailbell.ops.live.resources import NOT_READ, READERS
from trailbell.rulebook.build import make_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS
from trailbell.rulebook.undone_by import undo_rules


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


@pytest.fixture
def live(template_of: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> World:
    """The stack that takes live events of an organisation; moto gives nobody the code of a function back."""
    rules = shipped_rules()
    rulebook = make_rulebook((*rules, *undo_rules(rules)), CASE_SETTINGS)
    monkeypatch.setattr("trailbell.ops.health.deployed_rulebook", lambda *_: rulebook)
    settings = {"alert_emails": {"ops@example.com": "medium"}, "live": True, "live_organization": "o-a1b2c3d4e5"}
    return World(template_of(**settings))


@pytest.mark.parametrize(("act", "expected"), LIVE_ACTS.values(), ids=LIVE_ACTS)
def test_each_act_on_live_events_is_named(live: World, act: Act, expected: set[str]) -> None:
    """A rule that brings nothing any more is minutes; a policy that lets somebody in is worse."""
    before = conditions(live)
    act(live)

    assert before <= FRESH
    assert conditions(live) - before == expected


@pytest.mark.parametrize(("act", "expected"), EVENTBRIDGE_ACTS.values(), ids=EVENTBRIDGE_ACTS)
def test_each_act_on_eventbridge_is_named(by_eventbridge: World, act: Act, expected: set[str]) -> None:
    """moto does not say that a bucket sends to EventBridge, which is found before and after."""
    before = conditions(by_eventbridge)
    act(by_eventbridge)

    assert before <= FRESH | {"source.eventbridge-off", "source.changed"}
    assert conditions(by_eventbridge) - before == expected


def test_each_type_of_the_stack_is_read(template_of: Callable[..., dict[str, Any]]) -> None:
    """A new type of resource needs a reader, or a reason why nobody is notified less when it changes."""
    kinds = {
        resource["Type"]
        for settings in ({}, {"eventbridge": True, "event_bus": True, "chat_topic": "high"})
        for resource in template_of(**settings)["Resources"].values()
    }

    assert kinds <= {*READERS, *NOT_READ}


class CapitalFilters:
    """S3 as it answers: "Prefix" where "prefix" was put, which moto does not take."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def get_bucket_notification_configuration(self, **given: Any) -> Any:
        found = self._real.get_bucket_notification_configuration(**given)
        return json.loads(json.dumps({"QueueConfigurations": found["QueueConfigurations"]}).replace("prefix", "Prefix"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_filters_as_s3_names_them_are_no_finding(world: World) -> None:
    """A difference of writing is no finding."""

    def clients(service: str) -> Any:
        client = world.clients(service)
        return CapitalFilters(client) if service == "s3" else client

    found = check_stack(clients, "trailbell", datetime.now(UTC))

    assert {finding.condition for finding in found} <= {*FRESH, ""}


def test_a_bucket_of_others_that_denies_the_detector_is_found(template_of: Callable[..., dict[str, Any]]) -> None:
    """Its policy is in no template of ours."""
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="the-logs", CreateBucketConfiguration={"LocationConstraint": REGION})
    existing = World(template_of(trail_bucket="the-logs", alert_emails={"ops@example.com": "medium"}))
    before = conditions(existing)
    deny = {"Effect": "Deny", "Principal": {"AWS": existing.arn("DetectorRole")}, "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**deny, "Resource": "arn:aws:s3:::the-logs/*"}]}
    s3.put_bucket_policy(Bucket="the-logs", Policy=json.dumps(policy))

    assert before <= {*FRESH, "trail.not-seen"}
    assert conditions(existing) - before == {"bucket.denies-detector"}


def test_a_stack_that_is_being_deleted_is_a_problem(world: World) -> None:
    """It looks whole in every part that is left."""
    world.status = "DELETE_FAILED"

    assert conditions(world) - FRESH == {"stack.deleted"}


def test_drift_is_asked_only_when_wanted(world: World) -> None:
    """The detection is a call that writes into CloudFormation's own records."""
    world.drifts = [
        {
            "LogicalResourceId": "Trail",
            "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [{"PropertyPath": "/S3KeyPrefix"}],
        },
        {"LogicalResourceId": "Queue", "StackResourceDriftStatus": "IN_SYNC"},
    ]

    assert conditions(world) <= FRESH
    assert ("cloudformation", "detect_stack_drift") not in world.calls
    (finding,) = [finding for finding in findings(world, drift=True) if finding.condition == "stack.drifted"]
    assert "Trail" in finding.meaning
    assert "/S3KeyPrefix" in finding.meaning


# IAM's name of an operation, where it is another one.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
IAM_NAMES = {
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectsV2": "s3:ListBucket",
}


def actions_asked(world: World) -> set[str]:
    """The permissions of the calls that were made."""
    session, asked = botocore.session.Session(), set()
    for service, method in world.calls:
        names = {xform_name(name): name for name in session.get_service_model(service).operation_names}
        if method in names:
            action = f"{service}:{names[method]}"
            asked.add(IAM_NAMES.get(action, action))
    return asked


def permissions_listed() -> set[str]:
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    section = text.partition("<!-- doctor -->")[2].partition("<!-- /doctor -->")[0]
    return set(json.loads(re.findall(r"```json\n(.*?)```", section, re.DOTALL)[0])["Statement"][0]["Action"])


def test_permissions_of_whoever_runs_doctor_are_those_of_the_page(by_eventbridge: World) -> None:
    """One that is missing is an unknown in front of an auditor; one too many is one too many."""
    ACTS["alarm muted"][0](by_eventbridge)
    by_eventbridge.calls.clear()
    findings(by_eventbridge)

    # A function's policy is read where the template gives somebody the permission to invoke it.
    assert permissions_listed() == actions_asked(by_eventbridge) | {"lambda:GetPolicy"}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("iam", "get_role"),
        ("lambda", "get_function_configuration"),
        ("sns", "get_topic_attributes"),
        ("s3", "head_object"),
        ("dynamodb", "describe_table"),
        ("cloudformation", "get_template"),
    ],
)
def test_what_nobody_may_ask_is_unknown_and_no_problem(world: World, service: str, operation: str) -> None:
    """A reader with few permissions learns what it cannot see, and nothing that is not so."""
    found = check_stack(Refusing(world, service, operation), "trailbell", datetime.now(UTC))

    assert "check.not-permitted" in {finding.condition for finding in found if finding.state == UNKNOWN}
    assert {finding.condition for finding in found if finding.state == PROBLEM} <= FRESH


def test_a_gone_topic_is_a_problem_and_the_exit_status_follows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was "unknown", and the status 0."""
    monkeypatch.setattr("boto3.client", lambda service, **_: world.clients(service))
    world.clients("sns").delete_topic(TopicArn=world.id("AlertsTopic"))

    done = CliRunner().invoke(cli, ["doctor", "--format", "json"], catch_exceptions=False)

    document = json.loads(done.stdout)
    assert done.exit_code == 1
    assert document["stack"] == "trailbell"
    assert document["counts"]["problem"] == sum(entry["state"] == "problem" for entry in document["findings"]) > 0
    assert "topic.gone" in {entry["condition"] for entry in document["findings"]}
