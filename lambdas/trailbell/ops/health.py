"""What a deployed stack and its trail look like from outside: each method is one question, answered by plain values.

Read-only; nothing is judged here (that is ops/checks). What botocore raises goes through: whoever asks decides what
a refusal means.
"""

import json
from datetime import datetime
from functools import cached_property

from botocore.exceptions import ClientError

from trailbell.engine.rulebook import Rulebook
from trailbell.ops.answers import (
    GONE,
    Alarm,
    Answer,
    Declared,
    EventSource,
    LiveRule,
    MeasuredCanary,
    Reading,
    Trail,
    TrailStatus,
)
from trailbell.ops.canary import newest_canary
from trailbell.ops.deployed_rulebook import deployed_rulebook
from trailbell.ops.deployed_stack import Clients, DeployedStack
from trailbell.ops.deployed_template import declared_resources
from trailbell.ops.drift import detect_drift
from trailbell.ops.live.embedded import as_embedded
from trailbell.ops.live.messages import bus_and_rule
from trailbell.ops.live.reader import answered_or
from trailbell.ops.live.resources import read_resources
from trailbell.ops.newest_log_file import newest_log_file
from trailbell.store.arrivals import DynamoArrivals
from trailbell.store.audits import DynamoAudits
from trailbell.store.canaries import DynamoCanaries


_ALARMS_A_CALL = 100

CENTRAL_BUS = "CentralBus"
"""The output that a stack has with the setting `live`."""


class Health:
    """Asks AWS about one stack: each method is one question.

    embedded: whether it is the embedded AWS of `trailbell local`, which does not know everything.
    """

    def __init__(self, clients: Clients, stack: DeployedStack, *, embedded: bool = False) -> None:
        self._clients, self.stack, self._embedded = clients, stack, embedded

    @property
    def clients(self) -> Clients:
        """What asks."""
        return self._clients

    @cached_property
    def rulebook(self) -> Rulebook:
        """The rulebook that the stack's detector runs. Raises as deployed_rulebook does."""
        return deployed_rulebook(self._clients, self.stack)

    @cached_property
    def trails(self) -> list[Trail]:
        """The trails this account sees, from all regions, that write into the stack's trail bucket."""
        found = self._clients("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
        bucket = self.stack.output("TrailBucket")
        return [_trail(entry) for entry in found if entry.get("S3BucketName") == bucket]

    def trail_status(self, trail: Trail) -> TrailStatus:
        """Whether it logs and delivers, by GetTrailStatus."""
        found = self._clients("cloudtrail").get_trail_status(Name=trail.arn)
        delivered = found.get("LatestDeliveryTime")
        return TrailStatus(
            logging=bool(found.get("IsLogging")),
            delivery_error=str(found.get("LatestDeliveryError") or ""),
            delivered_at=delivered if isinstance(delivered, datetime) else None,
        )

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
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                raise
            own = [arn for arn in self.stack.resources("AWS::SNS::Subscription") if arn.startswith(f"{topic_arn}:")]
            if not own:
                raise
            return [client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"] for arn in own]

    def rule_states(self, queue_arn: str) -> dict[str, str]:
        """EventBridge rules of the default bus that send log files to the queue, with their states."""
        events = self._clients("events")
        names = events.list_rule_names_by_target(TargetArn=queue_arn)["RuleNames"]
        live = {one.physical for one in self._declared_live_rules()} if self.stack.has_output(CENTRAL_BUS) else set()
        return {name: events.describe_rule(Name=name).get("State", "") for name in names if name not in live}

    def live_rules(self) -> dict[str, LiveRule | None]:
        """The stack's rules of live events by the name in its template; None for one that is gone."""
        return {resource.name: self._live_rule(resource) for resource in self._declared_live_rules()}

    def _live_rule(self, resource: Declared) -> LiveRule | None:
        events, (where, rule) = self._clients("events"), bus_and_rule(resource)
        try:
            found = events.describe_rule(Name=rule, **where)
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return None
            raise
        targets = events.list_targets_by_rule(Rule=rule, **where)["Targets"]
        return LiveRule(rule, json.loads(found.get("EventPattern") or "{}"), found.get("State", ""), len(targets))

    def _declared_live_rules(self) -> list[Declared]:
        return [one for one in self.declared if one.kind == "AWS::Events::Rule" and one.name.startswith("Live")]

    def live_since(self) -> datetime | None:
        """When the central bus was made; None where AWS does not say."""
        name = self.stack.output(CENTRAL_BUS).partition("/")[2]
        found = self._clients("events").describe_event_bus(Name=name).get("CreationTime")
        return found if isinstance(found, datetime) else None

    @property
    def audits(self) -> DynamoAudits:
        """The audit's rows."""
        return DynamoAudits(self._clients("dynamodb"), self.stack.output("HitTable"), 0)

    def newest_canary(self, now: datetime) -> MeasuredCanary | None:
        """What the newest canary says of how long an alert takes."""
        return newest_canary(DynamoCanaries(self._clients("dynamodb"), self.stack.output("HitTable")), now)

    @property
    def arrivals(self) -> DynamoArrivals:
        """When each account and Region delivered log files."""
        return DynamoArrivals(self._clients("dynamodb"), self.stack.output("HitTable"))

    def event_sources(self) -> list[EventSource]:
        """What feeds the stack's functions; a mapping that is gone feeds none."""
        uuids = self.stack.resources("AWS::Lambda::EventSourceMapping")
        return [source for uuid in uuids for source in self._event_source(uuid)]

    def _event_source(self, uuid: str) -> list[EventSource]:
        try:
            return [_source(self._clients("lambda").get_event_source_mapping(UUID=uuid))]
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return []
            raise

    def consumers(self, queue_arn: str) -> list[EventSource]:
        """All event source mappings of a queue, the stack's or not."""
        pages = self._clients("lambda").get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue_arn)
        return [_source(entry) for page in pages for entry in page["EventSourceMappings"]]

    def move_destinations(self, queue_arn: str) -> list[str]:
        """Where messages of a dead-letter queue are being moved to; "" is where they came from."""
        answer = self._clients("sqs").list_message_move_tasks(SourceArn=queue_arn, MaxResults=10)
        return [task.get("DestinationArn", "") for task in answer["Results"] if task["Status"] == "RUNNING"]

    @cached_property
    def declared(self) -> list[Declared]:
        """The resources as the deployed template declares them."""
        return declared_resources(self._clients, self.stack)

    def readings(self) -> list[Reading]:
        """The same resources as they are now."""
        found = read_resources(self._clients, self.declared)
        return [*map(as_embedded, found)] if self._embedded else found

    def bucket_policy(self) -> Answer:
        """The trail bucket's policy, empty where it has none."""
        bucket, s3 = self.stack.output("TrailBucket"), self._clients("s3")
        found = answered_or("NoSuchBucketPolicy", lambda: s3.get_bucket_policy(Bucket=bucket))
        return dict(json.loads(found.get("Policy") or "{}"))

    def muted_alarms(self) -> list[str]:
        """The stack's alarms that a mute rule of CloudWatch names, in force or to come."""
        client, own = self._clients("cloudwatch"), set(self.stack.resources("AWS::CloudWatch::Alarm"))
        muted: set[str] = set()
        more: dict[str, str] = {}
        while True:
            answer = client.list_alarm_mute_rules(Statuses=["ACTIVE", "SCHEDULED"], **more)
            for entry in answer.get("AlarmMuteRuleSummaries", ()):
                name = entry["AlarmMuteRuleArn"].rpartition(":")[2]
                muted |= own & set(client.get_alarm_mute_rule(AlarmMuteRuleName=name)["MuteTargets"]["AlarmNames"])
            if not answer.get("NextToken"):
                return sorted(muted)
            more = {"NextToken": answer["NextToken"]}

    def drift(self) -> tuple[list[Answer], str]:
        """What CloudFormation's drift detection finds, and why it did not finish ("" if it did)."""
        return detect_drift(self._clients("cloudformation"), self.stack.name)

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
                entry.get("StateReason", ""),
            )
            for entry in found
        ]

    def newest_log_file(self, prefix: str, *, organisation: bool, now: datetime) -> datetime | None:
        """When the newest log file of the stack's account and region came; None if none did today or yesterday."""
        s3 = self._clients("s3")
        return newest_log_file(s3, self.stack, prefix, organisation=organisation, now=now)


def _source(entry: Answer) -> EventSource:
    return EventSource(entry["UUID"], entry["EventSourceArn"], entry.get("State", ""))


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
