"""An inbox: a queue subscribed to the alert topic, as any other subscriber would be."""

import json
from collections.abc import Iterator
from typing import Any

from trailbell.cli.local.local_aws import LocalAws


class Inbox:
    """Receives the alerts that are published from now on."""

    def __init__(self, aws: LocalAws, topic_arn: str) -> None:
        self._sqs = aws.client("sqs")
        self._url = self._sqs.create_queue(QueueName="trailbell-inbox")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        aws.client("sns").subscribe(
            TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
        )

    def receive(self, seconds: int) -> Iterator[dict[str, Any]]:
        """The alerts (alerts/alert.py, `alert_document`) that come within some seconds, each once; no canaries."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds)
        for message in answer.get("Messages", ()):
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            document = json.loads(message["Body"])
            if "canary" not in document:
                yield document
