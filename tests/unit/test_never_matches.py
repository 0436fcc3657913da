"""A rule that can never match is said to be one, with what to write instead; one that may match is left in peace."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.session import get_session

from trailbell.errors import RuleError
from trailbell.rulebook import known_calls
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.cases import CASE_SETTINGS
from trailbell.rulebook.known_calls import fault_of_call, fault_of_source
from trailbell.rulebook.load import load_rules
from trailbell.rulebook.never_matches import faults_of_rules
from trailbell.rulebook.record_fields import fault_of_field


ROOT = Path(__file__).resolve().parents[2]
SIGMAHQ = ROOT.parent / "shared" / "data" / "sigmahq"
KMS = "kms.amazonaws.com"


def faults(folder: Path, condition: str = "s", **selections: Any) -> tuple[str, ...]:
    rule = {
        "title": "Test",
        "id": "00000000-0000-4000-8000-000000000001",
        "logsource": {"product": "aws", "service": "cloudtrail"},
        "detection": {**selections, "condition": condition},
        "level": "low",
    }
    (folder / "aws_x.yml").write_text(yaml.safe_dump(rule, sort_keys=False), encoding="utf-8")
    found = load_rules(folder, CASE_SETTINGS)
    assert found.errors == ()
    return faults_of_rules(folder, found.rules)


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        pytest.param(
            {"event.action": "DisableKey"},
            "event.action is no member of a CloudTrail record, write eventName",
            id="ecs",
        ),
        pytest.param({"event.provider": KMS}, "write eventSource", id="ecs-provider"),
        pytest.param({"$.eventName": "DisableKey"}, "write eventName", id="json-path"),
        pytest.param({"detail.eventName": "DisableKey"}, "write eventName", id="eventbridge"),
        pytest.param({"Records.eventName": "DisableKey"}, "write eventName", id="log-file"),
        pytest.param({"resources{}.ARN|contains": "key/"}, "write resources.ARN", id="splunk"),
        pytest.param({"eventname": "DisableKey"}, "write eventName", id="case"),
        pytest.param({"requestParameter.keyId": "x"}, "write requestParameters.keyId", id="misspelt"),
        pytest.param({"request_parameters.keyId": "x"}, "write requestParameters.keyId", id="underscore"),
        pytest.param({"userIdentity.username": "bob"}, "write userIdentity.userName", id="identity"),
        pytest.param({"useridentity.ARN|contains": "bob"}, "write userIdentity.arn", id="identity-in-another-case"),
        pytest.param({"status": "success"}, "status is no member of a CloudTrail record", id="unlike-any"),
        pytest.param({"eventSource": KMS, "eventName": "DisabledKey"}, "the nearest is DisableKey", id="call"),
        pytest.param(
            {"eventSource": KMS, "eventName": ["DisabledKey", "EnabledKey"]}, "the nearest is EnableKey", id="calls"
        ),
        pytest.param({"eventName": "kms:DisableKey"}, "the service stands in eventSource alone", id="action"),
        pytest.param({"eventSource": "kms"}, f"write {KMS}", id="service"),
        pytest.param({"eventSource": "kms.amazon.com"}, f"write {KMS}", id="another-host"),
        pytest.param({"eventSource": "stepfunctions.amazonaws.com"}, "write states.amazonaws.com", id="sdk-name"),
        pytest.param(
            {"eventSource": "route53.amazonaws.com", "eventName": "TransferDomainToAnotherAwsAccount"},
            "route53domains.amazonaws.com has TransferDomainToAnotherAwsAccount",
            id="neighbour",
        ),
        pytest.param({"userIdentity.arn": "alice"}, "userIdentity.arn is an ARN", id="arn-is-a-name"),
        pytest.param({"userIdentity.arn|startswith": "user/"}, "write |contains", id="arn-begins-with-a-name"),
        pytest.param(
            {"userIdentity.arn|fieldref": "requestParameters.userName"},
            "one is an ARN, the other a name",
            id="arn-and-name",
        ),
        pytest.param(
            {"requestParameters.roleName|fieldref": "userIdentity.sessionContext.sessionIssuer.arn"},
            "one is an ARN, the other a name",
            id="name-and-arn",
        ),
        pytest.param({"userIdentity.arn|fieldref": "user.arn"}, "user.arn is no member", id="field-compared-with"),
        pytest.param(
            {"userIdentity.arn|contains": "responseElements.accessKey.userName"},
            "compared with the words 'responseElements.accesskey.username'",
            id="path-as-text",
        ),
    ],
)
def test_what_no_record_has_is_told_with_file_line_and_what_is_right(
    selection: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """Silence would be taken for nothing having happened."""
    said = faults(tmp_path, s=selection)

    assert any(sentence in one for one in said), said
    assert all(one.endswith("; this rule can never match") for one in said)
    assert all(f"{tmp_path / 'aws_x.yml'}:" in one and ": x: " in one for one in said)


@pytest.mark.parametrize(
    ("condition", "selections"),
    [
        pytest.param(
            "s and not f",
            {"s": {"eventName": "x"}, "f": {"userIdentity.arn|fieldref": "requestParameters.userName"}},
            id="filter",
        ),
        pytest.param("s or f", {"s": {"eventName": "x"}, "f": {"event.action": "x"}}, id="alternative"),
        pytest.param("s", {"s": {"eventSource": KMS, "eventName": ["DisableKey", "DisabledKey"]}}, id="one-of-a-list"),
        pytest.param("s", {"s": {"eventName": "x", "event.action": None}}, id="always-absent"),
    ],
)
def test_part_without_effect_is_told_from_a_lost_rule(
    condition: str, selections: dict[str, Any], tmp_path: Path
) -> None:
    """A filter that never filters makes noise, a rule that never matches makes none."""
    (said,) = faults(tmp_path, condition, **selections)

    assert said.endswith("; a part of this rule never has an effect")


def test_line_is_that_of_the_detection(tmp_path: Path) -> None:
    """`status` is also a field of the rule itself."""
    text = (
        "title: Status\nid: 00000000-0000-4000-8000-000000000001\nstatus: test\n"
        "logsource: {product: aws, service: cloudtrail}\n"
        "detection:\n    s:\n        eventName: x\n        status: success\n    condition: s\n"
    )
    (tmp_path / "a.yml").write_text(text, encoding="utf-8")

    (said,) = faults_of_rules(tmp_path, load_rules(tmp_path, {}).rules)

    assert said.startswith(f"{tmp_path / 'a.yml'}:8: a: status")


@pytest.mark.parametrize(
    "selection",
    [
        pytest.param(
            {"eventSource": KMS, "eventName": ["DeleteKey", "RotateKey", "SynchronizeMultiRegionKey"]}, id="events"
        ),
        pytest.param({"eventSource": "signin.amazonaws.com", "eventName": "ConsoleLogin"}, id="sign-in"),
        pytest.param(
            {"eventSource": "lambda.amazonaws.com", "eventName": "UpdateFunctionCode20150331v2"}, id="version"
        ),
        pytest.param({"eventSource": "s3.amazonaws.com", "eventName": "PutBucketPublicAccessBlock"}, id="s3"),
        pytest.param({"eventSource": "ec2.amazonaws.com", "eventName": "SharedSnapshotCopyInitiated"}, id="of-no-api"),
        pytest.param(
            {"eventSource": ["cloudhsm.amazonaws.com", "cloudhsmv2.amazonaws.com"], "eventName": "DeleteHsm"}, id="hsm"
        ),
        pytest.param({"eventName|startswith": "Delete", "eventSource|endswith": ".amazonaws.com"}, id="patterns"),
        pytest.param({"userIdentity.sessionContext.sessionIssuer.userName": "x", "facts.direct": True}, id="identity"),
        pytest.param({"requestParameters.anything.at.all": "a.b", "responseElements|contains": "x.y"}, id="deep"),
        pytest.param({"userIdentity.arn|contains": "role/Admin", "resources.ARN": "arn:aws:s3:::x"}, id="arns"),
        pytest.param({"userIdentity.arn|fieldref": "requestParameters.resourceArn"}, id="two-arns"),
        pytest.param({"requestParameters.policy|fieldref": "userIdentity.arn"}, id="whatever-it-holds"),
        pytest.param({"addendum.reason": "UPDATED_DATA", "insightDetails.state": "Start"}, id="rare-members"),
        pytest.param(["ScheduleKeyDeletion"], id="keywords"),
    ],
)
def test_what_may_match_is_not_told(selection: Any, tmp_path: Path) -> None:
    """A warning for what is right would hide those that matter."""
    assert faults(tmp_path, s=selection) == ()


def test_shipped_rules_can_all_match() -> None:
    """Synth refuses them otherwise."""
    assert faults_of_rules(ROOT / "rules", load_rules(ROOT / "rules", CASE_SETTINGS).rules) == ()


def test_synth_refuses_a_rule_and_an_exception_that_never_match(tmp_path: Path) -> None:
    """With file and line, before anything is deployed."""
    rules, exceptions = tmp_path / "rules", tmp_path / "exceptions"
    rules.mkdir()
    exceptions.mkdir()
    faults(rules, s={"eventSource": KMS, "eventName": "DisabledKey"})
    (exceptions / "mine.yml").write_text(
        "title: Mine\nlogsource: {product: aws, service: cloudtrail}\nowner: me\nreason: test\nexpires: 2099-01-01\n"
        "filter: {rules: [x], s: {userIdentity.username: bob}, condition: not s}\n",
        encoding="utf-8",
    )
    with pytest.raises(RuleError) as refused:
        build_rulebook(rules, exceptions, CASE_SETTINGS, date(2026, 11, 29))

    first, second = str(refused.value).splitlines()
    assert "aws_x.yml:" in first
    assert "the nearest is DisableKey" in first
    assert second.startswith("exception mine: userIdentity.username is no member of a CloudTrail record")


@pytest.mark.skipif(not SIGMAHQ.is_dir(), reason="shared data is not on this machine")
def test_public_rules_that_never_match_are_found() -> None:
    """Those that compare an ARN with a name or a path with words, and those of calls and fields that do not exist."""
    said = faults_of_rules(SIGMAHQ, load_rules(SIGMAHQ, {}).rules)

    assert {Path(one.partition(":")[0]).stem for one in said} == {
        "aws_delete_saml_provider",
        "aws_elasticache_security_group_modified_or_deleted",
        "aws_iam_backdoor_users_keys",
        "aws_route_53_domain_transferred_lock_disabled",
        "aws_route_53_domain_transferred_to_another_account",
        "aws_s3_data_management_tampering",
        "aws_update_login_profile",
    }


@pytest.mark.parametrize("service", ["cloudtrail", "ec2", "iam", "kms", "monitoring", "s3"])
def test_names_of_calls_are_those_of_the_sdk(service: str) -> None:
    """The models are read past botocore, which would take seconds for them."""
    model = get_session().get_service_model("cloudwatch" if service == "monitoring" else service)

    assert set(model.operation_names) <= known_calls._calls(service)


def test_every_service_of_the_sdk_has_an_event_source() -> None:
    """A service whose model is not understood would count as unknown."""
    named = set().union(*known_calls._services().values())

    assert named >= set(get_session().get_available_services()) - {"cloudhsmv2"}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("kms.amazonaws.com", ""),
        ("signin.amazonaws.com", ""),
        ("iotfleethub.amazonaws.com", ""),
        (
            "efs.amazonaws.com",
            "efs.amazonaws.com is no event source of CloudTrail; write elasticfilesystem.amazonaws.com",
        ),
        ("zzzzzzzz.amazonaws.com", "zzzzzzzz.amazonaws.com is no event source of CloudTrail"),
    ],
)
def test_event_sources_are_known(source: str, fault: str) -> None:
    """Their names are not those of the command line."""
    assert fault_of_source(source) == fault


def test_nothing_is_said_of_calls_beside_no_known_service() -> None:
    """A rule without an event source may mean any service."""
    assert fault_of_call([], "DisabledKey") == ""
    assert fault_of_call(["zzzzzzzz"], "DisabledKey") == ""
    assert fault_of_field("facts.outcome") == ""
