"""A fresh AWS (moto, in process) for every test, with the hit table, a topic and hits to put into them."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from trailbell.cloudtrail.origin import Place
from trailbell.facts.actor import Actor
from trailbell.hits.hit import Hit
from trailbell.store.dynamo import decode


REGION = "eu-central-1"
ROLE = "arn:aws:iam::111122223333:role/Deploy"
HIT = Hit(
    account="111122223333",
    event_id="ca7e0000-0000-4000-8000-000000000001",
    rule_id="3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01",
    rule="aws_kms_key_disabled",
    name="kms-key-disabled",
    title="KMS Key Disabled",
    level="high",
    event_time="2026-09-15T10:00:00Z",
    event_source="kms.amazonaws.com",
    event_name="DisableKey",
    region=REGION,
    partition="aws",
    outcome="success",
    actor=Actor(kind="role", text="role Deploy, session ci", key=ROLE, name="role/Deploy"),
    resources=("arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555",),
    place=Place("trail", "AWSLogs/111122223333/CloudTrail/eu-central-1/2026/09/15/a.json.gz", 0),
    seen_at="2026-09-15T10:04:00Z",
)


@pytest.fixture(autouse=True, scope="session")
def _one_request_at_a_time() -> Iterator[None]:
    """DynamoDB answers many at once; moto's tables are dicts that a query must not see change."""
    answer, lock = DynamoHandler.call_action, threading.RLock()

    def call_action(handler: DynamoHandler) -> Any:
        with lock:
            return answer(handler)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DynamoHandler, "call_action", call_action)
        yield


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every AWS client of a test talks to moto; what the developer's shell says about AWS is not heard."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_REGION", REGION)
    # Else botocore asks for streams at a host with the account's number, which moto does not know.
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    # moto's queues show at once what they have, and a second of waiting is a second.
    monkeypatch.setattr("trailbell.ops.dead_letters._POLL_SECONDS", 0)
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
    return boto3.client("dynamodb")


@pytest.fixture
def table(dynamodb: Any) -> str:
    """The hit table, with the keys and the stream that infra/store.py gives it."""
    dynamodb.create_table(
        TableName="hits",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    return "hits"


@pytest.fixture
def read_rows(dynamodb: Any, table: str) -> Callable[[str], list[dict[str, Any]]]:
    """The table's rows of one kind ("" for all)."""

    def read(kind: str) -> list[dict[str, Any]]:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table)
        rows = [decode(item) for page in pages for item in page["Items"]]
        return [row for row in rows if kind in ("", row["kind"])]

    return read


@pytest.fixture
def given_hit() -> Callable[..., Hit]:
    """A hit by its number, which makes its event id; `actor` is an actor's key, all else a member of Hit."""

    def make(number: int = 1, *, actor: str = "", **members: Any) -> Hit:
        hit = replace(HIT, event_id=f"ca7e0000-0000-4000-8000-{number:012d}", **members)
        return replace(hit, actor=replace(hit.actor, key=actor)) if actor else hit

    return make


@pytest.fixture
def topic_arn(aws: None) -> str:
    return str(boto3.client("sns").create_topic(Name="alerts")["TopicArn"])


@pytest.fixture
def subscribe(topic_arn: str) -> Callable[..., Callable[[], list[dict[str, Any]]]]:
    """Subscribe a queue, with a filter policy where one is given; what is returned empties it of its envelopes."""

    def make(**filter_policy: list[str]) -> Callable[[], list[dict[str, Any]]]:
        sqs, sns = boto3.client("sqs"), boto3.client("sns")
        url = sqs.create_queue(QueueName=f"inbox-{len(sqs.list_queues().get('QueueUrls', []))}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes)

        def receive() -> list[dict[str, Any]]:
            envelopes = []
            while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
                for message in messages:
                    envelopes.append(json.loads(message["Body"]))
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return envelopes

        return receive

    return make
