"""Who is behind a call: nobody hides behind a service, and what AWS does by itself wakes nobody."""

from typing import Any

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.facts.direct import is_deployment, is_direct, possibly_direct
from trailbell.facts.facts import facts_of


ROLE = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::111122223333:assumed-role/Automation/run",
    "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/Automation"}},
}
EXECUTORS = (
    *("states", "scheduler", "events", "pipes", "apigateway", "ssm", "config", "codepipeline", "codebuild", "fis"),
    *("lambda", "appsync", "bedrock", "cloudformation", "cloudcontrolapi", "servicecatalog", "iot", "batch", "glue"),
    *("ssm-quicksetup", "ssm-incidents", "imagebuilder", "signin", "console", "a-service-of-tomorrow"),
)


def call(service: str, name: str = "ScheduleKeyDeletion", **identity: Any) -> dict[str, Any]:
    """A call to KMS that a service carried out, by default with a role of the customer's."""
    invoked = {"invokedBy": service} if service else {}
    return {
        "eventType": "AwsApiCall",
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "userIdentity": {**ROLE, **invoked, **identity},
    }


@pytest.mark.parametrize("service", EXECUTORS)
@pytest.mark.parametrize("suffix", ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"])
@pytest.mark.parametrize("name", ["ScheduleKeyDeletion", "CreateGrant", "Decrypt"])
def test_a_service_with_the_customers_role_hides_nobody(service: str, suffix: str, name: str) -> None:
    """One state machine that may do everything would be the way around all rules."""
    assert is_direct(call(f"{service}.{suffix}", name))


@pytest.mark.parametrize("service", ["s3", "ec2", "rds", "dynamodb", "secretsmanager", "autoscaling", "sqs", "backup"])
@pytest.mark.parametrize("kind", ["AssumedRole", "IAMUser", "Root"])
def test_a_store_that_encrypts_acts_for_itself(service: str, kind: str) -> None:
    """Each object that somebody stores would be a call to KMS that he made."""
    host = f"{service}.amazonaws.com"

    assert not is_direct(call(host, "Decrypt", type=kind))
    assert not is_direct(call(host, "CreateGrant", type=kind))
    assert is_direct(call(host, "ScheduleKeyDeletion", type=kind))
    assert is_direct(call(host, "PutKeyPolicy", type=kind))
    assert is_direct({**call(host, "Decrypt", type=kind), "eventSource": "ssm.amazonaws.com"})


def test_aws_internal_is_a_store_where_it_encrypts_and_a_tool_where_it_does_not() -> None:
    """CloudTrail writes it for services without a name of their own, and for parts of the console."""
    assert not is_direct(call("AWS Internal", "Decrypt"))
    assert not is_direct(call("AWS Internal/3", "GenerateDataKey"))
    assert is_direct(call("AWS Internal", "DisableKey"))


def test_service_linked_roles_are_known_by_their_path() -> None:
    """Nobody else can put a role there; the name alone anybody can take."""
    linked = "arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"
    session = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForAmazonSSM/ssm"
    taken = "arn:aws:iam::111122223333:role/AWSServiceRoleForAmazonSSM"

    assert not is_direct(call("", arn=session, sessionContext={"sessionIssuer": {"arn": linked}}))
    assert not is_direct(call("", arn=session, sessionContext={"sessionIssuer": {}}))
    assert is_direct(call("", arn=session, sessionContext={"sessionIssuer": {"arn": taken}}))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (call("states.amazonaws.com", type="AWSService"), False),
        ({**call(""), "eventType": "AwsServiceEvent"}, False),
        ({"eventType": "AwsApiCall", "userIdentity": {"accountId": "1", "invokedBy": "AWS Internal"}}, False),
        ({"userIdentity": {}}, True),
        ({}, True),
    ],
)
def test_a_service_in_its_own_name_is_not_direct(fields: dict[str, Any], expected: bool) -> None:
    """There is no caller."""
    assert is_direct(fields) is expected


@pytest.mark.parametrize("kind", ["Root", "IAMUser", "AssumedRole", "AWSService", "FederatedUser", "Tomorrow", ""])
@pytest.mark.parametrize("service", ["", "s3.amazonaws.com", "states.amazonaws.com", "AWS Internal"])
@pytest.mark.parametrize("event_type", ["AwsApiCall", "AwsServiceEvent"])
@pytest.mark.parametrize("name", ["Decrypt", "DisableKey"])
def test_prefilter_takes_what_is_for_possible(kind: str, service: str, event_type: str, name: str) -> None:
    """What it rules out is never looked at."""
    issuer = "arn:aws:iam::1:role/aws-service-role/a/AWSServiceRoleForA"
    for session in ({}, {"sessionIssuer": {"arn": issuer}}):
        fields = {**call(service, name, type=kind, sessionContext=session), "eventType": event_type}
        assert is_direct(fields) in possibly_direct(event_type, kind, service)


def test_rules_see_the_service_in_between() -> None:
    """A rule may treat a stack's work otherwise than a person's."""
    fields = facts_of(make_record(call("cloudformation.amazonaws.com"), 0)).as_fields()

    assert fields["actor"]["via"] == "cloudformation.amazonaws.com"
    assert is_deployment(fields["actor"]["via"])
    assert not is_deployment("states.amazonaws.com")
    assert not is_deployment("")
