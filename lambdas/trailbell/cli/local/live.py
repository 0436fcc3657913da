"""A live event of a local log file's record, sent as EventBridge sends it to the ingest queue.

Nobody may put an event whose source begins with "aws." on a bus, in the embedded AWS as in the real one, so it is sent
to where the deployed rules send theirs.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trailbell.cli.local.local_aws import LocalAws
from trailbell.cli.scan.log_files import read_pieces
from trailbell.cloudtrail.logfile import MalformedRecord, read_records
from trailbell.errors import LocalError


_DRAINED_SECONDS = 60
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def live_event(record: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope around a record (cloudtrail/live_event.py)."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{record['eventSource'].partition('.')[0]}",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }


def send_live_events(aws: LocalAws, queue: str, file: Path) -> None:
    """Send a live event for each record of a log file."""
    for record in read_records(read_pieces(file)):
        if not isinstance(record, MalformedRecord):
            aws.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(live_event(record)))


def wait_until(is_done: Callable[[], bool], what: str) -> None:
    """Wait for something that takes a moment. Raises LocalError with what it was where it takes too long."""
    deadline = time.monotonic() + _DRAINED_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise LocalError(f"after {_DRAINED_SECONDS} s still: {what}")
        time.sleep(0.2)


def is_drained(aws: LocalAws, queue: str) -> bool:
    """Whether the detector has done all that was sent to it."""
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[*_COUNTS])["Attributes"]
    return not any(int(attributes[name]) for name in _COUNTS)
