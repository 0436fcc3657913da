"""Acts on topics, subscriptions, queues, and what brings notifications."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tests.e2e.acts.act import FEED, PUBLISHING, READING, Act, Do, call, undone
from tests.e2e.acts.stack import ActedOn
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.local_aws import ACCOUNT, REGION


_THEIRS = "999988887777"
_DENY = {"Sid": "x", "Effect": "Deny", "Principal": "*"}
_MASKING = json.dumps({"Name": "x", "Version": "2021-06-01", "Statement": []})


def _topic(name: str) -> Any:
    return lambda stack: stack.id(name)


def _topic_policy(name: str) -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        topic = stack.id(name)
        before = stack.aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
        policy = json.loads(before)
        policy["Statement"].append({**_DENY, "Action": "sns:Publish", "Resource": topic})
        for value in (json.dumps(policy), before):
            given = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": value}
            stack.try_to("sns", "set_topic_attributes", **given)
            if value != before:
                yield

    return do


def _permission(name: str, action: str) -> Do:
    given = {"Label": "x", "AWSAccountId": [_THEIRS], "ActionName": [action]}
    return undone(
        call("sns", "add_permission", TopicArn=_topic(name), **given),
        call("sns", "remove_permission", TopicArn=_topic(name), Label="x"),
    )


def _subscription(stack: ActedOn, protocol: str = "email") -> str:
    found = stack.aws.client("sns").list_subscriptions_by_topic(TopicArn=stack.id("AlertsTopic"))["Subscriptions"]
    return next(str(one["SubscriptionArn"]) for one in found if one["Protocol"] == protocol)


def _filtered(protocol: str = "email") -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        arn = _subscription(stack, protocol)
        before = stack.aws.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["FilterPolicy"]
        for value in ('{"level": ["none"]}', before):
            given = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy", "AttributeValue": value}
            stack.try_to("sns", "set_subscription_attributes", **given)
            if value != before:
                yield

    return do


def _added() -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        endpoint = {"Protocol": "sqs", "Endpoint": f"arn:aws:sqs:{REGION}:{_THEIRS}:copies"}
        given = {"TopicArn": stack.id("AlertsTopic"), **endpoint, "ReturnSubscriptionArn": True}
        stack.try_to("sns", "subscribe", **given)
        yield
        found = stack.aws.client("sns").list_subscriptions_by_topic(TopicArn=stack.id("AlertsTopic"))["Subscriptions"]
        (arn,) = [one["SubscriptionArn"] for one in found if one["Endpoint"] == endpoint["Endpoint"]]
        stack.try_to("sns", "unsubscribe", SubscriptionArn=arn)

    return do


def _queue_set(name: str, attribute: str, value: str) -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        url, sqs = stack.id(name), stack.aws.client("sqs")
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"].get(attribute, "")
        for one in (value, before):
            stack.try_to("sqs", "set_queue_attributes", QueueUrl=url, Attributes={attribute: one})
            if one is value:
                yield

    return do


def _queue_denied() -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        statement = {**_DENY, "Action": "sqs:SendMessage", "Resource": stack.arn("IngestQueue")}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        yield from _queue_set("IngestQueue", "Policy", policy)(stack)

    return do


def _queue_permission() -> Do:
    given = {"Label": "x", "AWSAccountIds": [_THEIRS], "Actions": ["SendMessage"]}
    return undone(
        call("sqs", "add_permission", QueueUrl=_topic("IngestQueue"), **given),
        call("sqs", "remove_permission", QueueUrl=_topic("IngestQueue"), Label="x"),
    )


def _moved() -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        stack.aws.client("sqs").create_queue(QueueName="elsewhere")
        away = f"arn:aws:sqs:{REGION}:{ACCOUNT}:elsewhere"
        source = stack.arn("IngestDeadLetters")
        stack.try_to("sqs", "start_message_move_task", SourceArn=source, DestinationArn=away)
        yield

    return do


def _notification(change: Any) -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        s3 = stack.aws.client("s3")
        before = s3.get_bucket_notification_configuration(Bucket=TRAIL_BUCKET)
        before.pop("ResponseMetadata")
        after = {"QueueConfigurations": change([dict(one) for one in before["QueueConfigurations"]])}
        for one in (after, before):
            given = {"Bucket": TRAIL_BUCKET, "NotificationConfiguration": one}
            stack.try_to("s3", "put_bucket_notification_configuration", **given)
            if one is after:
                yield

    return do


def _narrowed(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rule = {"Name": "prefix", "Value": "AWSLogs/nothing/"}
    return [{**one, "Filter": {"Key": {"FilterRules": [rule]}}} for one in entries]


def _other_events(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "Events": ["s3:ObjectRemoved:*"]} for one in entries]


def _rule(operation: str, **arguments: Any) -> Do:
    """The rule of a stack with `eventbridge`, or the clock's, is made by hand: this stack has the bucket's own way."""

    def do(stack: ActedOn) -> Iterator[None]:
        events, name = stack.aws.client("events"), "trailbell-IngestCreated8F124995-a1b2"
        events.put_rule(Name=name, EventPattern='{"source": ["aws.s3"]}')
        key = "Rule" if "targets" in operation else "Name"
        stack.try_to("events", operation, **{key: name}, **arguments)
        yield

    return do


def acts() -> Iterator[Act]:
    """The acts that can be undone."""
    yield Act("subscription", "filtered", _filtered())
    yield Act("canaries' subscription", "filtered", _filtered("sqs"), (), "canaries' subscription", flown=True)
    yield Act("subscription", "added, of another account", _added())
    for part, name, alarms, cut in (
        ("alert topic", "AlertsTopic", PUBLISHING, "alert topic"),
        ("operations topic", "WatchTopic", (), ""),
    ):
        yield Act(part, "policy", _topic_policy(name), alarms, cut)
        masked = call("sns", "put_data_protection_policy", ResourceArn=_topic(name), DataProtectionPolicy=_MASKING)
        yield Act(part, "data protection", masked, (), cut)
        yield Act(part, "permission", _permission(name, "Publish"))
    yield Act("ingest queue", "policy", _queue_denied(), FEED, "ingest queue")
    yield Act("ingest queue", "permission", _queue_permission())
    purged = call("sqs", "purge_queue", QueueUrl=_topic("IngestQueue"))
    yield Act("ingest queue", "purged", purged, (), "ingest queue", once=True)
    # The longest delay that SQS takes: with CloudTrail's own five minutes a canary is back in time.
    yield Act("ingest queue", "delayed", _queue_set("IngestQueue", "DelaySeconds", "900"))
    yield Act("dead letters", "moved elsewhere", _moved())
    yield Act("dead letters", "purged", call("sqs", "purge_queue", QueueUrl=_topic("NotifierDeadLetters")))
    yield Act("dead letters", "kept for a minute", _queue_set("IngestDeadLetters", "MessageRetentionPeriod", "60"))
    gone = _notification(lambda _: [])
    yield Act("bucket notification", "gone", gone, FEED, "bucket notification", flown=True)
    yield Act("bucket notification", "narrowed", _notification(_narrowed), FEED, "bucket notification")
    yield Act("bucket notification", "other events", _notification(_other_events), FEED, "bucket notification")
    yield Act("EventBridge rule", "disabled", _rule("disable_rule"), FEED, "EventBridge rule")
    pattern = _rule("put_rule", EventPattern='{"source": ["none"]}')
    yield Act("EventBridge rule", "pattern", pattern, FEED, "EventBridge rule")
    yield Act("EventBridge rule", "target removed", _rule("remove_targets", Ids=["Target0"]), FEED, "EventBridge rule")
    yield Act("EventBridge rule", "deleted", _rule("delete_rule"), FEED, "EventBridge rule")


def deletions() -> Iterator[Act]:
    """The acts that cannot, which come last."""
    yield Act("subscription", "deleted", call("sns", "unsubscribe", SubscriptionArn=_subscription))
    gone = call("sns", "delete_topic", TopicArn=_topic("AlertsTopic"))
    yield Act("alert topic", "deleted", gone, PUBLISHING, "alert topic")
    yield Act("operations topic", "deleted", call("sns", "delete_topic", TopicArn=_topic("WatchTopic")))
    dead = call("sqs", "delete_queue", QueueUrl=_topic("NotifierDeadLetters"))
    yield Act("dead letters", "deleted", dead)
    ingest = call("sqs", "delete_queue", QueueUrl=_topic("IngestQueue"))
    yield Act("ingest queue", "deleted", ingest, READING[1:], "ingest queue")
