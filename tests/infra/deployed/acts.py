"""What somebody can do to a deployed stack, each act with the conditions by which doctor names it."""

from tests.infra.deployed import doing as do
from tests.infra.deployed.doing import Act


ACTS: dict[str, tuple[Act, set[str]]] = {
    "mapping of the detector off": (do.mapping("DetectorFromQueue", Enabled=False), {"functions.not-fed"}),
    "mapping of the notifier off": (do.mapping(do.NOTIFIER_MAPPING, Enabled=False), {"functions.not-fed"}),
    "mapping of the detector deleted": (
        do.on_lambda("delete_event_source_mapping", UUID=lambda stack: stack.id("DetectorFromQueue")),
        {"functions.no-mapping"},
    ),
    "mapping of the notifier deleted": (
        do.on_lambda("delete_event_source_mapping", UUID=lambda stack: stack.id(do.NOTIFIER_MAPPING)),
        {"functions.no-mapping"},
    ),
    "mapping filtered": (
        do.mapping(do.NOTIFIER_MAPPING, FilterCriteria={"Filters": [{"Pattern": '{"eventName": ["REMOVE"]}'}]}),
        {"mapping.filter"},
    ),
    "mapping repointed": (
        do.mapping("DetectorFromQueue", FunctionName=lambda stack: stack.id("NotifierFunction")),
        {"mapping.function"},
    ),
    "mapping's on-failure destination": (
        do.mapping(do.NOTIFIER_MAPPING, DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:::x"}}),
        {"mapping.destination"},
    ),
    "mapping's batches": (do.mapping(do.NOTIFIER_MAPPING, MaximumRetryAttempts=0), {"mapping.batches"}),
    "mapping ignores failed messages": (
        do.mapping("DetectorFromQueue", FunctionResponseTypes=[]),
        {"mapping.responses"},
    ),
    "a second mapping takes messages": (do.foreign_mapping, {"mapping.foreign"}),
    "concurrency of none": (
        do.on_lambda(
            "put_function_concurrency",
            FunctionName=lambda stack: stack.id("NotifierFunction"),
            ReservedConcurrentExecutions=0,
        ),
        {"function.concurrency"},
    ),
    "function deleted": (
        do.on_lambda("delete_function", FunctionName=lambda stack: stack.id("DetectorFunction")),
        {"function.gone", "function.permission"},  # that of the hourly look for silence
    ),
    "function's code": (do.other_code, {"function.code"}),
    "function's environment": (do.one_variable, {"function.environment"}),
    "function's handler": (do.function(Handler="x.y"), {"function.runtime"}),
    "function's time-out": (do.function(Timeout=1), {"function.limits"}),
    "function's role": (do.function(Role=lambda stack: stack.arn("DetectorRole")), {"function.role"}),
    "topic deleted": (
        lambda stack: stack.clients("sns").delete_topic(TopicArn=stack.id("AlertsTopic")),
        {"topic.gone", "check.gone"},
    ),
    "operations topic deleted": (
        lambda stack: stack.clients("sns").delete_topic(TopicArn=stack.id("WatchTopic")),
        {"topic.gone", "check.gone"},
    ),
    "topic denies": (do.sns_policy("AlertsTopic", do.denied("sns:Publish")), {"policy.denies"}),
    "topic lets others publish": (do.sns_policy("AlertsTopic", do.allowed("sns:Publish")), {"policy.allows"}),
    "operations topic's permission removed": (do.sns_policy("WatchTopic", do.without_allow), {"policy.lacks"}),
    "topic's key": (do.topic("AlertsTopic", "KmsMasterKeyId", do.OTHER_KEY), {"topic.key"}),
    "topic's data protection": (do.masked("sns", "AlertsTopic", "ResourceArn"), {"topic.data-protection"}),
    "subscription deleted": (
        lambda stack: stack.clients("sns").unsubscribe(SubscriptionArn=do.subscribed(stack)),
        {"subscription.gone", "topics.nobody"},
    ),
    "subscription filtered": (do.subscription("FilterPolicy", '{"level": ["none"]}'), {"subscription.filter"}),
    "subscription filtered by body": (
        do.subscription("FilterPolicyScope", "MessageBody"),
        {"subscription.filter"},
    ),
    "subscription added": (do.foreign_subscriber, {"topics.foreign-subscriber"}),
    "queue deleted": (
        lambda stack: stack.clients("sqs").delete_queue(QueueUrl=stack.id("IngestQueue")),
        {"queue.gone", "check.gone"},
    ),
    "dead letters deleted": (
        lambda stack: stack.clients("sqs").delete_queue(QueueUrl=stack.id("NotifierDeadLetters")),
        {"queue.gone", "check.gone"},
    ),
    "queue denies": (do.sqs_policy("IngestQueue", do.denied("sqs:SendMessage")), {"policy.denies"}),
    "queue's permission removed": (do.sqs_policy("IngestQueue", do.without_allow), {"policy.lacks", "source.refused"}),
    "queue lets others send": (do.sqs_policy("IngestQueue", do.allowed("sqs:SendMessage")), {"policy.allows"}),
    "queue forgets": (do.queue("NotifierDeadLetters", MessageRetentionPeriod="60"), {"queue.retention"}),
    "queue takes small messages": (do.queue("IngestQueue", MaximumMessageSize="1024"), {"queue.limits"}),
    "queue has other dead letters": (do.other_dead_letters, {"queue.dead-letters"}),
    "queue's key": (do.queue("IngestQueue", KmsMasterKeyId=do.OTHER_KEY), {"queue.key"}),
    "dead letters moved away": (do.moved, {"queue.moved-away"}),
    "role denied by another policy": (do.another_policy, {"role.inline"}),
    "role denied by an attached policy": (do.attached, {"role.attached"}),
    "role's policies deleted": (do.no_policies, {"role.policy-gone", "role.inline"}),
    "role's policy narrowed": (do.role_document(lambda found: found[:-1]), {"policy.lacks"}),
    "role's policy denies": (
        do.role_document(lambda found: [*found, {"Effect": "Deny", "Action": "sns:*", "Resource": "*"}]),
        {"policy.denies"},
    ),
    "role's boundary": (do.boundary, {"role.boundary"}),
    "role's trust": (do.trust, {"policy.lacks", "policy.allows"}),
    "table's stream off": (
        do.table(StreamSpecification={"StreamEnabled": False}),
        {"table.stream"},
    ),
    "table's expiry off": (do.ttl(enabled=False), {"table.ttl"}),
    "table's recovery off": (do.no_recovery, {"table.recovery"}),
    "table's policy": (do.table_policy, {"policy.denies"}),
    "table's protection off": (do.table(DeletionProtectionEnabled=False), {"table.deletion"}),
    "table deleted": (do.no_table, {"table.gone"}),
    "alarm deleted": (do.alarm("delete_alarms"), {"alarm.gone"}),
    "alarm silenced": (do.alarm("disable_alarm_actions"), {"alarm.silent"}),
    "alarm overwritten": (do.overwritten(Threshold=1e12), {"alarm.changed"}),
    "alarm's missing data": (do.overwritten(TreatMissingData="ignore"), {"alarm.changed"}),
    "alarm's actions": (do.overwritten(AlarmActions=[]), {"alarm.actions"}),
    "alarm set": (do.set_state, {"alarm.set-by-hand"}),
    "alarm muted": (do.muted, {"alarm.muted"}),
    "log group deleted": (do.logs("delete_log_group"), {"log-group.gone"}),
    "log group's retention": (do.logs("put_retention_policy", retentionInDays=1), {"log-group.retention"}),
    "log group's data protection": (
        do.masked("logs", "NotifierLogs", "logGroupIdentifier"),
        {"log-group.data-protection"},
    ),
}
"""Act → what it does, and the conditions that doctor then finds and did not find before."""

TRAIL_ACTS: dict[str, tuple[Act, set[str]]] = {
    "notification gone": (do.notifications(gone=True), {"source.none", "source.changed"}),
    "notification of other events": (
        do.notifications(Events=["s3:ObjectRemoved:*"]),
        {"source.other-events", "source.changed"},
    ),
    "notification of some events": (do.notifications(Events=["s3:ObjectCreated:Copy"]), {"source.changed"}),
    "notification narrowed": (
        do.notifications(Filter=do.prefix("AWSLogs/123456789012/CloudTrail/eu-central-1/")),
        {"source.changed", "source.other-prefix"},
    ),
    "bucket denies": (do.bucket_denies, {"policy.denies"}),
    "bucket's policy deleted": (do.bucket("delete_bucket_policy"), {"policy.lacks"}),
    "bucket deleted": (do.no_bucket, {"bucket.gone", "check.gone"}),
    "bucket's versions": (
        do.bucket("put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"}),
        {"bucket.versioning"},
    ),
    "bucket's key": (
        do.bucket(
            "put_bucket_encryption",
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": do.OTHER_KEY}}
                ]
            },
        ),
        {"bucket.encryption"},
    ),
    "bucket's public access": (do.bucket("delete_public_access_block"), {"bucket.public"}),
    "bucket's expiry": (
        do.bucket(
            "put_bucket_lifecycle_configuration",
            LifecycleConfiguration={
                "Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
            },
        ),
        {"bucket.expiry"},
    ),
    "trail stopped": (do.trail("stop_logging"), {"trail.not-logging"}),
    "trail deleted": (do.trail("delete_trail"), {"trail.gone"}),
    "trail's selectors": (
        do.trail("put_event_selectors", "TrailName", EventSelectors=[{"ReadWriteType": "ReadOnly"}]),
        {"events.not-recorded"},
    ),
    "trail's prefix": (do.trail("update_trail", S3KeyPrefix="away"), {"trail.bucket", "source.other-prefix"}),
    "trail's key": (do.trail("update_trail", KmsKeyId=do.OTHER_KEY), {"trail.key"}),
    "trail of one Region": (do.trail("update_trail", IsMultiRegionTrail=False), {"trail.one-region"}),
    "trail without global events": (do.trail("update_trail", IncludeGlobalServiceEvents=False), {"trail.narrowed"}),
}
"""The same on the trail and the bucket, of a stack that made them."""

EVENTBRIDGE_ACTS: dict[str, tuple[Act, set[str]]] = {
    "rule disabled": (do.events("disable_rule"), {"rule.disabled", "source.rule-disabled"}),
    "rule's pattern": (do.events("put_rule", EventPattern='{"source": ["none"]}'), {"rule.pattern"}),
    "rule's target": (do.other_target, {"rule.targets", "source.none"}),
    "rule deleted": (do.no_rule, {"rule.gone", "source.none"}),
    "bus deleted": (
        lambda stack: stack.clients("events").delete_event_bus(Name=stack.id("OthersBus")),
        {"bus.gone"},
    ),
}
"""The same on EventBridge, of a stack whose source it is, and which has a bus."""


LIVE_ACTS: dict[str, tuple[Act, set[str]]] = {
    "own rule disabled": (
        lambda stack: stack.clients("events").disable_rule(Name=stack.id("LiveEvents1")),
        {"rule.disabled", "live.off"},
    ),
    "rule for reads without its state": (
        lambda stack: stack.clients("events").enable_rule(Name=stack.id("LiveReads1")),
        {"rule.disabled", "live.off"},
    ),
    "forwarded rule disabled": (
        lambda stack: stack.clients("events").disable_rule(
            Name=stack.id("LiveForwardedEvents1").rpartition("|")[2], EventBusName="trailbell-live"
        ),
        {"rule.disabled", "live.off"},
    ),
    "pattern changed": (
        lambda stack: stack.clients("events").put_rule(
            Name=stack.id("LiveEvents2"), EventPattern='{"source": ["none"]}', State="ENABLED"
        ),
        {"rule.pattern", "live.other-patterns"},
    ),
    "target removed": (
        lambda stack: stack.clients("events").remove_targets(Rule=stack.id("LiveEvents1"), Ids=["IngestQueue"]),
        {"rule.targets", "live.nowhere"},
    ),
    "somebody let in": (
        lambda stack: stack.clients("events").put_permission(
            EventBusName="trailbell-live", StatementId="Friend", Principal="999988887777", Action="events:PutEvents"
        ),
        {"policy.allows"},
    ),
    "bucket's notifications gone": (
        lambda stack: stack.clients("s3").put_bucket_notification_configuration(
            Bucket=stack.id("TrailBucket"), NotificationConfiguration={}
        ),
        {"source.none", "source.changed"},
    ),
}
"""The same on live events, of a stack that takes them of an organisation."""
