"""Messages of a dead-letter queue: taken to be looked at, and shown again to others."""

from collections.abc import Iterator, Mapping
from typing import Any


BATCH = 10

_POLL_SECONDS = 1  # a poll that does not wait asks some of a queue's servers only, and may miss messages
_LOOK_SECONDS = 30  # long enough to see each message once, short enough should we die before giving them back

Message = Mapping[str, Any]


def batches(sqs: Any, url: str, hidden_seconds: int) -> Iterator[list[Message]]:
    """Messages, up to ten at a time, until the queue gives no more; each hidden from others for so long."""
    while messages := sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=BATCH,
        VisibilityTimeout=hidden_seconds,
        WaitTimeSeconds=_POLL_SECONDS,
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


def look(sqs: Any, url: str, limit: int) -> list[Message]:
    """The first messages of a queue, hidden from others for a moment and visible again when this returns."""
    seen = dict[str, Message]()
    try:
        for batch in batches(sqs, url, _LOOK_SECONDS):
            again = any(message["MessageId"] in seen for message in batch)
            seen.update((message["MessageId"], message) for message in batch)
            if again or len(seen) >= limit:
                break
    finally:
        for message in seen.values():
            show_again(sqs, url, message)
    return list(seen.values())[:limit]
