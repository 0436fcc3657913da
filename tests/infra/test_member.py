"""The member stack: one plain template without assets, what it may do, and the same stack in a CDK app."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from cdk_nag import AwsSolutionsChecks

from infra.member import MemberStack
from tests.infra.iam.account import ACCOUNT, REGION
from tests.infra.test_lint import checkov_findings, find_checkov
from tests.infra.whole_stack import shipped_patterns
from trailbell.rulebook.live_calls import OWN_ACCOUNT
from trailbell.rulebook.member_template import CENTRAL_BUS, DEAD_LETTERS, MOST_BYTES, member_template, template_text


BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/trailbell-live"
TEMPLATE = member_template(shipped_patterns().own)
RESOURCES = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == kind}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as the command prints it."""
    file = tmp_path_factory.mktemp("member") / "member.template.json"
    file.write_text(template_text(TEMPLATE), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def synthesised(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stack of a CDK app, with cdk-nag; the folder of the assembly."""
    out = tmp_path_factory.mktemp("cdk.out")
    app = cdk.App(context=context, outdir=str(out), analytics_reporting=False)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    MemberStack(app, "member", patterns=shipped_patterns().own)
    app.synth()
    return out


def test_cdk_stack_is_the_plain_template(synthesised: Path) -> None:
    """Two makers of one stack would differ one day; and CDK's own parameters and rules need a bootstrap."""
    made = json.loads((synthesised / "member.template.json").read_text(encoding="utf-8"))
    of_the_cdk = made["Resources"]["DeadLetters"].pop("Metadata")
    plain = {**RESOURCES, "DeadLetters": {**RESOURCES["DeadLetters"]}}
    checkov = plain["DeadLetters"].pop("Metadata")

    assert {name: _plain(one) for name, one in made["Resources"].items()} == plain
    assert set(made) == set(TEMPLATE)
    assert made["Parameters"] == TEMPLATE["Parameters"]
    assert made["Outputs"] == TEMPLATE["Outputs"]
    assert checkov.items() <= of_the_cdk.items()
    assert not list(synthesised.glob("asset.*"))
    assert not list(synthesised.glob("*.assets.json"))


def _plain(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in resource.items() if name != "Metadata"}


def test_given_bus_takes_the_place_of_the_parameter(context: dict[str, Any], tmp_path: Path) -> None:
    """An app of one's own knows the bus: nothing is left to ask for."""
    app = cdk.App(context=context, outdir=str(tmp_path))
    stack = MemberStack(app, "member", patterns=shipped_patterns().own[:1], central_bus_arn=BUS)

    made = cdk.assertions.Template.from_stack(stack).to_json()

    assert "Parameters" not in made
    assert made["Resources"]["Events1"]["Properties"]["Targets"][0]["Arn"] == BUS
    assert made["Resources"]["ForwardPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] == BUS


def test_cdk_nag_finds_nothing(synthesised: Path) -> None:
    (report,) = json.loads((synthesised / "validation-report.json").read_text(encoding="utf-8"))["pluginReports"]

    assert report["violations"] == []
    assert [len(one["reason"]) > 40 for one in report["suppressedViolations"]] == [True]


def test_cfn_lint_finds_nothing(written: Path) -> None:
    """Regions that are told apart by what they lack: China is not meant, the government's is."""
    regions = ["us-east-1", "eu-central-1", "af-south-1", "us-gov-west-1"]
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--regions", *regions, "--", str(written)]

    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (answer.stdout, answer.stderr, answer.returncode) == ("", "", 0)


@pytest.mark.skipif(not find_checkov(), reason="checkov is not installed; make test installs it")
def test_checkov_finds_nothing(written: Path) -> None:
    assert checkov_findings([written]) == (set(), set(), 0)


def test_template_is_small_and_the_same_every_time(written: Path) -> None:
    """CloudFormation takes 51,200 bytes as text; StackSets update every instance when a byte changes."""
    text = written.read_text(encoding="utf-8")

    assert len(text.encode()) < MOST_BYTES * 2 // 3
    assert text == template_text(member_template(shipped_patterns().own))
    assert json.loads(text) == TEMPLATE


def test_template_is_one_for_all_regions_and_accounts() -> None:
    """A name would clash with itself: IAM is global."""
    names = {"Name", "RoleName", "QueueName", "EventBusName"}

    assert not [name for name, one in RESOURCES.items() if names & set(one["Properties"])]
    assert ACCOUNT not in json.dumps(TEMPLATE)
    assert OWN_ACCOUNT not in json.dumps(TEMPLATE), "a pattern is no place for Fn::Sub"
    assert {"Ref": "AWS::AccountId"} in _all_refs(RESOURCES)
    assert "Transform" not in TEMPLATE


def _all_refs(node: Any) -> list[Any]:
    if isinstance(node, dict):
        own = [node] if set(node) == {"Ref"} else []
        return [*own, *(one for part in node.values() for one in _all_refs(part))]
    return [one for part in node for one in _all_refs(part)] if isinstance(node, list) else []


def test_role_may_put_events_on_the_central_bus_and_do_nothing_else() -> None:
    """It is in every account: what it may do, it may do everywhere."""
    ((_, role),) = of_type("AWS::IAM::Role").items()
    ((_, policy),) = of_type("AWS::IAM::Policy").items()

    assert policy["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": CENTRAL_BUS}}
    ]
    assert policy["Roles"] == [{"Ref": "ForwardRole"}]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert not {"ManagedPolicyArns", "Policies"} & set(role)


def test_every_rule_forwards_by_the_role_and_keeps_what_fails() -> None:
    """A target of an organisation's bus without a role is refused by AWS; one without dead letters loses in silence."""
    rules = of_type("AWS::Events::Rule")

    assert {name: rule["State"] for name, rule in rules.items()} == {
        one.name: one.state for one in shipped_patterns().own
    }
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Ref": CENTRAL_BUS}
        assert target["RoleArn"] == {"Fn::GetAtt": ["ForwardRole", "Arn"]}
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    ((_, queue),) = of_type("AWS::SQS::Queue").items()
    assert queue["SqsManagedSseEnabled"] is True
    assert "FifoQueue" not in queue
    assert TEMPLATE["Outputs"][DEAD_LETTERS]["Value"] == {"Ref": "DeadLetters"}


def test_dead_letters_take_messages_of_the_stacks_rules_alone() -> None:
    """EventBridge sends for everybody's rules: the rules' own ARNs say whose they are."""
    ((_, policy),) = of_type("AWS::SQS::QueuePolicy").items()

    deny, allow = policy["PolicyDocument"]["Statement"]
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert allow["Condition"] == {
        "ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": [name, "Arn"]} for name in of_type("AWS::Events::Rule")]}
    }


def test_bus_that_is_given_is_the_parameters_default() -> None:
    """Printed from a deployed stack, the template goes where that stack listens."""
    assert "Default" not in TEMPLATE["Parameters"][CENTRAL_BUS]
    assert member_template((), BUS)["Parameters"][CENTRAL_BUS]["Default"] == BUS


def test_two_kinds_of_patterns_say_the_same_of_a_members_account(template_of: Callable[..., dict[str, Any]]) -> None:
    """The central stack's own account is watched as members are."""
    own = {
        name[len("Live") : -8]: one["Properties"]["EventPattern"]
        for name, one in template_of(live=True)["Resources"].items()
        if one["Type"] == "AWS::Events::Rule" and name.startswith(("LiveEvents", "LiveReads"))
    }

    assert own == {name: rule["EventPattern"] for name, rule in of_type("AWS::Events::Rule").items()}
