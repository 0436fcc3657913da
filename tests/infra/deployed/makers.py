"""The resources of a template, made in moto as CloudFormation would, with every property that doctor compares.

A maker takes the clients, the name the resource gets, and its properties with references filled in; it gives the
physical id.
"""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any


Clients = Callable[[str], Any]
REGION = "eu-central-1"
CODE = io.BytesIO()
with zipfile.ZipFile(CODE, "w") as archive:
    archive.writestr("dummy.py", "")


def _bucket(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    s3, name = clients("s3"), name.lower()
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if versioning := properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
    encryption = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", ())
    rules = [{"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]} for rule in encryption]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    if block := properties.get("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
    rule = {"ID": "old", "Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 365}}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    return name


def _bucket_policy(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    clients("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"]))
    return name


def _notifications(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    configuration = properties["NotificationConfiguration"]
    s3, bucket = clients("s3"), properties["BucketName"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    return name


def _trail(clients: Clients, _: str, properties: dict[str, Any]) -> str:
    trail, name = clients("cloudtrail"), properties["TrailName"]
    same = ("S3BucketName", "IncludeGlobalServiceEvents", "IsMultiRegionTrail")
    given = {key: properties[key] for key in same}
    trail.create_trail(Name=name, EnableLogFileValidation=properties["EnableLogFileValidation"], **given)
    trail.put_event_selectors(TrailName=name, EventSelectors=properties["EventSelectors"])
    trail.start_logging(Name=name)
    return str(name)


def _queue(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    attributes = {
        key: json.dumps(value) if isinstance(value, dict) else str(value).lower() if value is True else str(value)
        for key, value in properties.items()
    }
    return str(clients("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def _queue_policy(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    for url in properties["Queues"]:
        attributes = {"Policy": json.dumps(properties["PolicyDocument"])}
        clients("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return name


def _topic(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    attributes = {"DisplayName": properties["DisplayName"]}
    return str(clients("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"])


def _topic_policy(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    for topic in properties["Topics"]:
        text = json.dumps(properties["PolicyDocument"])
        clients("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)
    return name


def _subscription(clients: Clients, _: str, properties: dict[str, Any]) -> str:
    given = {key: properties[key] for key in ("TopicArn", "Protocol", "Endpoint")}
    policy = properties.get("FilterPolicy")
    attributes = {"FilterPolicy": json.dumps(policy)} if policy else {}
    return str(clients("sns").subscribe(**given, Attributes=attributes, ReturnSubscriptionArn=True)["SubscriptionArn"])


def _table(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    dynamodb = clients("dynamodb")
    same = ("AttributeDefinitions", "KeySchema", "BillingMode", "DeletionProtectionEnabled")
    stream = {"StreamEnabled": True, **properties["StreamSpecification"]}
    dynamodb.create_table(TableName=name, StreamSpecification=stream, **{key: properties[key] for key in same})
    dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    recovery = properties["PointInTimeRecoverySpecification"]
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    return name


def _role(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    iam, trust = clients("iam"), json.dumps(properties["AssumeRolePolicyDocument"])
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return name


def _policy(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    text = json.dumps(properties["PolicyDocument"])
    for role in properties["Roles"]:
        clients("iam").put_role_policy(RoleName=role, PolicyName=properties["PolicyName"], PolicyDocument=text)
    return name


def _function(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    s3, code = clients("s3"), dict(properties["Code"])
    if "ZipFile" in code:
        code = {"ZipFile": CODE.getvalue()}
    elif code["S3Bucket"] not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=code["S3Bucket"], CreateBucketConfiguration={"LocationConstraint": REGION})
    if "S3Key" in code:
        s3.put_object(Bucket=code["S3Bucket"], Key=code["S3Key"], Body=CODE.getvalue(), ChecksumAlgorithm="SHA256")
    given = {
        key: value for key, value in properties.items() if key not in ("Code", "Environment", "Tags", "LoggingConfig")
    }
    environment = properties.get("Environment", {"Variables": {}})
    clients("lambda").create_function(FunctionName=name, Code=code, Environment=environment, **given)
    return name


def _mapping(clients: Clients, _: str, properties: dict[str, Any]) -> str:
    return str(clients("lambda").create_event_source_mapping(**properties)["UUID"])


def _permission(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    clients("lambda").add_permission(StatementId=name, **properties)
    return name


def _alarm(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    clients("cloudwatch").put_metric_alarm(AlarmName=name, **properties)
    return name


def _log_group(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    clients("logs").create_log_group(logGroupName=name)
    clients("logs").put_retention_policy(logGroupName=name, retentionInDays=properties["RetentionInDays"])
    return name


def _rule(clients: Clients, name: str, properties: dict[str, Any]) -> str:
    events, pattern = clients("events"), properties.get("EventPattern")
    given = {key: properties[key] for key in ("ScheduleExpression", "State", "Description") if key in properties}
    bus = {"EventBusName": properties["EventBusName"]} if "EventBusName" in properties else {}
    events.put_rule(Name=name, **bus, **given, **({"EventPattern": json.dumps(pattern)} if pattern else {}))
    events.put_targets(Rule=name, Targets=properties["Targets"], **bus)
    return f"{bus['EventBusName']}|{name}" if bus else name


def _bus(clients: Clients, _: str, properties: dict[str, Any]) -> str:
    clients("events").create_event_bus(Name=properties["Name"])
    if "Policy" in properties:
        clients("events").put_permission(EventBusName=properties["Name"], Policy=json.dumps(properties["Policy"]))
    return str(properties["Name"])


def _nothing(clients: Clients, name: str, _: dict[str, Any]) -> str:
    return name


MAKERS: dict[str, Callable[[Clients, str, dict[str, Any]], str]] = {
    "AWS::CloudTrail::Trail": _trail,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _nothing,
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::EventBus": _bus,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Policy": _policy,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "Custom::S3BucketNotifications": _notifications,
}
