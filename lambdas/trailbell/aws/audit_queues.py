"""Where the audit's work is sent: digests to be taken up later, and log files to be read again.

The message of a log file looks like S3's own, and says beside that it is a repair (cloudtrail/notification.py).
"""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote_plus


_BATCH = 50  # log files of one message: a message is read by one invocation of the detector


class SqsAuditQueues:
    """Sends with an SQS client. audit, ingest: URLs of the two queues; "" for one that nobody sends to here."""

    def __init__(self, client: Any, audit: str, ingest: str = "") -> None:
        self._client, self._audit, self._ingest = client, audit, ingest

    def take_up(self, bucket: str, key: str, tries: int, seconds: int) -> None:
        """Have a digest audited after some seconds. Raises what botocore raises."""
        body = json.dumps({"bucket": bucket, "key": key, "tries": tries})
        self._client.send_message(QueueUrl=self._audit, MessageBody=body, DelaySeconds=seconds)

    def digests_wait(self) -> bool:
        """Whether digests wait that could be audited now, not delayed ones. Raises what botocore raises."""
        answer = self._client.get_queue_attributes(QueueUrl=self._audit, AttributeNames=list(_WAITING))
        return any(int(answer["Attributes"].get(name) or 0) for name in _WAITING)

    def repair(self, bucket: str, keys: Sequence[str]) -> None:
        """Have log files read. Raises what botocore raises."""
        for at in range(0, len(keys), _BATCH):
            body = json.dumps({"Records": [_created(bucket, key) for key in keys[at : at + _BATCH]], **_REPAIR})
            self._client.send_message(QueueUrl=self._ingest, MessageBody=body)


_WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
_REPAIR = {"trailbell": {"repair": True}}


def _created(bucket: str, key: str) -> dict[str, Any]:
    return {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": bucket}, "object": {"key": quote_plus(key, safe="/")}},
    }
