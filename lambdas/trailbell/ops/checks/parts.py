"""What of each type of resource is compared with the template, and which condition of advice.toml a difference is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trailbell.ops.checks.finding import PROBLEM, WARNING
from trailbell.ops.references import ANY


@dataclass(frozen=True, slots=True)
class Part:
    """Members of a resource that mean one thing when they differ: members → what they are where a template is silent.

    `secret`: only the names of what differs are shown, no values.
    """

    condition: str
    defaults: Mapping[str, Any]
    state: str = PROBLEM
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of resource: which condition it is that it is gone ("" where another check says so), and its parts.

    `owner_gone` is the condition that what it belongs to is gone, such as the topic of a subscription. `policy` is the
    path to its policy document, which is compared statement by statement.
    """

    gone: str = ""
    parts: tuple[Part, ...] = ()
    policy: tuple[str, ...] = ()
    owner_gone: str = ""


KINDS: Mapping[str, Kind] = {
    "AWS::Lambda::Function": Kind(
        "function.gone",
        (
            Part("function.failed", {"State": "Active"}),
            Part("function.code", {"Code": ANY}),
            Part("function.environment", {"Environment": None}, secret=True),
            Part("function.runtime", {"Handler": ANY, "Runtime": ANY, "Architectures": ["x86_64"], "Layers": None}),
            Part("function.role", {"Role": ANY}),
            Part("function.concurrency", {"ReservedConcurrentExecutions": None}),
            Part("function.limits", {"Timeout": 3, "MemorySize": 128, "EphemeralStorage": {"Size": 512}}),
            Part("function.network", {"VpcConfig": None}),
            Part("function.key", {"KmsKeyArn": None}),
            Part("function.logging", {"LoggingConfig": ANY}),
        ),
    ),
    "AWS::Lambda::EventSourceMapping": Kind(
        "",  # functions.no-mapping, as functions.not-fed for one that is disabled
        (
            Part("mapping.function", {"FunctionName": ANY}),
            Part("mapping.source", {"EventSourceArn": ANY}),
            Part("mapping.filter", {"FilterCriteria": None, "KmsKeyArn": None}),
            Part("mapping.destination", {"DestinationConfig": None}),
            Part("mapping.responses", {"FunctionResponseTypes": None}),
            Part(
                "mapping.batches",
                {
                    "BatchSize": ANY,
                    "BisectBatchOnFunctionError": False,
                    "MaximumBatchingWindowInSeconds": 0,
                    "MaximumRecordAgeInSeconds": -1,
                    "MaximumRetryAttempts": -1,
                    "ParallelizationFactor": 1,
                    "ScalingConfig": None,
                    "TumblingWindowInSeconds": 0,
                },
            ),
        ),
    ),
    "AWS::Lambda::Permission": Kind(),  # its statement: as_deployed.py
    "AWS::SNS::Topic": Kind(
        "topic.gone",
        (
            Part("topic.key", {"KmsMasterKeyId": None}),
            Part("topic.data-protection", {"DataProtectionPolicy": None}),
            Part("topic.delivery", {"DeliveryPolicy": None}, WARNING),
        ),
    ),
    "AWS::SNS::TopicPolicy": Kind(policy=("PolicyDocument",), owner_gone="topic.gone"),
    "AWS::SNS::Subscription": Kind(
        "subscription.gone",
        (
            Part("subscription.filter", {"FilterPolicy": None, "FilterPolicyScope": "MessageAttributes"}),
            Part(
                "subscription.delivery",
                {"RawMessageDelivery": False, "RedrivePolicy": None, "DeliveryPolicy": None},
                WARNING,
            ),
        ),
        owner_gone="topic.gone",
    ),
    "AWS::SQS::Queue": Kind(
        "queue.gone",
        (
            Part("queue.dead-letters", {"RedrivePolicy": None, "RedriveAllowPolicy": None}),
            Part("queue.key", {"KmsMasterKeyId": None, "SqsManagedSseEnabled": ANY}),
            Part("queue.retention", {"MessageRetentionPeriod": 345600}),
            Part(
                "queue.limits",
                {
                    "DelaySeconds": 0,
                    "MaximumMessageSize": None,
                    "ReceiveMessageWaitTimeSeconds": 0,
                    "VisibilityTimeout": 30,
                },
            ),
        ),
    ),
    "AWS::SQS::QueuePolicy": Kind(policy=("PolicyDocument",), owner_gone="queue.gone"),
    "AWS::Events::Rule": Kind(
        "rule.gone",
        (
            Part("rule.disabled", {"State": "ENABLED"}),
            Part("rule.pattern", {"EventPattern": None, "ScheduleExpression": None}),
            Part("rule.targets", {"Targets": None}),
        ),
    ),
    "AWS::Events::EventBus": Kind("bus.gone", policy=("Policy",)),
    "AWS::DynamoDB::Table": Kind(
        "table.gone",
        (
            Part("table.stream", {"StreamSpecification": None}),
            Part("table.ttl", {"TimeToLiveSpecification": None}),
            Part("table.recovery", {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}),
            Part("table.deletion", {"DeletionProtectionEnabled": False}),
            Part("table.throughput", {"BillingMode": "PROVISIONED", "OnDemandThroughput": None}),
            Part("table.key", {"SSESpecification": {"SSEEnabled": False}}),
        ),
        policy=("ResourcePolicy", "PolicyDocument"),
    ),
    "AWS::S3::Bucket": Kind(
        "bucket.gone",
        (
            Part("bucket.versioning", {"VersioningConfiguration": None}),
            Part("bucket.encryption", {"BucketEncryption": ANY}),
            Part("bucket.public", {"PublicAccessBlockConfiguration": ANY}),
            Part("bucket.expiry", {"LifecycleConfiguration": None}),
        ),
    ),
    "AWS::S3::BucketPolicy": Kind(policy=("PolicyDocument",), owner_gone="bucket.gone"),
    "Custom::S3BucketNotifications": Kind(
        parts=(Part("source.changed", {"NotificationConfiguration": ANY}),), owner_gone="bucket.gone"
    ),
    "AWS::CloudTrail::Trail": Kind(
        "",  # trail.gone
        (
            Part("trail.bucket", {"S3BucketName": ANY, "S3KeyPrefix": None}),
            Part("trail.key", {"KMSKeyId": None}),
            Part("trail.narrowed", {"IncludeGlobalServiceEvents": True, "IsOrganizationTrail": False}),
        ),
    ),
    "AWS::IAM::Role": Kind(
        "role.gone",
        (
            Part("role.boundary", {"PermissionsBoundary": None}),
            Part("role.attached", {"ManagedPolicyArns": None}),
            Part("role.inline", {"InlinePolicies": None}),
        ),
        policy=("AssumeRolePolicyDocument",),
    ),
    "AWS::IAM::Policy": Kind("role.policy-gone", policy=("PolicyDocument",)),
    "AWS::CloudWatch::Alarm": Kind(
        "",  # alarm.gone
        (
            Part(
                "alarm.changed",
                {
                    "ComparisonOperator": ANY,
                    "DatapointsToAlarm": None,
                    "Dimensions": None,
                    "EvaluationPeriods": ANY,
                    "ExtendedStatistic": None,
                    "MetricName": None,
                    "Metrics": None,
                    "Namespace": None,
                    "Period": None,
                    "Statistic": None,
                    "Threshold": None,
                    "TreatMissingData": "missing",
                    "Unit": None,
                },
            ),
            Part("alarm.actions", {"AlarmActions": None, "OKActions": None}),
        ),
    ),
    "AWS::Logs::LogGroup": Kind(
        "log-group.gone",
        (
            Part("log-group.retention", {"RetentionInDays": None}),
            Part("log-group.key", {"KmsKeyId": None}),
            Part("log-group.data-protection", {"DataProtectionPolicy": None}),
            Part("log-group.subscribed", {"SubscriptionFilters": None}, WARNING),
        ),
    ),
}
"""By type. What a template does not say and no default says either is ANY: it is compared only where it is declared."""
