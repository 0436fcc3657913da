"""What somebody can do to a deployed stack, each act with the conditions by which doctor names it.

An act takes a stack (`clients`, `id(name)`, `arn(name)` of its resources by logical id) and does one thing to it.
"""

import json
from collections.abc import Callable
from typing import Any, Protocol


class Deployed(Protocol):
    """A deployed stack: clients, and its resources by logical id without the hash."""

    def clients(self, service: str) -> Any: ...
    def id(self, name: str) -> str: ...
    def arn(self, name: str) -> str: ...


Act = Callable[[Deployed], object]
NOTIFIER_MAPPING = "NotifierFunctionDynamoDBEventSourcetrailbellHitsTable9D77C5C0"
OTHER_KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
_NIGHTS = {"Schedule": {"Expression": "cron(0 22 * * *)", "Duration": "PT8H"}}
_DENY = {"Sid": "x", "Effect": "Deny", "Principal": "*"}
_ALLOW = {"Sid": "x", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:root"}}


def _lambda(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("lambda"), operation)(
        **{key: value(stack) if callable(value) else value for key, value in given.items()}
    )


def _mapping(name: str, **given: Any) -> Act:
    return _lambda("update_event_source_mapping", UUID=lambda stack: stack.id(name), **given)


def _function(**given: Any) -> Act:
    return _lambda("update_function_configuration", FunctionName=lambda stack: stack.id("NotifierFunction"), **given)


def _other_code(stack: Deployed) -> None:
    import io
    import zipfile

    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("other.py", "x = 1")
    name = stack.id("DetectorFunction")
    stack.clients("lambda").update_function_code(FunctionName=name, ZipFile=other.getvalue())


def _one_variable(stack: Deployed) -> None:
    client, name = stack.clients("lambda"), stack.id("NotifierFunction")
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    given = {"Variables": {**variables, "TRAILBELL_TABLE": "elsewhere"}}
    client.update_function_configuration(FunctionName=name, Environment=given)


def _foreign_mapping(stack: Deployed) -> None:
    client = stack.clients("lambda")
    source = {"EventSourceArn": stack.arn("IngestQueue"), "FunctionName": stack.id("NotifierFunction")}
    client.create_event_source_mapping(**source, BatchSize=10)


def _sns_policy(name: str, change: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]) -> Act:
    def act(stack: Deployed) -> None:
        sns, arn = stack.clients("sns"), stack.id(name)
        policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
        policy["Statement"] = change(policy["Statement"], arn)
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))

    return act


def _sqs_policy(name: str, change: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]) -> Act:
    def act(stack: Deployed) -> None:
        sqs, url, arn = stack.clients("sqs"), stack.id(name), stack.arn(name)
        policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["Policy"])
        policy["Statement"] = change(policy["Statement"], arn)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})

    return act


def _denied(action: str) -> Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]:
    return lambda statements, arn: [*statements, {**_DENY, "Action": action, "Resource": arn}]


def _allowed(action: str) -> Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]:
    return lambda statements, arn: [*statements, {**_ALLOW, "Action": action, "Resource": arn}]


def _without_allow(statements: list[dict[str, Any]], _: str) -> list[dict[str, Any]]:
    return [statement for statement in statements if statement["Effect"] != "Allow"]


def _queue(name: str, **attributes: str) -> Act:
    def act(stack: Deployed) -> None:
        sqs, url = stack.clients("sqs"), stack.id(name)
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["Policy"]
        # moto forgets the policy where it is not set again
        sqs.set_queue_attributes(QueueUrl=url, Attributes={**attributes, "Policy": policy})

    return act


def _other_dead_letters(stack: Deployed) -> None:
    sqs = stack.clients("sqs")
    url = sqs.create_queue(QueueName="elsewhere")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": "5"}
    _queue("IngestQueue", RedrivePolicy=json.dumps(redrive))(stack)


def _topic(name: str, attribute: str, value: str) -> Act:
    return lambda stack: stack.clients("sns").set_topic_attributes(
        TopicArn=stack.id(name), AttributeName=attribute, AttributeValue=value
    )


def _subscription(attribute: str, value: str) -> Act:
    return lambda stack: stack.clients("sns").set_subscription_attributes(
        SubscriptionArn=_subscribed(stack), AttributeName=attribute, AttributeValue=value
    )


def _subscribed(stack: Deployed) -> str:
    found = stack.clients("sns").list_subscriptions_by_topic(TopicArn=stack.id("AlertsTopic"))["Subscriptions"]
    return next(str(entry["SubscriptionArn"]) for entry in found if entry["Protocol"] == "email")


def _role_policy(stack: Deployed, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    iam, role = stack.clients("iam"), stack.id("NotifierRole")
    name = next(name for name in iam.list_role_policies(RoleName=role)["PolicyNames"] if name.startswith("Notifier"))
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    document["Statement"] = change(document["Statement"])
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _no_policies(stack: Deployed) -> None:
    iam, role = stack.clients("iam"), stack.id("DetectorRole")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


def _another_policy(stack: Deployed) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    text = json.dumps(document)
    stack.clients("iam").put_role_policy(RoleName=stack.id("NotifierRole"), PolicyName="x", PolicyDocument=text)


def _attached(stack: Deployed) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    iam = stack.clients("iam")
    arn = iam.create_policy(PolicyName="deny-all", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=stack.id("NotifierRole"), PolicyArn=arn)


def _boundary(stack: Deployed) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam = stack.clients("iam")
    arn = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=stack.id("DetectorRole"), PermissionsBoundary=arn)


def _trust(stack: Deployed) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stack.clients("iam").update_assume_role_policy(RoleName=stack.id("DetectorRole"), PolicyDocument=text)


def _table(**given: Any) -> Act:
    return lambda stack: stack.clients("dynamodb").update_table(TableName=stack.id("HitsTable"), **given)


def _ttl(*, enabled: bool, attribute: str = "expiresAt") -> Act:
    given = {"Enabled": enabled, "AttributeName": attribute}
    return lambda stack: stack.clients("dynamodb").update_time_to_live(
        TableName=stack.id("HitsTable"), TimeToLiveSpecification=given
    )


def _no_recovery(stack: Deployed) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    stack.clients("dynamodb").update_continuous_backups(
        TableName=stack.id("HitsTable"), PointInTimeRecoverySpecification=off
    )


def _table_policy(stack: Deployed) -> None:
    arn = stack.arn("HitsTable")
    statement = {**_DENY, "Action": "dynamodb:PutItem", "Resource": arn}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stack.clients("dynamodb").put_resource_policy(ResourceArn=arn, Policy=text)


def _no_table(stack: Deployed) -> None:
    _table(DeletionProtectionEnabled=False)(stack)
    stack.clients("dynamodb").delete_table(TableName=stack.id("HitsTable"))


def _alarm(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("cloudwatch"), operation)(
        AlarmNames=[stack.id("WatchDeliveryDelayed")], **given
    )


def _overwritten(**change: Any) -> Act:
    def act(stack: Deployed) -> None:
        client, name = stack.clients("cloudwatch"), stack.id("WatchDeliveryDelayed")
        (alarm,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        same = ("MetricName", "Namespace", "Statistic", "Dimensions", "Period", "EvaluationPeriods", "Threshold")
        more = ("ComparisonOperator", "TreatMissingData", "AlarmActions", "OKActions")
        client.put_metric_alarm(AlarmName=name, **{key: alarm[key] for key in (*same, *more)} | change)

    return act


def _set(stack: Deployed) -> None:
    given = {"StateValue": "OK", "StateReason": "all is well"}
    stack.clients("cloudwatch").set_alarm_state(AlarmName=stack.id("WatchDeliveryDelayed"), **given)


def _muted(stack: Deployed) -> None:
    targets = {"AlarmNames": [stack.id("WatchDeliveryDelayed")]}
    stack.clients("cloudwatch").put_alarm_mute_rule(Name="night", MuteTargets=targets, Rule=_NIGHTS)


def _logs(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("logs"), operation)(logGroupName=stack.id("NotifierLogs"), **given)


def _masked(service: str, name: str, member: str) -> Act:
    policy = {"sns": {"DataProtectionPolicy": "{}"}, "logs": {"policyDocument": "{}"}}[service]
    return lambda stack: stack.clients(service).put_data_protection_policy(**{member: stack.id(name)}, **policy)


def _moved(stack: Deployed) -> None:
    away = "arn:aws:sqs:eu-central-1:123456789012:elsewhere"
    stack.clients("sqs").start_message_move_task(SourceArn=stack.arn("NotifierDeadLetters"), DestinationArn=away)


def _foreign_subscriber(stack: Deployed) -> None:
    stack.clients("sns").subscribe(
        TopicArn=stack.id("AlertsTopic"),
        Protocol="https",
        Endpoint="https://evil.example.com/",
        ReturnSubscriptionArn=True,
    )


def _role_document(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Act:
    return lambda stack: _role_policy(stack, change)


def _notifications(**change: Any) -> Act:
    """The entry for the ingest queue, changed; none with `gone`."""

    def act(stack: Deployed) -> None:
        s3, bucket = stack.clients("s3"), stack.id("TrailBucket")
        found = s3.get_bucket_notification_configuration(Bucket=bucket)
        (entry,) = found["QueueConfigurations"]
        entries = [] if change.get("gone") else [{**entry, **change}]
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": entries}
        )

    return act


def _prefix(value: str) -> dict[str, Any]:
    return {"Key": {"FilterRules": [{"Name": "prefix", "Value": value}]}}


def _bucket(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("s3"), operation)(Bucket=stack.id("TrailBucket"), **given)


def _bucket_denies(stack: Deployed) -> None:
    s3, bucket = stack.clients("s3"), stack.id("TrailBucket")
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"] += [{**_DENY, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def _no_bucket(stack: Deployed) -> None:
    stack.clients("s3").delete_bucket(Bucket=stack.id("TrailBucket"))


def _trail(operation: str, name: str = "Name", **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("cloudtrail"), operation)(**{name: stack.id("Trail")}, **given)


ACTS: dict[str, tuple[Act, set[str]]] = {
    "mapping of the detector off": (_mapping("DetectorFromQueue", Enabled=False), {"functions.not-fed"}),
    "mapping of the notifier off": (_mapping(NOTIFIER_MAPPING, Enabled=False), {"functions.not-fed"}),
    "mapping of the detector deleted": (
        _lambda("delete_event_source_mapping", UUID=lambda stack: stack.id("DetectorFromQueue")),
        {"functions.no-mapping"},
    ),
    "mapping of the notifier deleted": (
        _lambda("delete_event_source_mapping", UUID=lambda stack: stack.id(NOTIFIER_MAPPING)),
        {"functions.no-mapping"},
    ),
    "mapping filtered": (
        _mapping(NOTIFIER_MAPPING, FilterCriteria={"Filters": [{"Pattern": '{"eventName": ["REMOVE"]}'}]}),
        {"mapping.filter"},
    ),
    "mapping repointed": (
        _mapping("DetectorFromQueue", FunctionName=lambda stack: stack.id("NotifierFunction")),
        {"mapping.function"},
    ),
    "mapping's on-failure destination": (
        _mapping(NOTIFIER_MAPPING, DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:eu-central-1:1:x"}}),
        {"mapping.destination"},
    ),
    "mapping's batches": (_mapping(NOTIFIER_MAPPING, MaximumRetryAttempts=0), {"mapping.batches"}),
    "mapping ignores failed messages": (
        _mapping("DetectorFromQueue", FunctionResponseTypes=[]),
        {"mapping.responses"},
    ),
    "a second mapping takes messages": (_foreign_mapping, {"mapping.foreign"}),
    "concurrency of none": (
        _lambda(
            "put_function_concurrency",
            FunctionName=lambda stack: stack.id("NotifierFunction"),
            ReservedConcurrentExecutions=0,
        ),
        {"function.concurrency"},
    ),
    "function deleted": (
        _lambda("delete_function", FunctionName=lambda stack: stack.id("DetectorFunction")),
        {"function.gone"},
    ),
    "function's code": (_other_code, {"function.code"}),
    "function's environment": (_one_variable, {"function.environment"}),
    "function's handler": (_function(Handler="x.y"), {"function.runtime"}),
    "function's time-out": (_function(Timeout=1), {"function.limits"}),
    "function's role": (_function(Role=lambda stack: stack.arn("DetectorRole")), {"function.role"}),
    "topic deleted": (
        lambda stack: stack.clients("sns").delete_topic(TopicArn=stack.id("AlertsTopic")),
        {"topic.gone", "check.gone"},
    ),
    "operations topic deleted": (
        lambda stack: stack.clients("sns").delete_topic(TopicArn=stack.id("WatchTopic")),
        {"topic.gone", "check.gone"},
    ),
    "topic denies": (_sns_policy("AlertsTopic", _denied("sns:Publish")), {"policy.denies"}),
    "topic lets others publish": (_sns_policy("AlertsTopic", _allowed("sns:Publish")), {"policy.allows"}),
    "operations topic's permission removed": (_sns_policy("WatchTopic", _without_allow), {"policy.lacks"}),
    "topic's key": (_topic("AlertsTopic", "KmsMasterKeyId", OTHER_KEY), {"topic.key"}),
    "topic's data protection": (_masked("sns", "AlertsTopic", "ResourceArn"), {"topic.data-protection"}),
    "subscription deleted": (
        lambda stack: stack.clients("sns").unsubscribe(SubscriptionArn=_subscribed(stack)),
        {"subscription.gone", "topics.nobody"},
    ),
    "subscription filtered": (_subscription("FilterPolicy", '{"level": ["none"]}'), {"subscription.filter"}),
    "subscription filtered by body": (
        _subscription("FilterPolicyScope", "MessageBody"),
        {"subscription.filter"},
    ),
    "subscription added": (_foreign_subscriber, {"topics.foreign-subscriber"}),
    "queue deleted": (
        lambda stack: stack.clients("sqs").delete_queue(QueueUrl=stack.id("IngestQueue")),
        {"queue.gone", "check.gone"},
    ),
    "dead letters deleted": (
        lambda stack: stack.clients("sqs").delete_queue(QueueUrl=stack.id("NotifierDeadLetters")),
        {"queue.gone", "check.gone"},
    ),
    "queue denies": (_sqs_policy("IngestQueue", _denied("sqs:SendMessage")), {"policy.denies"}),
    "queue's permission removed": (_sqs_policy("IngestQueue", _without_allow), {"policy.lacks", "source.refused"}),
    "queue lets others send": (_sqs_policy("IngestQueue", _allowed("sqs:SendMessage")), {"policy.allows"}),
    "queue forgets": (_queue("NotifierDeadLetters", MessageRetentionPeriod="60"), {"queue.retention"}),
    "queue takes small messages": (_queue("IngestQueue", MaximumMessageSize="1024"), {"queue.limits"}),
    "queue has other dead letters": (_other_dead_letters, {"queue.dead-letters"}),
    "queue's key": (_queue("IngestQueue", KmsMasterKeyId=OTHER_KEY), {"queue.key"}),
    "dead letters moved away": (_moved, {"queue.moved-away"}),
    "role denied by another policy": (_another_policy, {"role.inline"}),
    "role denied by an attached policy": (_attached, {"role.attached"}),
    "role's policies deleted": (_no_policies, {"role.policy-gone", "role.inline"}),
    "role's policy narrowed": (_role_document(lambda found: found[:-1]), {"policy.lacks"}),
    "role's policy denies": (
        _role_document(lambda found: [*found, {"Effect": "Deny", "Action": "sns:*", "Resource": "*"}]),
        {"policy.denies"},
    ),
    "role's boundary": (_boundary, {"role.boundary"}),
    "role's trust": (_trust, {"policy.lacks", "policy.allows"}),
    "table's stream off": (
        _table(StreamSpecification={"StreamEnabled": False}),
        {"table.stream"},
    ),
    "table's expiry off": (_ttl(enabled=False), {"table.ttl"}),
    "table's recovery off": (_no_recovery, {"table.recovery"}),
    "table's policy": (_table_policy, {"policy.denies"}),
    "table's protection off": (_table(DeletionProtectionEnabled=False), {"table.deletion"}),
    "table deleted": (_no_table, {"table.gone"}),
    "alarm deleted": (_alarm("delete_alarms"), {"alarm.gone"}),
    "alarm silenced": (_alarm("disable_alarm_actions"), {"alarm.silent"}),
    "alarm overwritten": (_overwritten(Threshold=1e12), {"alarm.changed"}),
    "alarm's missing data": (_overwritten(TreatMissingData="ignore"), {"alarm.changed"}),
    "alarm's actions": (_overwritten(AlarmActions=[]), {"alarm.actions"}),
    "alarm set": (_set, {"alarm.set-by-hand"}),
    "alarm muted": (_muted, {"alarm.muted"}),
    "log group deleted": (_logs("delete_log_group"), {"log-group.gone"}),
    "log group's retention": (_logs("put_retention_policy", retentionInDays=1), {"log-group.retention"}),
    "log group's data protection": (
        _masked("logs", "NotifierLogs", "logGroupIdentifier"),
        {"log-group.data-protection"},
    ),
}
"""Act → what it does, and the conditions that doctor then finds and did not find before."""

TRAIL_ACTS: dict[str, tuple[Act, set[str]]] = {
    "notification gone": (_notifications(gone=True), {"source.none", "source.changed"}),
    "notification of other events": (
        _notifications(Events=["s3:ObjectRemoved:*"]),
        {"source.other-events", "source.changed"},
    ),
    "notification of some events": (_notifications(Events=["s3:ObjectCreated:Copy"]), {"source.changed"}),
    "notification narrowed": (
        _notifications(Filter=_prefix("AWSLogs/123456789012/CloudTrail/eu-central-1/")),
        {"source.changed", "source.other-prefix"},
    ),
    "bucket denies": (_bucket_denies, {"policy.denies"}),
    "bucket's policy deleted": (_bucket("delete_bucket_policy"), {"policy.lacks"}),
    "bucket deleted": (_no_bucket, {"bucket.gone", "check.gone"}),
    "bucket's versions": (
        _bucket("put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"}),
        {"bucket.versioning"},
    ),
    "bucket's key": (
        _bucket(
            "put_bucket_encryption",
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": OTHER_KEY}}
                ]
            },
        ),
        {"bucket.encryption"},
    ),
    "bucket's public access": (_bucket("delete_public_access_block"), {"bucket.public"}),
    "bucket's expiry": (
        _bucket(
            "put_bucket_lifecycle_configuration",
            LifecycleConfiguration={
                "Rules": [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
            },
        ),
        {"bucket.expiry"},
    ),
    "trail stopped": (_trail("stop_logging"), {"trail.not-logging"}),
    "trail deleted": (_trail("delete_trail"), {"trail.gone"}),
    "trail's selectors": (
        _trail("put_event_selectors", "TrailName", EventSelectors=[{"ReadWriteType": "ReadOnly"}]),
        {"events.not-recorded"},
    ),
    "trail's prefix": (_trail("update_trail", S3KeyPrefix="away"), {"trail.bucket", "source.other-prefix"}),
    "trail's key": (_trail("update_trail", KmsKeyId=OTHER_KEY), {"trail.key"}),
    "trail of one Region": (_trail("update_trail", IsMultiRegionTrail=False), {"trail.one-region"}),
    "trail without global events": (_trail("update_trail", IncludeGlobalServiceEvents=False), {"trail.narrowed"}),
}
"""The same on the trail and the bucket, of a stack that made them."""


def _events(operation: str, name: str = "Name", **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("events"), operation)(**{name: stack.id("IngestCreated")}, **given)


def _other_target(stack: Deployed) -> None:
    target = {"Id": "Target0", "Arn": stack.arn("IngestDeadLetters")}
    stack.clients("events").put_targets(Rule=stack.id("IngestCreated"), Targets=[target])


def _no_rule(stack: Deployed) -> None:
    _events("remove_targets", "Rule", Ids=["Target0"])(stack)
    _events("delete_rule")(stack)


EVENTBRIDGE_ACTS: dict[str, tuple[Act, set[str]]] = {
    "rule disabled": (_events("disable_rule"), {"rule.disabled", "source.rule-disabled"}),
    "rule's pattern": (_events("put_rule", EventPattern='{"source": ["none"]}'), {"rule.pattern"}),
    "rule's target": (_other_target, {"rule.targets", "source.none"}),
    "rule deleted": (_no_rule, {"rule.gone", "source.none"}),
    "bus deleted": (
        lambda stack: stack.clients("events").delete_event_bus(Name=stack.id("OthersBus")),
        {"bus.gone"},
    ),
}
"""The same on EventBridge, of a stack whose source it is, and which has a bus."""
