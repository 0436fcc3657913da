"""The CloudTrail record that a call would leave, made from the call itself: request and answer as botocore saw them.

Names and forms follow CloudTrail's own: members in lower camel case, names of maps as given, an empty answer as null.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from trailbell.cli.local.local_aws import ACCOUNT, REGION


# Lambda's operations carry the date of their API's version in CloudTrail.
# https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
_LAMBDA = {
    "AddPermission": "AddPermission20150331v2",
    "CreateEventSourceMapping": "CreateEventSourceMapping20150331",
    "DeleteEventSourceMapping": "DeleteEventSourceMapping20150331",
    "DeleteFunction": "DeleteFunction20150331",
    "PutFunctionConcurrency": "PutFunctionConcurrency20171031",
    "UpdateEventSourceMapping": "UpdateEventSourceMapping20150331",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
_S3 = {
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
}
_READING = ("Describe", "Get", "List")
# What the embedded AWS answers to a call that it does not know.
_UNKNOWN = {"InvalidAction", "UnknownOperationException", "UnknownOperation", "UnsupportedOperation", "NotImplemented"}
_UNKNOWN_ACTION = "Unknown action"

ADMIN: Mapping[str, Any] = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLEEXAMPLE123:mallory",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/mallory",
    "accountId": ACCOUNT,
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/Admin"}},
}
"""Somebody of the account, by hand."""

_DEPLOYER_ROLE = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
DEPLOYER: Mapping[str, Any] = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLEEXAMPLE456:AWSCloudFormation",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{_DEPLOYER_ROLE}/AWSCloudFormation",
    "accountId": ACCOUNT,
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{_DEPLOYER_ROLE}"}},
    "invokedBy": "cloudformation.amazonaws.com",
}
"""CloudFormation, for the stack's deployer."""


@dataclass
class Recorder:
    """Listens to clients and keeps the records of the calls that change something.

    imitated: calls that the embedded AWS does not know; their records have no answer.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    imitated: list[str] = field(default_factory=list)
    _request: Mapping[str, Any] = field(default_factory=dict)

    def listen(self, client: Any) -> Any:
        """The client, whose calls are recorded from now on."""
        client.meta.events.register("before-parameter-build.*.*", self._asked)
        client.meta.events.register("after-call.*.*", self._answered)
        return client

    def _asked(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        self._request = dict(params)

    def _answered(self, http_response: Any, parsed: Mapping[str, Any], model: Any, **_: object) -> None:
        if model.name.startswith(_READING):
            return
        failed = http_response.status_code >= 300
        if failed and not _is_unknown(parsed.get("Error", {})):
            return
        if failed:
            self.imitated.append(model.name)
        self.records.append(_record(model, self._request, {} if failed else parsed))


def _is_unknown(error: Mapping[str, str]) -> bool:
    return error.get("Code") in _UNKNOWN or error.get("Message", "").startswith(_UNKNOWN_ACTION)


def _record(model: Any, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    service = model.service_model
    s3 = service.service_name == "s3"
    names = _S3 if s3 else _LAMBDA if service.service_name == "lambda" else {}
    asked = _s3_request(request) if s3 else _written(request, model.input_shape)
    answered = None if s3 else _written(answer, model.output_shape)
    return {
        "eventVersion": "1.11",
        "userIdentity": ADMIN,
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": f"{service.metadata['endpointPrefix']}.amazonaws.com",
        "eventName": names.get(model.name, model.name),
        "awsRegion": REGION,
        "sourceIPAddress": "198.51.100.23",
        "userAgent": "aws-cli/2.31.0",
        "requestParameters": asked or None,
        "responseElements": answered or None,
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }


def _s3_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """S3's requests keep the names of their XML."""
    return {"bucketName" if name == "Bucket" else name: value for name, value in request.items()}


def _written(value: Any, shape: Any) -> Any:
    """A value as CloudTrail writes it: bytes are left out, times are texts."""
    if shape is None:
        return None
    if shape.type_name == "structure":
        return {
            _lower(name): _written(member, shape.members[name])
            for name, member in value.items()
            if name in shape.members and shape.members[name].type_name != "blob"
        }
    if shape.type_name == "list":
        return [_written(one, shape.member) for one in value]
    if shape.type_name == "map":
        return {str(name): _written(member, shape.value) for name, member in value.items()}
    return value if isinstance(value, bool | int | float | str) else str(value)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
