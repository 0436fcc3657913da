"""How each act on a deployed stack is done.

An act takes a stack (`clients`, `id(name)`, `arn(name)` of its resources by logical id) and does one thing to it.
"""

import io
import json
import zipfile
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


def on_lambda(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("lambda"), operation)(
        **{key: value(stack) if callable(value) else value for key, value in given.items()}
    )


def mapping(name: str, **given: Any) -> Act:
    return on_lambda("update_event_source_mapping", UUID=lambda stack: stack.id(name), **given)


def function(**given: Any) -> Act:
    return on_lambda("update_function_configuration", FunctionName=lambda stack: stack.id("NotifierFunction"), **given)


def other_code(stack: Deployed) -> None:
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("other.py", "x = 1")
    name = stack.id("DetectorFunction")
    stack.clients("lambda").update_function_code(FunctionName=name, ZipFile=other.getvalue())


def one_variable(stack: Deployed) -> None:
    client, name = stack.clients("lambda"), stack.id("NotifierFunction")
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    given = {"Variables": {**variables, "TRAILBELL_TABLE": "elsewhere"}}
    client.update_function_configuration(FunctionName=name, Environment=given)


def foreign_mapping(stack: Deployed) -> None:
    client = stack.clients("lambda")
    source = {"EventSourceArn": stack.arn("IngestQueue"), "FunctionName": stack.id("NotifierFunction")}
    client.create_event_source_mapping(**source, BatchSize=10)


def sns_policy(name: str, change: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]) -> Act:
    def act(stack: Deployed) -> None:
        sns, arn = stack.clients("sns"), stack.id(name)
        policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
        policy["Statement"] = change(policy["Statement"], arn)
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))

    return act


def sqs_policy(name: str, change: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]) -> Act:
    def act(stack: Deployed) -> None:
        sqs, url, arn = stack.clients("sqs"), stack.id(name), stack.arn(name)
        policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["Policy"])
        policy["Statement"] = change(policy["Statement"], arn)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})

    return act


def denied(action: str) -> Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]:
    return lambda statements, arn: [*statements, {**_DENY, "Action": action, "Resource": arn}]


def allowed(action: str) -> Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]:
    return lambda statements, arn: [*statements, {**_ALLOW, "Action": action, "Resource": arn}]


def without_allow(statements: list[dict[str, Any]], _: str) -> list[dict[str, Any]]:
    return [statement for statement in statements if statement["Effect"] != "Allow"]


def queue(name: str, **attributes: str) -> Act:
    def act(stack: Deployed) -> None:
        sqs, url = stack.clients("sqs"), stack.id(name)
        policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["Policy"]
        # moto forgets the policy where it is not set again
        sqs.set_queue_attributes(QueueUrl=url, Attributes={**attributes, "Policy": policy})

    return act


def other_dead_letters(stack: Deployed) -> None:
    sqs = stack.clients("sqs")
    url = sqs.create_queue(QueueName="elsewhere")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": "5"}
    queue("IngestQueue", RedrivePolicy=json.dumps(redrive))(stack)


def topic(name: str, attribute: str, value: str) -> Act:
    return lambda stack: stack.clients("sns").set_topic_attributes(
        TopicArn=stack.id(name), AttributeName=attribute, AttributeValue=value
    )


def subscription(attribute: str, value: str) -> Act:
    return lambda stack: stack.clients("sns").set_subscription_attributes(
        SubscriptionArn=subscribed(stack), AttributeName=attribute, AttributeValue=value
    )


def subscribed(stack: Deployed) -> str:
    found = stack.clients("sns").list_subscriptions_by_topic(TopicArn=stack.id("AlertsTopic"))["Subscriptions"]
    return next(str(entry["SubscriptionArn"]) for entry in found if entry["Protocol"] == "email")


def role_policy(stack: Deployed, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    iam, role = stack.clients("iam"), stack.id("NotifierRole")
    name = next(name for name in iam.list_role_policies(RoleName=role)["PolicyNames"] if name.startswith("Notifier"))
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    document["Statement"] = change(document["Statement"])
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def no_policies(stack: Deployed) -> None:
    iam, role = stack.clients("iam"), stack.id("DetectorRole")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


def another_policy(stack: Deployed) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    text = json.dumps(document)
    stack.clients("iam").put_role_policy(RoleName=stack.id("NotifierRole"), PolicyName="x", PolicyDocument=text)


def attached(stack: Deployed) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    iam = stack.clients("iam")
    arn = iam.create_policy(PolicyName="deny-all", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=stack.id("NotifierRole"), PolicyArn=arn)


def boundary(stack: Deployed) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam = stack.clients("iam")
    arn = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=stack.id("DetectorRole"), PermissionsBoundary=arn)


def trust(stack: Deployed) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stack.clients("iam").update_assume_role_policy(RoleName=stack.id("DetectorRole"), PolicyDocument=text)


def table(**given: Any) -> Act:
    return lambda stack: stack.clients("dynamodb").update_table(TableName=stack.id("HitsTable"), **given)


def ttl(*, enabled: bool, attribute: str = "expiresAt") -> Act:
    given = {"Enabled": enabled, "AttributeName": attribute}
    return lambda stack: stack.clients("dynamodb").update_time_to_live(
        TableName=stack.id("HitsTable"), TimeToLiveSpecification=given
    )


def no_recovery(stack: Deployed) -> None:
    off = {"PointInTimeRecoveryEnabled": False}
    stack.clients("dynamodb").update_continuous_backups(
        TableName=stack.id("HitsTable"), PointInTimeRecoverySpecification=off
    )


def table_policy(stack: Deployed) -> None:
    arn = stack.arn("HitsTable")
    statement = {**_DENY, "Action": "dynamodb:PutItem", "Resource": arn}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    stack.clients("dynamodb").put_resource_policy(ResourceArn=arn, Policy=text)


def no_table(stack: Deployed) -> None:
    table(DeletionProtectionEnabled=False)(stack)
    stack.clients("dynamodb").delete_table(TableName=stack.id("HitsTable"))


def alarm(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("cloudwatch"), operation)(
        AlarmNames=[stack.id("WatchDeliveryDelayed")], **given
    )


def overwritten(**change: Any) -> Act:
    def act(stack: Deployed) -> None:
        client, name = stack.clients("cloudwatch"), stack.id("WatchDeliveryDelayed")
        (alarm,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        same = ("MetricName", "Namespace", "Statistic", "Dimensions", "Period", "EvaluationPeriods", "Threshold")
        more = ("ComparisonOperator", "TreatMissingData", "AlarmActions", "OKActions")
        client.put_metric_alarm(AlarmName=name, **{key: alarm[key] for key in (*same, *more)} | change)

    return act


def set_state(stack: Deployed) -> None:
    given = {"StateValue": "OK", "StateReason": "all is well"}
    stack.clients("cloudwatch").set_alarm_state(AlarmName=stack.id("WatchDeliveryDelayed"), **given)


def muted(stack: Deployed) -> None:
    targets = {"AlarmNames": [stack.id("WatchDeliveryDelayed")]}
    stack.clients("cloudwatch").put_alarm_mute_rule(Name="night", MuteTargets=targets, Rule=_NIGHTS)


def logs(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("logs"), operation)(logGroupName=stack.id("NotifierLogs"), **given)


def masked(service: str, name: str, member: str) -> Act:
    policy = {"sns": {"DataProtectionPolicy": "{}"}, "logs": {"policyDocument": "{}"}}[service]
    return lambda stack: stack.clients(service).put_data_protection_policy(**{member: stack.id(name)}, **policy)


def moved(stack: Deployed) -> None:
    away = "arn:aws:sqs:eu-central-1:123456789012:elsewhere"
    stack.clients("sqs").start_message_move_task(SourceArn=stack.arn("NotifierDeadLetters"), DestinationArn=away)


def foreign_subscriber(stack: Deployed) -> None:
    stack.clients("sns").subscribe(
        TopicArn=stack.id("AlertsTopic"),
        Protocol="https",
        Endpoint="https://evil.example.com/",
        ReturnSubscriptionArn=True,
    )


def role_document(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Act:
    return lambda stack: role_policy(stack, change)


def notifications(**change: Any) -> Act:
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


def prefix(value: str) -> dict[str, Any]:
    return {"Key": {"FilterRules": [{"Name": "prefix", "Value": value}]}}


def bucket(operation: str, **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("s3"), operation)(Bucket=stack.id("TrailBucket"), **given)


def bucket_denies(stack: Deployed) -> None:
    s3, bucket = stack.clients("s3"), stack.id("TrailBucket")
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"] += [{**_DENY, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def no_bucket(stack: Deployed) -> None:
    stack.clients("s3").delete_bucket(Bucket=stack.id("TrailBucket"))


def trail(operation: str, name: str = "Name", **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("cloudtrail"), operation)(**{name: stack.id("Trail")}, **given)


def events(operation: str, name: str = "Name", **given: Any) -> Act:
    return lambda stack: getattr(stack.clients("events"), operation)(**{name: stack.id("IngestCreated")}, **given)


def other_target(stack: Deployed) -> None:
    target = {"Id": "Target0", "Arn": stack.arn("IngestDeadLetters")}
    stack.clients("events").put_targets(Rule=stack.id("IngestCreated"), Targets=[target])


def no_rule(stack: Deployed) -> None:
    events("remove_targets", "Rule", Ids=["Target0"])(stack)
    events("delete_rule")(stack)
