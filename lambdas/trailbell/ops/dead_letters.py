"""Messages of a dead-letter queue: taken to be looked at, and shown again to others."""

from collections.abc import Iterator, Mapping
from typing import Any


BATCH = 10

Message = Mapping[str, Any]


def batches(sqs: Any, url: str, hidden_seconds: int) -> Iterator[list[Message]]:
    """Messages, up to ten at a time, until the queue gives no more; each hidden from others for so long."""
    while messages := sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=hidden_seconds,
        WaitTimeSeconds=1,
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    ).get("Messages"):
        yield messages


def show_again(sqs: Any, url: str, message: Message) -> None:
    """Let others see a message that was taken."""
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)


def delete(sqs: Any, url: str, message: Message) -> None:
    """Delete a message: what it asked for is done."""
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
