"""Alarms and log groups, as they are now."""

from trailbell.ops.answers import Answer, Declared
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.live.reader import GoneError, Reader, answered_or, picked


_METRIC = ("MetricName", "Namespace", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Metrics", "Unit")
_RULE = ("Threshold", "ComparisonOperator", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData")


def _alarm(clients: Clients, resource: Declared) -> Answer:
    found = clients("cloudwatch").describe_alarms(AlarmNames=[resource.physical])["MetricAlarms"]
    if not found:
        raise GoneError(resource.physical)
    return picked(found[0], *_METRIC, *_RULE, "AlarmActions", "OKActions", "InsufficientDataActions")


def _log_group(clients: Clients, resource: Declared) -> Answer:
    pages = clients("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=resource.physical)
    for page in pages:
        for group in page["logGroups"]:
            if group["logGroupName"] == resource.physical:
                return {"RetentionInDays": group.get("retentionInDays"), "KmsKeyId": group.get("kmsKeyId")}
    raise GoneError(resource.physical)


def _log_subscriptions(clients: Clients, resource: Declared) -> Answer:
    found = clients("logs").describe_subscription_filters(logGroupName=resource.physical)["subscriptionFilters"]
    return {"SubscriptionFilters": [entry["destinationArn"] for entry in found]}


def _log_protection(clients: Clients, resource: Declared) -> Answer:
    logs = clients("logs")
    found = answered_or(
        "ResourceNotFoundException", lambda: logs.get_data_protection_policy(logGroupIdentifier=resource.physical)
    )
    return {"DataProtectionPolicy": found.get("policyDocument")}


READERS: dict[str, tuple[Reader, ...]] = {
    "AWS::CloudWatch::Alarm": (_alarm,),
    "AWS::Logs::LogGroup": (_log_group, _log_subscriptions, _log_protection),
}
