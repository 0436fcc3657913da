"""What a call to Systems Manager runs, as facts.document says it."""

from typing import Any

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.facts.document import HARMLESS, NOTHING, DocumentFacts, document_of


OURS, TRUSTED, STRANGER = "111122223333", "444455556666", "777788889999"
ADMIN = f"arn:aws:iam::{OURS}:role/Admin"


def facts(event_name: str = "SendCommand", source: str = "ssm.amazonaws.com", **request: Any) -> DocumentFacts:
    fields = {
        "eventSource": source,
        "eventName": event_name,
        "recipientAccountId": OURS,
        "requestParameters": request,
    }
    return document_of(make_record(fields, 0), frozenset({TRUSTED}))


@pytest.mark.parametrize(
    ("given", "name", "owner"),
    [
        ("AWS-RunShellScript", "AWS-RunShellScript", "aws"),
        ("AWSSupport-ResetAccess", "AWSSupport-ResetAccess", "aws"),
        ("AmazonCloudWatch-ManageAgent", "AmazonCloudWatch-ManageAgent", "aws"),
        ("arn:aws:ssm:us-east-1::document/AWS-RunShellScript", "AWS-RunShellScript", "aws"),
        ("arn:aws-cn:ssm:cn-north-1::automation-definition/AWS-StopEC2Instance:$DEFAULT", "AWS-StopEC2Instance", "aws"),
        ("Acme-Cleanup", "Acme-Cleanup", "own"),
        ("aws-runshellscript", "aws-runshellscript", "own"),
        ("Acme-AWS-RunShellScript", "Acme-AWS-RunShellScript", "own"),
        (f"arn:aws:ssm:us-east-1:{OURS}:document/AWS-UpdateSSMAgent", "AWS-UpdateSSMAgent", "own"),
        (f"arn:aws:ssm:us-east-1:{TRUSTED}:document/Acme-Setup", "Acme-Setup", "own"),
        (f"arn:aws:ssm:us-east-1:{STRANGER}:document/AWS-RunShellScript", "AWS-RunShellScript", "foreign"),
    ],
)
def test_owner_stands_in_the_name_or_the_arn(given: str, name: str, owner: str) -> None:
    """Whoever names a document like one of AWS's would pass for AWS."""
    found = facts(documentName=given)

    assert (found.names, found.owner) == ((name,), owner)


def test_of_several_documents_the_least_known_owner_counts() -> None:
    """A stranger's document in a batch would hide behind one of AWS's."""
    stranger = f"arn:aws:ssm:us-east-1:{STRANGER}:document/Setup"
    entries = [{"name": "AWS-UpdateSSMAgent"}, {"name": stranger}, {"name": "Acme-Cleanup"}]

    assert facts("CreateAssociationBatch", entries=entries).owner == "foreign"
    assert facts("CreateAssociationBatch", entries=entries[::2]).owner == "own"
    assert not facts("CreateAssociationBatch", entries=entries).harmless
    assert facts("CreateAssociationBatch", entries=entries[:1]).harmless


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("CreateAssociation", {"name": "Acme-Cleanup"}),
        ("UpdateAssociation", {"name": "Acme-Cleanup"}),
        ("RegisterTaskWithMaintenanceWindow", {"taskArn": "Acme-Cleanup"}),
        ("UpdateMaintenanceWindowTask", {"taskArn": "Acme-Cleanup"}),
        ("StartAutomationExecution", {"documentName": "Acme-Cleanup"}),
        ("StartSession", {"documentName": "Acme-Cleanup"}),
        ("StartChangeRequestExecution", {"documentName": "T", "runbooks": [{"documentName": "Acme-Cleanup"}]}),
    ],
)
def test_each_operation_names_its_document_in_a_place_of_its_own(operation: str, request_: dict[str, Any]) -> None:
    """The name of a parameter or a window would be taken for a document's, or a document overlooked."""
    assert facts(operation, **request_).names == ("Acme-Cleanup",)


def test_answer_names_the_document_where_an_update_does_not() -> None:
    """Changing a schedule names the association only."""
    fields = {
        "eventSource": "ssm.amazonaws.com",
        "eventName": "UpdateAssociation",
        "recipientAccountId": OURS,
        "requestParameters": {"associationId": "a"},
        "responseElements": {"associationDescription": {"name": "AWS-GatherSoftwareInventory"}},
    }

    assert document_of(make_record(fields, 0), frozenset()).harmless


def test_a_task_that_runs_no_document_has_none() -> None:
    """A function's ARN is no document of anybody's."""
    found = facts("RegisterTaskWithMaintenanceWindow", taskArn=f"arn:aws:lambda:us-east-1:{OURS}:function:f")

    assert (found.names, found.owner, found.harmless) == ((), "", False)
    assert "owner" not in found.as_fields()


def test_harmless_is_a_short_list_with_reasons_compared_with_case() -> None:
    """A list that grows without a reason lets everything through."""
    assert all(facts(documentName=name).harmless for name in HARMLESS)
    assert all(len(reason.split()) > 3 for reason in HARMLESS.values())
    assert not any(facts(documentName=name.lower()).harmless for name in HARMLESS)
    assert not facts(documentName="AWS-RunPatchBaseline").harmless


def test_patching_is_harmless_only_when_the_record_shows_that_it_only_looks() -> None:
    """A baseline from somebody's bucket, or hidden parameters, can install anything."""
    scan: dict[str, Any] = {"documentName": "AWS-RunPatchBaseline", "parameters": {"Operation": ["Scan"]}}
    override = {"Operation": ["Scan"], "BaselineOverride": ["s3://other/list.json"]}

    assert facts("StartAutomationExecution", **scan).harmless
    assert not facts("StartAutomationExecution", **{**scan, "parameters": override}).harmless
    assert not facts("StartAutomationExecution", **{**scan, "parameters": {"Operation": ["Install"]}}).harmless
    assert not facts(**{**scan, "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS"}).harmless


def test_a_role_is_found_wherever_it_is_handed_over() -> None:
    """A runbook may call the parameter for its role anything."""
    start = "StartAutomationExecution"

    assert facts(start, documentName="AWS-CreateImage", parameters={"AutomationAssumeRole": [ADMIN]}).role
    assert facts(start, documentName="Acme", parameters={"RunAs": ADMIN}).role
    assert facts("RegisterTaskWithMaintenanceWindow", taskArn="Acme", serviceRoleArn=ADMIN).role
    assert facts("CreateAssociation", name="Acme", associationDispatchAssumeRole=ADMIN).role
    assert facts("StartChangeRequestExecution", runbooks=[{"documentName": "A", "parameters": {"R": [ADMIN]}}]).role
    assert facts(start, documentName="A", targetLocations=[{"executionRoleName": "Admin"}]).role
    assert not facts(start, documentName="Acme", parameters={"Topic": [f"arn:aws:sns:us-east-1:{OURS}:t"]}).role


def test_the_role_of_run_commands_messages_is_none_to_run_with() -> None:
    """SendCommand's serviceRoleArn publishes to a topic; the command runs as the node's agent."""
    assert not facts(documentName="Acme", serviceRoleArn=ADMIN).role


def test_a_star_is_all_nodes_unless_it_is_a_parameters_value() -> None:
    """All nodes is the difference between high and critical."""
    everything = [{"key": "InstanceIds", "values": ["*"]}]

    assert facts(documentName="Acme", targets=everything).all_targets
    assert facts(documentName="Acme", targets=[{"key": "tag:env", "values": ["*"]}]).all_targets
    assert facts("CreateAssociationBatch", entries=[{"name": "Acme", "targets": everything}]).all_targets
    assert facts("StartAutomationExecution", targetLocations=[{"targets": everything}]).all_targets
    assert not facts(documentName="Acme", targets=[{"key": "ParameterValues", "values": ["*"]}]).all_targets
    assert not facts(documentName="Acme", targets=[{"key": "tag:env", "values": ["prod*"]}]).all_targets


def test_other_calls_run_nothing() -> None:
    """A parameter has a name, too."""
    assert facts("PutParameter", name="AWS-RunShellScript") is NOTHING
    assert facts(source="example.amazonaws.com", documentName="Acme") is NOTHING


@pytest.mark.parametrize("odd", [None, 3, "text", [], {}, [3, None, "x", {"name": 4}], {"a": {"b": [1]}}])
def test_odd_records_give_facts_and_no_error(odd: Any) -> None:
    """Text from log files is hostile data."""
    members = ("name", "documentName", "entries", "runbooks", "taskArn", "targets", "targetLocations", "parameters")
    request = dict.fromkeys(members, odd)

    for operation in ("SendCommand", "CreateAssociationBatch", "StartChangeRequestExecution", "UpdateAssociation"):
        found = facts(operation, **request)
        assert (found.harmless, found.role, found.all_targets) == (False, False, False)
        fields = {"eventSource": "ssm.amazonaws.com", "eventName": operation, "requestParameters": odd}
        assert document_of(make_record(fields, 0), frozenset()).names == ()
