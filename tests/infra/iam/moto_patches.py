"""What moto is taught, so that it enforces identity policies on every call that a function makes.

moto checks a call's action against the caller's policies, and its resource where a service says which resource a
call is about (`_determine_resource`; S3 has a way of its own). Of moto 5.2.5 only IAM, STS and SQS say so. Any other
service takes "*", so that a statement with a narrower resource refuses everything; and SQS takes it for a queue that
a call names without its URL. Each function here reads the resource out of one service's
request, as IAM's own list has it:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

| patched | why |
|---|---|
| `_determine_resource` of DynamoDB, its streams, SNS, EventBridge, SQS, logs, KMS, Security Hub | a call's resource |
| `EventTemplateParser.parse` | moto wants jsonpath-ng for transformers of targets, of which there are none here |
| `AWS_ACCOUNT_ID_ENDPOINT_MODE` | else botocore asks for streams at a host that moto does not know |

Not taught: Condition. moto passes over it; statements.py reads it instead.
"""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.events.responses import EventsHandler
from moto.events.utils import EventTemplateParser
from moto.kms.responses import KmsResponse
from moto.logs.responses import LogsResponse
from moto.securityhub.responses import SecurityHubResponse
from moto.sns.responses import SNSResponse
from moto.sqs.responses import SQSResponse

from tests.infra.iam.account import ACCOUNT, REGION


def _table_of(request: Any) -> str:
    """The one table of a request; of several tables none, which no statement of ours allows."""
    tables = (
        [request.body["TableName"]] if request.body.get("TableName") else list(request.body.get("RequestItems", ()))
    )
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{tables[0]}" if len(tables) == 1 else "*"


def _stream_of(request: Any) -> str:
    arn = request._get_param("StreamArn") or request._get_param("ShardIterator")
    return str(arn).partition("|")[0] if arn else "*"


def _topic_of(request: Any) -> str:
    return str(request.params.get("TopicArn") or request.params.get("TargetArn") or "*")


def _bus_of(request: Any) -> str:
    entries = json.loads(request.body).get("Entries") or [{}]
    return f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entries[0].get('EventBusName', 'default')}"


def _queue_of(request: Any) -> str:
    name = request._get_param("QueueName") or str(request._get_param("QueueUrl")).rpartition("/")[2]
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _log_stream_of(request: Any) -> str:
    group, stream = request._get_param("logGroupName"), request._get_param("logStreamName") or ""
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"


def _key_of(request: Any) -> str:
    return str(request._get_param("KeyId") or "*")


def _hub_of(request: Any) -> str:
    """The one product of the findings that are imported; the hub for all else."""
    products = {finding["ProductArn"] for finding in request._get_param("Findings") or ()}
    return products.pop() if len(products) == 1 else f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default"


_RESOURCE_OF = {
    DynamoHandler: _table_of,
    DynamoDBStreamsHandler: _stream_of,
    SNSResponse: _topic_of,
    EventsHandler: _bus_of,
    SQSResponse: _queue_of,
    LogsResponse: _log_stream_of,
    KmsResponse: _key_of,
    SecurityHubResponse: _hub_of,
}


@contextmanager
def enforcing_aws() -> Iterator[None]:
    """A fresh moto that knows which resource a call is about; the caller's shell is not heard."""
    environment = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        # Else botocore asks for streams at a host with the account's number, which moto does not know.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, environment))
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
            os.environ.pop(name, None)
        for response, find in _RESOURCE_OF.items():
            stack.enter_context(mock.patch.object(response, "_determine_resource", find, create=True))
        # moto wants jsonpath-ng for the transformers of targets, of which there are none here.
        stack.enter_context(mock.patch.object(EventTemplateParser, "parse", lambda *, event, **_: event))
        stack.enter_context(mock_aws())
        yield
