"""Topics, subscriptions, queues, rules and buses, as they are now."""

import json
from typing import Any

from botocore.exceptions import ClientError

from trailbell.ops.answers import GONE, Answer, Declared
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.live.reader import GoneError, Reader, belonging_to, picked


_SMALLEST_LARGE_MESSAGE = 262144  # bytes: what a queue took before 2025, and takes at least by default


def _topic(clients: Clients, resource: Declared) -> Answer:
    found = clients("sns").get_topic_attributes(TopicArn=resource.physical)["Attributes"]
    return picked(found, "KmsMasterKeyId", "DeliveryPolicy")


def _data_protection(clients: Clients, resource: Declared) -> Answer:
    found = clients("sns").get_data_protection_policy(ResourceArn=resource.physical)
    return {"DataProtectionPolicy": found.get("DataProtectionPolicy")}


def _topic_policy(clients: Clients, resource: Declared) -> Answer:
    """Of the topics that a policy is for; they have one and the same."""
    (topic,) = resource.properties["Topics"]
    with belonging_to(topic):
        found = clients("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    return {"PolicyDocument": _document(found.get("Policy"))}


def _subscription(clients: Clients, resource: Declared) -> Answer:
    """By protocol and endpoint: one that was removed and made again has another ARN, and may have another filter.

    A topic of another account may refuse to list its subscriptions; then by the ARN.
    """
    sns, declared = clients("sns"), resource.properties
    arn = resource.physical
    try:
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=declared["TopicArn"])
        listed = [entry for page in pages for entry in page["Subscriptions"]]
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            raise GoneError(declared["TopicArn"]) from None
    else:
        same = [entry for entry in listed if all(entry[name] == declared[name] for name in ("Protocol", "Endpoint"))]
        if not same:
            raise GoneError(arn)
        arn = next((entry["SubscriptionArn"] for entry in same if entry["SubscriptionArn"].startswith("arn:")), "")
    if not arn:
        return {}  # not confirmed, which subscription_findings says
    found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return picked(found, "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy")


def _queue(clients: Clients, resource: Declared) -> Answer:
    found = _queue_attributes(clients, resource.physical)
    same = ("RedrivePolicy", "MessageRetentionPeriod", "VisibilityTimeout", "DelaySeconds", "KmsMasterKeyId")
    largest = int(found.get("MaximumMessageSize", _SMALLEST_LARGE_MESSAGE))
    return {
        **picked(found, *same, "RedriveAllowPolicy", "SqsManagedSseEnabled", "ReceiveMessageWaitTimeSeconds"),
        "MaximumMessageSize": None if largest >= _SMALLEST_LARGE_MESSAGE else largest,
    }


def _queue_policy(clients: Clients, resource: Declared) -> Answer:
    (queue,) = resource.properties["Queues"]
    with belonging_to(queue):
        found = _queue_attributes(clients, queue)
    return {"PolicyDocument": _document(found.get("Policy"))}


def _queue_attributes(clients: Clients, url: str) -> dict[str, Any]:
    return dict(clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])


def _rule(clients: Clients, resource: Declared) -> Answer:
    events, bus, rule = clients("events"), *bus_and_rule(resource)
    found = events.describe_rule(Name=rule, **bus)
    return picked(found, "State", "EventPattern", "ScheduleExpression")


def _targets(clients: Clients, resource: Declared) -> Answer:
    bus, rule = bus_and_rule(resource)
    return {"Targets": clients("events").list_targets_by_rule(Rule=rule, **bus)["Targets"]}


def bus_and_rule(resource: Declared) -> tuple[dict[str, str], str]:
    """A rule's physical id is its name, on AWS after "bus|" where the bus is not the default one."""
    bus, _, rule = resource.physical.rpartition("|")
    bus = bus or resource.properties.get("EventBusName", "")
    return {"EventBusName": bus} if bus else {}, rule


def _bus(clients: Clients, resource: Declared) -> Answer:
    found = clients("events").describe_event_bus(Name=resource.physical)
    return {"Policy": _document(found.get("Policy"))}


def _document(text: str | None) -> Answer:
    return dict(json.loads(text)) if text else {}


READERS: dict[str, tuple[Reader, ...]] = {
    "AWS::SNS::Topic": (_topic, _data_protection),
    "AWS::SNS::TopicPolicy": (_topic_policy,),
    "AWS::SNS::Subscription": (_subscription,),
    "AWS::SQS::Queue": (_queue,),
    "AWS::SQS::QueuePolicy": (_queue_policy,),
    "AWS::Events::Rule": (_rule, _targets),
    "AWS::Events::EventBus": (_bus,),
}
