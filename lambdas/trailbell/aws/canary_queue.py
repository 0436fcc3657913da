"""The queue on the alert topic that canaries come back to, and nothing else."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from trailbell.hits.canary import Canary, Returned


_BATCH = 10  # as many as SQS gives at once
_BATCHES = 10  # a run takes no more; the rest waits for the next


class SqsCanaryQueue:
    """Receives with an SQS client."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def receive(self) -> Iterator[Returned]:
        """What has come back. A message that is no canary is deleted: only the topic may send here."""
        for _ in range(_BATCHES):
            answer = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=_BATCH)
            messages = answer.get("Messages", [])
            for message in messages:
                returned = _read(message)
                if returned:
                    yield returned
                else:
                    self._delete(message["ReceiptHandle"])
            if not messages:
                return

    def done(self, returned: Returned) -> None:
        """Delete its message."""
        self._delete(returned.receipt)

    def _delete(self, receipt: str) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=receipt)


def _read(message: Mapping[str, str]) -> Returned | None:
    """SNS's envelope around a canary; None for anything else.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """
    try:
        envelope = json.loads(message["Body"])
        said = json.loads(envelope["Message"])["canary"]
        canary = Canary(said["name"], said["nonce"])
        return Returned(canary, said["eventTime"], envelope["Timestamp"], message["ReceiptHandle"])
    except (ValueError, KeyError, TypeError):
        return None
