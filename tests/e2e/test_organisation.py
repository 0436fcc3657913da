"""An organisation of two accounts and three Regions, as far as the embedded AWS can: which stack goes where.

It forwards no event from one account or Region to another, so what would be forwarded is asserted here, hop by hop.
"""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from tests.rules.event_patterns import envelope
from trailbell.cli.doctor.stack_checks import check_stack
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, deploy
from trailbell.cli.local.local_aws import ACCOUNT, REGION, LocalAws
from trailbell.ops.deployed_rulebook import deployed_rulebook
from trailbell.ops.deployed_stack import Clients, DeployedStack
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.rulebook.live_patterns import LivePattern, live_patterns, resolved
from trailbell.rulebook.member_template import CENTRAL_BUS, DEAD_LETTERS, member_template, template_text


pytestmark = pytest.mark.e2e
MEMBERS = ("111122223333", "444455556666")
REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2")
ORGANIZATION = "o-a1b2c3d4e5"
# As StackSets call it in an account.
MEMBER_STACK = "StackSet-trailbell-member-6a7e8feb-b491-4cf7-a9f1-bf3703467718"


def clients_of(aws: LocalAws, account: str, region: str) -> Clients:
    """Clients of a member: the embedded AWS takes an access key of twelve digits for the account."""

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=aws.endpoint,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="test",
        )

    return client


@pytest.fixture(scope="module")
def central(aws: LocalAws) -> DeployedStack:
    """The central stack, in the account and Region that are neither member's."""
    deploy(aws, TRAIL_BUCKET, live="true", live_organization=ORGANIZATION, organization_id="", canary_minutes="0")
    return DeployedStack(aws.client, STACK)


@pytest.fixture(scope="module")
def patterns(aws: LocalAws, central: DeployedStack) -> tuple[LivePattern, ...]:
    """What the deployed rulebook asks for."""
    return live_patterns(deployed_rulebook(aws.client, central))


@pytest.fixture(scope="module")
def members(aws: LocalAws, central: DeployedStack, patterns: tuple[LivePattern, ...]) -> dict[tuple[str, str], Clients]:
    """The member template in every Region of both accounts, given as text and by CAPABILITY_IAM alone."""
    text = template_text(member_template(patterns))
    bus = [{"ParameterKey": CENTRAL_BUS, "ParameterValue": central.output("CentralBus")}]
    places = {(account, region): clients_of(aws, account, region) for account in MEMBERS for region in REGIONS}
    for client in places.values():
        cloudformation = client("cloudformation")
        cloudformation.create_stack(
            StackName=MEMBER_STACK, TemplateBody=text, Parameters=bus, Capabilities=["CAPABILITY_IAM"]
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName=MEMBER_STACK)
    return places


def test_central_stack_has_its_rules_and_takes_their_events(aws: LocalAws, central: DeployedStack) -> None:
    """Its own account is watched by its default bus; members' events come over a bus of its own."""
    states = {finding.check: finding for finding in check_stack(aws.client, STACK, datetime.now(UTC))}

    assert states["live events"].state == "ok", states["live events"]
    assert states["members"].state == "ok"
    assert central.output("CentralBus") == f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{STACK}-live"
    assert states["source"].state == "ok"


def test_member_stacks_are_deployed_everywhere(
    members: dict[tuple[str, str], Clients], patterns: tuple[LivePattern, ...]
) -> None:
    """Two accounts, three Regions, one template: six times the same rules, each with its own account in them."""
    assert len(members) == 6
    for (account, region), client in members.items():
        stack = DeployedStack(client, MEMBER_STACK)
        assert (stack.account, stack.region) == (account, region)
        names = stack.resources("AWS::Events::Rule")
        found = [client("events").describe_rule(Name=name) for name in names]
        wanted = [(resolved(one.pattern, account), one.state) for one in patterns]
        assert [(json.loads(rule["EventPattern"]), rule["State"]) for rule in found] == wanted


def test_every_rule_of_a_member_forwards_to_the_central_bus_by_its_role(
    members: dict[tuple[str, str], Clients], central: DeployedStack
) -> None:
    """The hop that the embedded AWS does not make: where to, by which role, and where what fails goes."""
    for (account, region), client in members.items():
        stack = DeployedStack(client, MEMBER_STACK)
        (role,) = stack.resources("AWS::IAM::Role")
        (policy,) = client("iam").list_role_policies(RoleName=role)["PolicyNames"]
        statement = client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
        bus = central.output("CentralBus")
        assert statement == [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}]
        dead_letters = stack.dead_letter_queue(DEAD_LETTERS)
        for name in stack.resources("AWS::Events::Rule"):
            (target,) = client("events").list_targets_by_rule(Rule=name)["Targets"]
            assert target["Arn"] == bus
            assert target["RoleArn"] == f"arn:aws:iam::{account}:role/{role}"
            assert target["DeadLetterConfig"] == {"Arn": dead_letters.arn}
            rule = f"arn:aws:events:{region}:{account}:rule/{name}"
            assert rule in json.dumps(dead_letters.policy)


def test_doctor_finds_a_member_as_it_was_deployed(members: dict[tuple[str, str], Clients]) -> None:
    """Run in the member's account: what was changed there is seen nowhere else."""
    client = members[MEMBERS[1], REGIONS[2]]
    now = datetime.now(UTC)

    assert {finding.state for finding in check_stack(client, MEMBER_STACK, now)} == {"ok"}

    name = DeployedStack(client, MEMBER_STACK).resources("AWS::Events::Rule")[0]
    client("events").disable_rule(Name=name)
    try:
        found = [finding for finding in check_stack(client, MEMBER_STACK, now) if finding.state != "ok"]
    finally:
        client("events").enable_rule(Name=name)
    assert [finding.condition for finding in found] == ["rule.disabled"]


def test_event_of_a_member_matches_a_rule_of_the_central_bus(aws: LocalAws, central: DeployedStack) -> None:
    """The second half of the way: what a member forwards is let through there, and what somebody puts is not."""
    record = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "ScheduleKeyDeletion"}
    record["recipientAccountId"] = MEMBERS[0]
    genuine = envelope(record)
    bus = central.output("CentralBus").partition("/")[2]
    events = aws.client("events")

    def let_through(event: Any) -> list[str]:
        rules = events.list_rules(EventBusName=bus)["Rules"]
        texts = [(rule["Name"], rule["EventPattern"]) for rule in rules]
        return [
            name
            for name, text in texts
            if events.test_event_pattern(EventPattern=text, Event=json.dumps(event))["Result"]
        ]

    assert len(let_through(genuine)) == 1
    assert let_through({**genuine, "source": "my.app"}) == []
    entry = {"Source": "aws.kms", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(record)}
    (answer,) = events.put_events(Entries=[{**entry, "EventBusName": bus}])["Entries"]
    assert answer["ErrorCode"] == "NotAuthorizedForSourceException"
