"""A record's resources are found where CloudTrail put them, and made into ARNs where it did not."""

from typing import Any

import pytest

from trailbell.cloudtrail.record import make_record
from trailbell.facts.resources import MAX_RESOURCES, resources_of


KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
P = "arn:aws:{}:us-east-1:111122223333:{}"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({"resources": [{"ARN": KEY_ARN}, {"ARN": KEY_ARN}]}, [KEY_ARN], id="listed-once"),
        pytest.param(
            {"resources": [{"ARN": KEY_ARN}], "requestParameters": {"keyId": "alias/x"}}, [KEY_ARN], id="listed-wins"
        ),
        pytest.param({"resources": [], "responseElements": {"keyId": KEY_ARN}}, [KEY_ARN], id="response"),
        pytest.param({"requestParameters": {"keyId": "1234abcd"}}, [KEY_ARN], id="bare-id"),
        pytest.param({"requestParameters": {"keyId": "alias/x"}}, [P.format("kms", "alias/x")], id="alias"),
        pytest.param({"requestParameters": {"keyId": KEY_ARN}}, [KEY_ARN], id="arn"),
        pytest.param({"requestParameters": {"customKeyStoreId": "cks-1"}}, ["cks-1"], id="key-store"),
        pytest.param({"serviceEventDetails": {"keyId": KEY_ARN}}, [KEY_ARN], id="service-event"),
        pytest.param(
            {
                "requestParameters": None,
                "errorMessage": f"User: x is not authorized to perform: kms:DisableKey on resource: {KEY_ARN} because",
            },
            [KEY_ARN],
            id="denied",
        ),
        pytest.param({"resources": "odd", "requestParameters": [1]}, [], id="odd"),
    ],
)
def test_kms_resources(fields: dict[str, Any], expected: list[str]) -> None:
    """A mail that cannot name the key cannot be acted on."""
    base = {"eventSource": "kms.amazonaws.com", "awsRegion": "us-east-1", "recipientAccountId": "111122223333"}

    assert list(resources_of(make_record({**base, **fields}, 0))) == expected


@pytest.mark.parametrize(
    ("source", "name", "request_parameters", "expected"),
    [
        ("cloudhsm", "DeleteBackup", {"backupId": "backup-1"}, [P.format("cloudhsm", "backup/backup-1")]),
        (
            "cloudhsm",
            "DeleteHsm",
            {"clusterId": "c-1", "hsmId": "hsm-1"},
            [P.format("cloudhsm", "cluster/c-1"), "hsm-1"],
        ),
        ("ssm", "DeleteDocument", {"name": "run"}, [P.format("ssm", "document/run")]),
        ("ssm", "DeleteParameter", {"name": "/prod/db"}, [P.format("ssm", "parameter/prod/db")]),
        (
            "ssm",
            "DeleteParameters",
            {"names": ["a", "b"]},
            [P.format("ssm", "parameter/a"), P.format("ssm", "parameter/b")],
        ),
        (
            "ssm",
            "SendCommand",
            {"documentName": "AWS-RunShellScript", "instanceIds": ["i-1", "mi-2"]},
            [
                P.format("ec2", "instance/i-1"),
                P.format("ssm", "managed-instance/mi-2"),
                "arn:aws:ssm:us-east-1::document/AWS-RunShellScript",
            ],
        ),
        ("iotfleethub", "DeleteApplication", {"applicationId": "app"}, [P.format("iotfleethub", "application/app")]),
        ("cloudtrail", "StopLogging", {"name": "main"}, [P.format("cloudtrail", "trail/main")]),
        (
            "cloudtrail",
            "StopLogging",
            {"name": P.format("cloudtrail", "trail/main")},
            [P.format("cloudtrail", "trail/main")],
        ),
        ("ec2", "StopInstances", {"functionName": "f"}, []),
    ],
)
def test_ids_in_requests_become_arns(
    source: str, name: str, request_parameters: dict[str, Any], expected: list[str]
) -> None:
    """CloudHSM and the trail never list resources; SSM often does not."""
    fields = {
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "recipientAccountId": "111122223333",
        "requestParameters": request_parameters,
    }

    assert list(resources_of(make_record(fields, 0))) == expected


def test_resources_are_bounded() -> None:
    """A hostile record must not make a row that DynamoDB refuses."""
    many = {"resources": [{"ARN": f"arn:{number}"} for number in range(1000)]}

    assert len(resources_of(make_record(many, 0))) == MAX_RESOURCES
