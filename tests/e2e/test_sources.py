"""The other ways in, each deployed and alerted: a topic of S3's or CloudTrail's own notifications, and EventBridge."""

import gzip
import json
import uuid
from typing import Any

import pytest

from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK, deploy
from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.local_aws import LocalAws
from trailbell.ops.deployed_stack import DeployedStack
from trailbell.rulebook.cases import BASE_RECORD


pytestmark = pytest.mark.e2e
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/a.json.gz"


def given_log_file(aws: LocalAws) -> str:
    """Put a log file of one hit into the trail bucket; the hit's event id."""
    record = {
        **BASE_RECORD,
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "eventID": str(uuid.uuid4()),
    }
    body = gzip.compress(json.dumps({"Records": [record]}).encode())
    aws.client("s3").put_object(Bucket=TRAIL_BUCKET, Key=KEY, Body=body)
    return str(record["eventID"])


def notified(aws: LocalAws, inbox: Inbox) -> list[str]:
    """The event ids of the alerts that come."""
    alerts: list[dict[str, Any]] = []
    for _ in range(20):
        alerts += inbox.receive(1)
        if alerts:
            break
    return [hit["eventID"] for alert in alerts for hit in alert["hits"]]


def test_every_other_way_in_alerts_and_a_changed_setting_moves_from_one_to_the_next(aws: LocalAws) -> None:
    """What is proven here is that the parts fit; the envelopes themselves have tests of their own."""
    sns, s3 = aws.client("sns"), aws.client("s3")
    topic = sns.create_topic(Name="trail")["TopicArn"]

    deploy(aws, TRAIL_BUCKET, trail_topic_arn=topic, quiet_minutes="0")
    inbox = Inbox(aws, DeployedStack(aws.client, STACK).output("AlertTopic"))
    by_cloudtrail = given_log_file(aws)
    sns.publish(TopicArn=topic, Message=json.dumps({"s3Bucket": TRAIL_BUCKET, "s3ObjectKey": [KEY]}))
    assert notified(aws, inbox) == [by_cloudtrail]

    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=_for_s3(topic))
    notifications = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=TRAIL_BUCKET, NotificationConfiguration=notifications)
    by_s3 = given_log_file(aws)
    assert notified(aws, inbox) == [by_s3]

    deploy(aws, TRAIL_BUCKET, eventbridge="true", quiet_minutes="0")
    eventbridge: dict[str, Any] = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=TRAIL_BUCKET, NotificationConfiguration=eventbridge)
    by_eventbridge = given_log_file(aws)
    assert notified(aws, inbox) == [by_eventbridge]


def _for_s3(topic: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
