"""The ingest queue, which the detector reads, written to by a replay."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from trailbell.errors import NotificationError


BATCH = 10
"""Messages of one request. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""

_ATTEMPTS = 6
_FIRST_PAUSE = 0.2  # seconds, doubled each time


class SqsIngestQueue:
    """Sends messages with an SQS client."""

    def __init__(self, client: Any, url: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client, self._url, self._pause = client, url, pause

    def send(self, bodies: Sequence[str]) -> None:
        """Send at most BATCH messages. Raises NotificationError when some are refused to the end: any may be there."""
        waiting = {str(number): body for number, body in enumerate(bodies)}
        for attempt in range(_ATTEMPTS):
            entries = [{"Id": number, "MessageBody": body} for number, body in waiting.items()]
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused = {entry["Id"]: entry for entry in answer.get("Failed", ())}
            waiting = {number: body for number, body in waiting.items() if number in refused}
            if not waiting:
                return
            if any(entry.get("SenderFault") for entry in refused.values()):
                break
            self._pause(_FIRST_PAUSE * 2**attempt)
        reasons = ", ".join(sorted({str(entry.get("Code")) for entry in refused.values()}))
        raise NotificationError(f"{self._url}: {len(waiting)} messages not taken ({reasons})")
