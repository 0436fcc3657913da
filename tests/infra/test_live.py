"""Live events in the template: what sends to the ingest queue, whose events the central bus takes, nothing if off."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from infra.live import bus_policy
from tests.infra.conftest import given_settings
from tests.infra.iam.account import ACCOUNT
from tests.infra.whole_stack import shipped_patterns
from trailbell.rulebook.live_calls import OWN_ACCOUNT
from trailbell.rulebook.live_patterns import LivePattern


Template = dict[str, Any]
TemplateOf = Callable[..., Template]
ORGANIZATION = "o-a1b2c3d4e5"
MEMBERS = ["111122223333", "444455556666"]


def rules(template: Template, *, forwarded: bool) -> dict[str, Any]:
    """The rules of live events by name without hash: those of the default bus, or of the central one."""
    found = {
        name[len("Live") : -8]: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Events::Rule" and name.startswith("Live")
    }
    return {name: rule for name, rule in found.items() if ("EventBusName" in rule) is forwarded}


def statements(template: Template, queue: str) -> list[Any]:
    """Those of a queue's policy that let EventBridge in."""
    (policy,) = (
        resource["Properties"]["PolicyDocument"]["Statement"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::SQS::QueuePolicy" and name.startswith(f"{queue}Policy")
    )
    return [one for one in policy if one["Principal"] == {"Service": "events.amazonaws.com"}]


def environment(template: Template) -> Mapping[str, Any]:
    (found,) = (
        resource["Properties"]["Environment"]["Variables"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function" and name.startswith("DetectorFunction")
    )
    return dict(found)


def in_template(pattern: Any) -> Any:
    """A pattern as the template has it: CloudFormation knows the account."""
    return json.loads(json.dumps(pattern).replace(f'"{OWN_ACCOUNT}"', '{"Ref": "AWS::AccountId"}'))


def test_nothing_is_deployed_where_live_is_off(template_of: TemplateOf) -> None:
    """Who does not ask for it pays nothing and has no more to guard."""
    template = template_of()

    assert "Live" not in " ".join(template["Resources"])
    assert "AWS::Events::EventBus" not in {one["Type"] for one in template["Resources"].values()}
    assert not [name for name in environment(template) if "LIVE" in name]
    assert "CentralBus" not in template["Outputs"]


@pytest.mark.parametrize(
    ("forwarded", "patterns"), [(False, shipped_patterns().own), (True, shipped_patterns().forwarded)]
)
def test_rules_ask_for_what_the_rulebook_asks_for(
    template_of: TemplateOf, forwarded: bool, patterns: tuple[LivePattern, ...]
) -> None:
    """One rule for each pattern, each in its state, each with the ingest queue behind it."""
    found = rules(template_of(live=True), forwarded=forwarded)

    before = "Forwarded" if forwarded else ""
    wanted = {f"{before}{one.name}": (in_template(one.pattern), one.state) for one in patterns}
    assert {name: (rule["EventPattern"], rule["State"]) for name, rule in found.items()} == wanted
    for rule in found.values():
        (target,) = rule["Targets"]
        assert target["Arn"]["Fn::GetAtt"][0].startswith("IngestQueue")
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0].startswith("IngestDeadLetters")
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}


@pytest.mark.parametrize("queue", ["IngestQueue", "IngestDeadLetters"])
def test_queues_take_events_of_these_rules_alone(template_of: TemplateOf, queue: str) -> None:
    """Whoever may send to the queue writes the envelope, the account in it included."""
    template = template_of(live=True)

    (statement,) = statements(template, queue)

    arns = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    every = {name for name, one in template["Resources"].items() if one["Type"] == "AWS::Events::Rule"}
    assert {arn["Fn::GetAtt"][0] for arn in arns} == {name for name in every if name.startswith("Live")}
    assert all(arn["Fn::GetAtt"][1] == "Arn" for arn in arns)
    assert set(statement["Condition"]) == {"ArnEquals"}
    assert statement["Action"] == "sqs:SendMessage"


def test_log_files_come_as_before(template_of: TemplateOf) -> None:
    """Live events are best effort; the log files are the promise."""
    before, after = template_of(), template_of(live=True)

    kept = {name: one for name, one in after["Resources"].items() if name in before["Resources"]}
    changed = {name for name, one in before["Resources"].items() if kept.get(name) != one}
    assert {name[:-8] for name in changed} <= {
        "DetectorFunction",
        "IngestQueuePolicy",
        "IngestDeadLettersPolicy",
        "OverviewDashboard",
        "Overview",
    }


def test_central_bus_takes_events_of_the_organisation(template_of: TemplateOf) -> None:
    """And of nobody else; a policy with "*" and without a condition would be the whole world's."""
    (bus,) = (
        one for one in template_of(live=True, live_organization=ORGANIZATION)["Resources"].values() if is_bus(one)
    )

    (statement,) = bus["Properties"]["Policy"]["Statement"]
    assert statement["Principal"] == "*"
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    assert statement["Action"] == "events:PutEvents"
    assert json.dumps(statement["Resource"]).endswith(':event-bus/trailbell-live"]]}')


def test_central_bus_takes_events_of_the_listed_accounts(template_of: TemplateOf) -> None:
    (bus,) = (one for one in template_of(live=True, live_accounts=(*MEMBERS,))["Resources"].values() if is_bus(one))

    (statement,) = bus["Properties"]["Policy"]["Statement"]
    named = json.dumps(statement["Principal"])
    assert all(f"iam::{member}:root" in named for member in MEMBERS)
    assert "Condition" not in statement
    assert statement["Principal"] != "*"


def test_central_bus_takes_this_accounts_own_where_nobody_is_named(template_of: TemplateOf) -> None:
    """us-east-1, where IAM's events are, is another Region of the same account: its role is permission enough."""
    (bus,) = (one for one in template_of(live=True)["Resources"].values() if is_bus(one))

    assert "Policy" not in bus["Properties"]


def test_policy_of_many_accounts_fits() -> None:
    """A bus takes 10,240 characters."""
    accounts = tuple(f"{number:012}" for number in range(150))
    settings = given_settings(live=True, live_accounts=accounts)

    policy = bus_policy(
        settings, f"arn:aws-us-gov:events:us-gov-west-1:{ACCOUNT}:event-bus/trailbell-live", "aws-us-gov"
    )

    assert len(json.dumps(policy)) < 10_240


@pytest.mark.parametrize(
    ("given", "accounts"),
    [
        pytest.param({}, {"Ref": "AWS::AccountId"}, id="own"),
        pytest.param(
            {"live_accounts": (*MEMBERS,)},
            {"Fn::Join": ["", [{"Ref": "AWS::AccountId"}, f",{','.join(MEMBERS)}"]]},
            id="listed",
        ),
        pytest.param({"live_organization": ORGANIZATION}, None, id="organisation"),
    ],
)
def test_detector_knows_whom_to_believe(template_of: TemplateOf, given: dict[str, Any], accounts: Any) -> None:
    """Own account and those that are listed; of an organisation the bus says it."""
    variables = environment(template_of(live=True, **given))

    assert variables["TRAILBELL_LIVE"] == "true"
    assert variables.get("TRAILBELL_LIVE_ACCOUNTS") == accounts


def test_refused_event_wakes_operations(template_of: TemplateOf) -> None:
    """Nobody but a forger makes one."""
    (alarm,) = (
        one["Properties"]
        for name, one in template_of(live=True)["Resources"].items()
        if name.startswith("WatchLiveEventsRefused")
    )

    assert (alarm["MetricName"], alarm["Namespace"]) == ("LiveEventsRefused", "trailbell")
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "detector"}]
    assert (alarm["TreatMissingData"], alarm["Threshold"]) == ("notBreaching", 1)
    assert alarm["AlarmActions"]


def is_bus(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] == "AWS::Events::EventBus"
