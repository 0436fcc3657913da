"""A canary on the deployed stack, with its clock driven: how far it comes, and at which run operations are told."""

import gzip
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.acts.stack import ActedOn
from tests.e2e.acts.times import STEPS
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.local_aws import ACCOUNT, REGION
from trailbell.hits.canary import Canary
from trailbell.store.canaries import DynamoCanaries


_BEGIN = datetime(2030, 1, 1, tzinfo=UTC)  # the embedded clock's own runs never come near
_SETTLED_SECONDS = 4.0  # three times what a whole way takes here, with all functions cold
_LAST_MINUTE = 180


@dataclass(frozen=True)
class Flight:
    """How far a canary came, and minutes from its sending to the run of the clock that told operations (None: back)."""

    came_to: str
    told_after: int | None


class DrivenClock:
    """The deployed clock, invoked with times of ours, and an inbox on the operations topic."""

    def __init__(self, stack: ActedOn, client: Callable[[str], Any]) -> None:
        self._client, self._hour = client, _BEGIN
        self._function = stack.id("ClockFunction")
        self._canaries = DynamoCanaries(client("dynamodb"), stack.id("HitsTable"))
        sqs = client("sqs")
        self._inbox = sqs.create_queue(QueueName="operations-inbox")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:operations-inbox"
        client("sns").subscribe(TopicArn=stack.id("WatchTopic"), Protocol="sqs", Endpoint=arn)

    def fly(self) -> Flight:
        """Send the next hour's canary, deliver its log file at once, and run the clock until somebody knows."""
        self._hour += timedelta(hours=1)
        name = f"{self._hour:%Y-%m-%dT%H}"
        self._run(0)
        self._deliver(Canary(name, str(self._canaries.steps(name)["sent"]["nonce"])))
        self._settle(name)
        for minute in range(5, _LAST_MINUTE, 5):
            self._run(minute)
            steps = self._canaries.steps(name)
            if "returned" in steps:
                return Flight("returned", None)
            if self._is_told(name):
                return Flight(next((one for one in reversed(STEPS) if one in steps), "sent"), minute)
        raise AssertionError(f"nobody was told that the canary of {name} is lost")

    def _settle(self, name: str) -> None:
        """Wait until a canary is published, or for so long that it never will be."""
        deadline = time.monotonic() + _SETTLED_SECONDS
        while time.monotonic() < deadline and "published" not in self._canaries.steps(name):
            time.sleep(0.05)
        time.sleep(0.3)  # from the topic to the queue

    def _run(self, minute: int) -> None:
        now = f"{self._hour + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
        payload = json.dumps({"time": now}).encode()
        answer = self._client("lambda").invoke(FunctionName=self._function, Payload=payload)
        assert "FunctionError" not in answer, answer["Payload"].read()

    def _is_told(self, name: str) -> bool:
        """Whether operations have the message that this canary is missing; others may say that one is back."""
        sqs = self._client("sqs")
        while messages := sqs.receive_message(QueueUrl=self._inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self._inbox, ReceiptHandle=message["ReceiptHandle"])
                if f"The canary of {name} has not come back" in json.loads(message["Body"])["Message"]:
                    return True
        return False

    def _deliver(self, canary: Canary) -> None:
        """The log file that CloudTrail would write of the clock's call."""
        key = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2030/01/01/{uuid.uuid4()}.json.gz"
        body = gzip.compress(json.dumps({"Records": [_record(canary)]}).encode())
        self._client("s3").put_object(Bucket=TRAIL_BUCKET, Key=key, Body=body)


def _record(canary: Canary) -> dict[str, Any]:
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/trailbell-ClockRole/trailbell-clock"
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "AssumedRole", "arn": role, "accountId": ACCOUNT},
        "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "ssm.amazonaws.com",
        "eventName": "DeleteParameter",
        "awsRegion": REGION,
        "errorCode": "ParameterNotFound",
        "requestParameters": {"name": canary.parameter},
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "recipientAccountId": ACCOUNT,
    }
