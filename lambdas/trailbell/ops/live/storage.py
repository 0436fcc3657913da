"""The hit table, the trail with its bucket and the bucket's notifications, as they are now."""

import json
from collections.abc import Sequence
from typing import Any

from trailbell.ops.answers import Answer, Declared
from trailbell.ops.deployed_stack import Clients
from trailbell.ops.live.reader import Reader, answered_or, belonging_to, picked


def _table(clients: Clients, resource: Declared) -> Answer:
    found = clients("dynamodb").describe_table(TableName=resource.physical)["Table"]
    stream, encryption = found.get("StreamSpecification") or {}, found.get("SSEDescription") or {}
    encrypted = encryption.get("Status") in ("ENABLED", "ENABLING", "UPDATING")
    return {
        "DeletionProtectionEnabled": found.get("DeletionProtectionEnabled"),
        "StreamSpecification": picked(stream, "StreamViewType") if stream.get("StreamEnabled") else None,
        "BillingMode": found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "OnDemandThroughput": {
            name: value for name, value in (found.get("OnDemandThroughput") or {}).items() if value != -1
        },
        "SSESpecification": {"SSEEnabled": encrypted, "KMSMasterKeyId": encryption.get("KMSMasterKeyArn")},
    }


def _time_to_live(clients: Clients, resource: Declared) -> Answer:
    answer = clients("dynamodb").describe_time_to_live(TableName=resource.physical)
    found = answer["TimeToLiveDescription"]
    enabled = found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")
    return {
        "TimeToLiveSpecification": {"AttributeName": found.get("AttributeName"), "Enabled": True} if enabled else None
    }


def _recovery(clients: Clients, resource: Declared) -> Answer:
    answer = clients("dynamodb").describe_continuous_backups(TableName=resource.physical)
    found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    live = {"PointInTimeRecoveryEnabled": found.get("PointInTimeRecoveryStatus") == "ENABLED"}
    declared = resource.properties.get("PointInTimeRecoverySpecification", {})
    return {"PointInTimeRecoverySpecification": live | picked(found, *(set(declared) - set(live)))}


def _table_policy(clients: Clients, resource: Declared) -> Answer:
    dynamodb = clients("dynamodb")
    arn = dynamodb.describe_table(TableName=resource.physical)["Table"]["TableArn"]
    found = answered_or("PolicyNotFoundException", lambda: dynamodb.get_resource_policy(ResourceArn=arn))
    return {"ResourcePolicy": {"PolicyDocument": json.loads(found.get("Policy") or "{}")}}


def _bucket(clients: Clients, resource: Declared) -> Answer:
    status = clients("s3").get_bucket_versioning(Bucket=resource.physical).get("Status")
    return {"VersioningConfiguration": {"Status": status} if status else None}


def _bucket_encryption(clients: Clients, resource: Declared) -> Answer:
    answer = answered_or(
        "ServerSideEncryptionConfigurationNotFoundError",
        lambda: clients("s3").get_bucket_encryption(Bucket=resource.physical),
    )
    found = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
    rules = [picked(rule, "ApplyServerSideEncryptionByDefault") for rule in found]
    defaults = [{"ServerSideEncryptionByDefault": value} for rule in rules for value in rule.values()]
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": defaults}}


def _public_access(clients: Clients, resource: Declared) -> Answer:
    found = answered_or(
        "NoSuchPublicAccessBlockConfiguration",
        lambda: clients("s3").get_public_access_block(Bucket=resource.physical),
    )
    return {"PublicAccessBlockConfiguration": found.get("PublicAccessBlockConfiguration")}


def _expiry(clients: Clients, resource: Declared) -> Answer:
    """Only when log files expire: the declared rules where that is as declared, else the rules by which they do."""
    found = answered_or(
        "NoSuchLifecycleConfiguration",
        lambda: clients("s3").get_bucket_lifecycle_configuration(Bucket=resource.physical),
    )
    declared = resource.properties.get("LifecycleConfiguration", {})
    days = [rule["ExpirationInDays"] for rule in declared.get("Rules", ()) if "ExpirationInDays" in rule]
    expiring = [rule for rule in found.get("Rules", ()) if rule.get("Status") == "Enabled" and _expires(rule)]
    same = sorted(days) == sorted(rule["Expiration"].get("Days", 0) for rule in expiring)
    return {"LifecycleConfiguration": declared if same else {"Rules": expiring}}


def _expires(rule: Answer) -> bool:
    return bool({"Days", "Date"} & set(rule.get("Expiration", {})))


def _bucket_policy(clients: Clients, resource: Declared) -> Answer:
    bucket = resource.properties["Bucket"]
    with belonging_to(bucket):
        found = answered_or("NoSuchBucketPolicy", lambda: clients("s3").get_bucket_policy(Bucket=bucket))
    return {"PolicyDocument": json.loads(found.get("Policy") or "{}")}


def _notifications(clients: Clients, resource: Declared) -> Answer:
    """The bucket's notifications to those that the stack notifies, without their ids; others are not the stack's."""
    declared = resource.properties["NotificationConfiguration"]
    bucket = resource.properties["BucketName"]
    with belonging_to(bucket):
        found = clients("s3").get_bucket_notification_configuration(Bucket=bucket)
    live = {
        kind: [_as_declared(entry) for entry in found.get(kind, ()) if _target(entry) in map(_target, entries)]
        for kind, entries in declared.items()
        if isinstance(entries, Sequence)
    }
    if "EventBridgeConfiguration" in declared and "EventBridgeConfiguration" in found:
        live["EventBridgeConfiguration"] = declared["EventBridgeConfiguration"]
    return {"NotificationConfiguration": live}


def _as_declared(entry: Answer) -> dict[str, Any]:
    """Without its id, and with the names of its filters as the CDK writes them: S3 answers "Prefix" for "prefix"."""
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    filters = [{**rule, "Name": rule["Name"].lower()} for rule in rules]
    changed = {"Filter": {"Key": {"FilterRules": filters}}} if filters else {}
    return {name: value for name, value in {**entry, **changed}.items() if name != "Id"}


def _target(entry: Answer) -> str:
    return str(entry.get("QueueArn") or entry.get("TopicArn") or entry.get("LambdaFunctionArn"))


def _trail(clients: Clients, resource: Declared) -> Answer:
    found = clients("cloudtrail").get_trail(Name=resource.physical)["Trail"]
    return {
        **picked(found, "S3BucketName", "S3KeyPrefix", "IncludeGlobalServiceEvents", "IsOrganizationTrail"),
        "KMSKeyId": found.get("KmsKeyId"),
    }


READERS: dict[str, tuple[Reader, ...]] = {
    "AWS::DynamoDB::Table": (_table, _time_to_live, _recovery, _table_policy),
    "AWS::S3::Bucket": (_bucket, _bucket_encryption, _public_access, _expiry),
    "AWS::S3::BucketPolicy": (_bucket_policy,),
    "Custom::S3BucketNotifications": (_notifications,),
    "AWS::CloudTrail::Trail": (_trail,),
}
