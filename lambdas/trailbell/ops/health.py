"""What a deployed stack and its trail look like from outside: read-only calls, their answers as plain values.

No call here changes anything, and none is made before it is asked for. What botocore raises goes through:
whoever asks decides what a refusal means.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from trailbell.errors import SettingsError


Clients = Callable[[str], Any]
"""Gives the boto3 client of a service."""

Answer = Mapping[str, Any]

_MAX_PAGES = 5  # of a thousand log files: a listing is bounded
_ALARMS_A_CALL = 100
_RECENT = timedelta(minutes=90)


@dataclass(frozen=True, slots=True)
class Trail:
    """A trail that writes into the bucket. `prefix` stands before AWSLogs/, "" for none."""

    name: str
    arn: str
    home: str
    prefix: str
    multi_region: bool
    validated: bool
    organisation: bool
    topic: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: `waiting` counts all its messages, received ones and delayed ones, too."""

    url: str
    arn: str
    waiting: int
    policy: Answer
    dead_letters: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm's name, state and what it means by its own description."""

    name: str
    state: str
    meaning: str
    acts: bool


class DeployedStack:
    """A stack as CloudFormation knows it: its outputs, its resources, its account and region."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._clients, self.name = clients, name

    @cached_property
    def _description(self) -> Answer:
        try:
            (found,) = self._clients("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                raise SettingsError(
                    f"no stack {self.name} in this account and region: deploy it, set AWS_PROFILE and AWS_REGION to"
                    " where it is, or name it with --stack"
                ) from None
            raise
        return found

    def output(self, name: str) -> str:
        """The value of an output. Raises SettingsError when there is none."""
        for output in self._description.get("Outputs", ()):
            if output["OutputKey"] == name:
                return str(output["OutputValue"])
        raise SettingsError(f"stack {self.name} has no output {name}: deploy it again, or is it another stack?")

    @property
    def region(self) -> str:
        """Where the stack is, by its ARN."""
        return str(self._description["StackId"].split(":")[3])

    @property
    def account(self) -> str:
        """Whose the stack is, by its ARN."""
        return str(self._description["StackId"].split(":")[4])

    @cached_property
    def _resources(self) -> list[tuple[str, str]]:
        pages = self._clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        return [
            (entry["ResourceType"], entry.get("PhysicalResourceId", ""))
            for page in pages
            for entry in page["StackResourceSummaries"]
        ]

    def resources(self, kind: str) -> list[str]:
        """The physical ids of the stack's resources of one type, such as AWS::SQS::Queue."""
        return [physical for found, physical in self._resources if found == kind and physical]

    def dead_letter_queue(self, output: str = "DeadLetters") -> Queue:
        """The queue that an output names."""
        return read_queue(self._clients("sqs"), self.output(output))

    def ingest_queue(self) -> Queue:
        """The queue whose dead letters go to the output DeadLetters. Raises SettingsError when there is none."""
        dead_letters = self.dead_letter_queue()
        for url in self.resources("AWS::SQS::Queue"):
            queue = read_queue(self._clients("sqs"), url)
            if queue.dead_letters == dead_letters.arn:
                return queue
        raise SettingsError(f"stack {self.name}: no queue gives its dead letters to {dead_letters.arn}")

    def stream_function(self) -> str:
        """The ARN of the function that a table's stream feeds. Raises SettingsError when there is none."""
        for uuid in self.resources("AWS::Lambda::EventSourceMapping"):
            mapping = self._clients("lambda").get_event_source_mapping(UUID=uuid)
            if ":dynamodb:" in mapping["EventSourceArn"]:
                return str(mapping["FunctionArn"])
        raise SettingsError(f"stack {self.name}: no function reads the hit table's stream")


class Health:
    """Asks AWS about one stack: each method is one question."""

    def __init__(self, clients: Clients, stack: DeployedStack) -> None:
        self._clients, self.stack = clients, stack

    @cached_property
    def trails(self) -> list[Trail]:
        """The trails this account sees, from all regions, that write into the stack's trail bucket."""
        found = self._clients("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
        bucket = self.stack.output("TrailBucket")
        return [_trail(entry) for entry in found if entry.get("S3BucketName") == bucket]

    def trail_status(self, trail: Trail) -> Answer:
        """GetTrailStatus as it is."""
        return self._clients("cloudtrail").get_trail_status(Name=trail.arn)

    def selectors(self, trail: Trail) -> tuple[list[Answer], list[Answer]]:
        """Its classic and its advanced event selectors; CloudTrail answers in the trail's home region only."""
        found = self._clients("cloudtrail").get_event_selectors(TrailName=trail.arn)
        return found.get("EventSelectors") or [], found.get("AdvancedEventSelectors") or []

    @cached_property
    def bucket_notifications(self) -> Answer:
        """GetBucketNotificationConfiguration of the trail bucket as it is."""
        return self._clients("s3").get_bucket_notification_configuration(Bucket=self.stack.output("TrailBucket"))

    def subscriptions(self, topic_arn: str) -> list[Answer]:
        """The subscriptions of a topic; of another account's topic, which may refuse that, the stack's own."""
        client = self._clients("sns")
        try:
            pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
            return [entry for page in pages for entry in page["Subscriptions"]]
        except ClientError:
            own = [arn for arn in self.stack.resources("AWS::SNS::Subscription") if arn.startswith(f"{topic_arn}:")]
            if not own:
                raise
            return [client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"] for arn in own]

    def rule_states(self, queue_arn: str) -> dict[str, str]:
        """EventBridge rules of the default bus that send to the queue, with their states."""
        events = self._clients("events")
        names = events.list_rule_names_by_target(TargetArn=queue_arn)["RuleNames"]
        return {name: events.describe_rule(Name=name).get("State", "") for name in names}

    def mapping_states(self) -> dict[str, str]:
        """What feeds the stack's functions (an ARN each), with the state of its event source mapping."""
        client = self._clients("lambda")
        uuids = self.stack.resources("AWS::Lambda::EventSourceMapping")
        found = [client.get_event_source_mapping(UUID=uuid) for uuid in uuids]
        return {entry["EventSourceArn"]: entry.get("State", "") for entry in found}

    def alarms(self) -> list[Alarm]:
        """The stack's alarms."""
        names, client = self.stack.resources("AWS::CloudWatch::Alarm"), self._clients("cloudwatch")
        found = []
        for start in range(0, len(names), _ALARMS_A_CALL):
            chunk = names[start : start + _ALARMS_A_CALL]
            found += client.describe_alarms(AlarmNames=chunk, MaxRecords=_ALARMS_A_CALL)["MetricAlarms"]
        return [
            Alarm(
                entry["AlarmName"],
                entry.get("StateValue", ""),
                entry.get("AlarmDescription", ""),
                bool(entry.get("ActionsEnabled", True)),
            )
            for entry in found
        ]

    def newest_log_file(self, prefix: str, *, organisation: bool, now: datetime) -> datetime | None:
        """When the newest log file of the stack's account and region came, today's or yesterday's; else None.

        `prefix` stands before AWSLogs/. A file's name begins with its account, region and minute, so that the
        last hour is listed without the day before it; at most fifteen calls.
        """
        root = f"{prefix}/AWSLogs/" if prefix else "AWSLogs/"
        for folder in self._account_folders(root, organisation=organisation):
            for after, day in self._listings(folder, now):
                times = [entry["LastModified"] for entry in self._list(day, after)]
                if times:
                    return max(times).astimezone(UTC)
        return None

    def _account_folders(self, root: str, *, organisation: bool) -> list[str]:
        if not organisation:
            return [f"{root}{self.stack.account}/"]
        answer = self._clients("s3").list_objects_v2(
            Bucket=self.stack.output("TrailBucket"), Prefix=f"{root}o-", Delimiter="/", MaxKeys=5
        )
        return [f"{entry['Prefix']}{self.stack.account}/" for entry in answer.get("CommonPrefixes", ())]

    def _listings(self, folder: str, now: datetime) -> Iterator[tuple[str, str]]:
        """Where to look, newest first: after which key, under which prefix."""
        account, region = self.stack.account, self.stack.region
        recent, yesterday = now - _RECENT, now - timedelta(days=1)
        days = [f"{folder}CloudTrail/{region}/{moment:%Y/%m/%d}/" for moment in (now, yesterday)]
        if recent.date() == now.date():
            yield f"{days[0]}{account}_CloudTrail_{region}_{recent:%Y%m%dT%H%M}Z", days[0]
        yield from (("", day) for day in days)

    def _list(self, prefix: str, after: str) -> Iterator[Answer]:
        start = {"StartAfter": after} if after else {}
        pages = (
            self._clients("s3")
            .get_paginator("list_objects_v2")
            .paginate(
                Bucket=self.stack.output("TrailBucket"),
                Prefix=prefix,
                PaginationConfig={"MaxItems": _MAX_PAGES * 1000},
                **start,
            )
        )
        for page in pages:
            yield from page.get("Contents", ())


def read_queue(sqs: Any, url: str) -> Queue:
    """A queue by its URL."""
    found: Mapping[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    counts = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    redrive = json.loads(found.get("RedrivePolicy") or "{}")
    return Queue(
        url,
        found["QueueArn"],
        sum(int(found.get(name) or 0) for name in counts),
        json.loads(found.get("Policy") or "{}"),
        str(redrive.get("deadLetterTargetArn", "")),
    )


def as_list(value: object) -> Sequence[Any]:
    """A member of a policy that may be one thing or a list of them, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _trail(entry: Answer) -> Trail:
    return Trail(
        name=entry["Name"],
        arn=entry["TrailARN"],
        home=entry.get("HomeRegion", ""),
        prefix=(entry.get("S3KeyPrefix") or "").strip("/"),
        multi_region=bool(entry.get("IsMultiRegionTrail")),
        validated=bool(entry.get("LogFileValidationEnabled")),
        organisation=bool(entry.get("IsOrganizationTrail")),
        topic=entry.get("SnsTopicARN") or "",
    )
