"""The easy path: calls named in the settings become rules, which know less than those that ship and let them speak."""

from pathlib import Path

import pytest

from tests.shipped import shipped_rules
from tests.unit.log_files import examined, log_file
from trailbell.engine.rulebook import Rulebook, dump_rulebook, load_rulebook
from trailbell.hits.detect import HitDetector
from trailbell.rulebook.alert_on import alert_on_rules, read_alert_on
from trailbell.rulebook.cases import BASE_RECORD


RULES = Path(__file__).resolve().parents[2] / "rules"


@pytest.mark.parametrize(
    "raw", ["ec2:TerminateInstances, kms:DisableKey", ["ec2:TerminateInstances", "kms:DisableKey"]]
)
def test_entries_come_as_list_or_text(raw: object) -> None:
    """The command line gives text."""
    assert read_alert_on(raw) == ("ec2:TerminateInstances", "kms:DisableKey")


@pytest.mark.parametrize("raw", [["DisableKey"], ["kms:*"], ["kms.amazonaws.com"], [5], {"kms": "DisableKey"}, "a b:c"])
def test_what_names_no_call_is_refused(raw: object) -> None:
    """An entry that can never match is a call nobody is told of."""
    with pytest.raises(ValueError, match="service:EventName"):
        read_alert_on(raw)


@pytest.mark.parametrize(
    ("entry", "instead"),
    [
        pytest.param("kms:DisabledKey", "the nearest is DisableKey", id="misspelt"),
        pytest.param("kms:Frobnicate", "kms has no call Frobnicate", id="nothing-like-it"),
        pytest.param("kms.amazonaws.com:DisableKey", "write kms:DisableKey", id="event-source"),
        pytest.param("cloudhsmv2:DeleteBackup", "write cloudhsm:DeleteBackup", id="name-of-the-command-line"),
        pytest.param("cloudwatch:DeleteAlarms", "monitoring.amazonaws.com has DeleteAlarms", id="name-of-the-sdk"),
        pytest.param("stepfunctions:DeleteStateMachine", "write states:DeleteStateMachine", id="another-prefix"),
        pytest.param("kmss:DisableKey", "write kms:DisableKey", id="misspelt-service"),
        pytest.param("nosuchthing:DisableKey", "not how records name a service", id="no-service"),
        pytest.param("ec2:TerminateInstance", "the nearest is TerminateInstances", id="singular"),
        pytest.param("cloudtrail:StopLoging", "the nearest is StopLogging", id="letter-lost"),
    ],
)
def test_call_that_no_record_names_is_refused_with_the_nearest(entry: str, instead: str) -> None:
    """Such an entry waited for months for what could not come."""
    with pytest.raises(ValueError, match="calls that CloudTrail records") as refused:
        read_alert_on(["kms:DisableKey", entry])

    assert f"{entry}: " in str(refused.value)
    assert instead in str(refused.value)
    assert "kms:DisableKey: " not in str(refused.value).replace("write kms:DisableKey", "")


@pytest.mark.parametrize(
    "entry",
    [
        *("kms:DeleteKey", "kms:RotateKey", "kms:SynchronizeMultiRegionKey", "kms:disablekey", "signin:ConsoleLogin"),
        *("lambda:UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode", "s3:PutBucketPublicAccessBlock"),
        *("monitoring:DeleteAlarms", "cloudhsm:DeleteBackup", "ssm:UpdateInstanceInformation", "states:StartExecution"),
        *("ssm-contacts:DeleteContact", "iotfleethub:CreateApplication", "elasticfilesystem:DeleteFileSystem"),
        *("ram:CreateResourceShare", "rds:DeleteDBInstance", "ec2:SharedSnapshotVolumeCreated"),
    ],
)
def test_call_that_records_name_is_taken(entry: str) -> None:
    """Events of services by themselves, versioned names and old services are in no model, and still come."""
    assert read_alert_on([entry]) == (entry,)


def test_cloudhsm_is_found_under_both_its_sources() -> None:
    """Its documentation and its API model name different ones."""
    (rule,) = alert_on_rules(["cloudhsm:DeleteBackup"])

    assert rule.gate["eventSource"] == ("cloudhsm.amazonaws.com", "cloudhsmv2.amazonaws.com")


def test_named_call_makes_a_hit_when_it_succeeded() -> None:
    """And only then; its id is the same in every deployment."""
    rules = load_rulebook(dump_rulebook(Rulebook(alert_on_rules(["ec2:TerminateInstances"])))).rules
    call = {**BASE_RECORD, "eventSource": "ec2.amazonaws.com", "eventName": "TerminateInstances"}
    records = [call, {**call, "errorCode": "Client.UnauthorizedOperation"}, {**call, "eventName": "RunInstances"}]

    (hit,), _ = examined(HitDetector(Rulebook(rules)), log_file(*records))

    assert (hit.name, hit.level, hit.place.index) == ("alert-on-ec2-terminateinstances", "high", 0)
    assert rules[0].rule_id == alert_on_rules(["ec2:TerminateInstances"])[0].rule_id


def test_rule_that_knows_more_speaks_first() -> None:
    """kms:DisableKey in the settings must not take the undo out of the mail."""
    rules = (*shipped_rules(), *alert_on_rules(["kms:DisableKey"]))
    record = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}

    (hit,), _ = examined(HitDetector(Rulebook(rules)), log_file(record))

    assert (hit.name, hit.also) == ("kms-key-disabled", ("alert-on-kms-disablekey",))


def test_a_service_is_meant_under_both_its_event_sources() -> None:
    """AWS's guides and its API model name CloudHSM differently; an entry for one of them alone could never match."""
    (rule,) = alert_on_rules(["cloudhsm:DeleteBackup"])

    assert rule.gate["eventSource"] == ("cloudhsm.amazonaws.com", "cloudhsmv2.amazonaws.com")
