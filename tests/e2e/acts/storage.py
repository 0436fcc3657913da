"""Acts on the hit table, logs, alarms, the trail and its key, the stack itself."""

import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.acts.act import FEED, HANDOVER, TABLE_REFUSES, Act, Do, call, undone
from tests.e2e.acts.stack import TRAIL, ActedOn
from trailbell.cli.local.command import TRAIL_BUCKET
from trailbell.cli.local.deployment import STACK
from trailbell.cli.local.local_aws import ACCOUNT, REGION


_ALARM = "WatchHitsNotReceived"


def _of(name: str) -> Any:
    return lambda stack: stack.id(name)


def _table(**change: Any) -> Do:
    return call("dynamodb", "update_table", TableName=_of("HitsTable"), **change)


def _ttl(attribute: str) -> Do:
    given = {"Enabled": True, "AttributeName": attribute}
    return call("dynamodb", "update_time_to_live", TableName=_of("HitsTable"), TimeToLiveSpecification=given)


def _recovery(*, enabled: bool) -> Do:
    given = {"PointInTimeRecoveryEnabled": enabled}
    operation = "update_continuous_backups"
    return call("dynamodb", operation, TableName=_of("HitsTable"), PointInTimeRecoverySpecification=given)


def _table_arn(stack: ActedOn) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{stack.id('HitsTable')}"


def _table_policy() -> Do:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:PutItem", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return undone(
        call("dynamodb", "put_resource_policy", ResourceArn=_table_arn, Policy=text),
        call("dynamodb", "delete_resource_policy", ResourceArn=_table_arn),
    )


def _logs(operation: str, **given: Any) -> Do:
    return call("logs", operation, logGroupName=_of("NotifierLogs"), **given)


def _alarms(operation: str) -> Do:
    return call("cloudwatch", operation, AlarmNames=lambda stack: [stack.id(_ALARM)])


def _overwritten(**change: Any) -> Do:
    def do(stack: ActedOn) -> Iterator[None]:
        name = stack.id(_ALARM)
        client = stack.aws.client("cloudwatch")
        (found,) = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        settable = client.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
        before = {key: value for key, value in found.items() if key in settable and key != "AlarmName"}
        for one in (before | change, before):
            stack.try_to("cloudwatch", "put_metric_alarm", AlarmName=name, **one)
            if one is not before:
                yield

    return do


def _muted() -> Do:
    schedule = {"Schedule": {"Expression": "cron(0 0 * * *)", "Duration": "PT24H"}}
    return call(
        "cloudwatch",
        "put_alarm_mute_rule",
        Name="night",
        Rule=schedule,
        MuteTargets=lambda stack: {"AlarmNames": [stack.id(_ALARM)]},
    )


def _trail(**change: Any) -> Do:
    return call("cloudtrail", "update_trail", Name=TRAIL, **change)


def _selectors(kind: str, *, management: bool = True) -> Do:
    given = [{"ReadWriteType": kind, "IncludeManagementEvents": management, "DataResources": []}]
    return call("cloudtrail", "put_event_selectors", TrailName=TRAIL, EventSelectors=given)


def _logging(operation: str) -> Do:
    return call("cloudtrail", operation, Name=TRAIL)


def _bucket_policy() -> Do:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{TRAIL_BUCKET}/*",
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return undone(
        call("s3", "put_bucket_policy", Bucket=TRAIL_BUCKET, Policy=text),
        call("s3", "delete_bucket_policy", Bucket=TRAIL_BUCKET),
    )


def _schedule(operation: str, **change: Any) -> Do:
    return call("events", operation, Name=_of("ClockSchedule"), **change)


def acts() -> Iterator[Act]:
    """The acts that can be undone."""
    yield from _table_acts()
    short, long = _logs("put_retention_policy", retentionInDays=1), _logs("put_retention_policy", retentionInDays=90)
    yield Act("log group", "kept for a day", undone(short, long))
    masked = call("logs", "put_data_protection_policy", logGroupIdentifier=_of("NotifierLogs"), policyDocument="{}")
    yield Act("log group", "data protection", masked)
    silenced = undone(_alarms("disable_alarm_actions"), _alarms("enable_alarm_actions"))
    yield Act("alarm", "silenced", silenced)
    yield Act("alarm", "muted by a rule", _muted())
    yield Act("alarm", "overwritten: threshold", _overwritten(Threshold=1e12))
    yield Act("alarm", "overwritten: no actions", _overwritten(AlarmActions=[]))
    state = {"StateValue": "OK", "StateReason": "all is well"}
    yield Act("alarm", "set", call("cloudwatch", "set_alarm_state", AlarmName=_of(_ALARM), **state))
    yield from _trail_acts()
    yield Act("stack", "policy", _stack("set_stack_policy", StackPolicyBody="{}"))
    unprotected = _stack("update_termination_protection", EnableTerminationProtection=False)
    yield Act("stack", "unprotected", unprotected)


def clock_acts() -> Iterator[Act]:
    """What stops the clock, and canaries with it."""
    stopped = ("ClockStopped",)
    schedule = {"ScheduleExpression": "rate(1 day)"}
    often = {"ScheduleExpression": "rate(5 minutes)"}
    slower = undone(_schedule("put_rule", **schedule), _schedule("put_rule", **often))
    yield Act("schedule", "once a day", slower, stopped, "clock", missed=False)
    off = undone(_schedule("disable_rule"), _schedule("enable_rule"))
    yield Act("schedule", "disabled", off, stopped, "clock", missed=False)
    none = {"FunctionName": _of("ClockFunction"), "ReservedConcurrentExecutions": 0}
    yield Act(
        "clock",
        "concurrency set to none",
        call("lambda", "put_function_concurrency", **none),
        stopped,
        "clock",
        missed=False,
    )
    gone = call("lambda", "delete_function", FunctionName=_of("ClockFunction"))
    yield Act("clock", "deleted", gone, stopped, "clock", missed=False)


def _stack(operation: str, **given: Any) -> Do:
    return call("cloudformation", operation, StackName=STACK, **given)


def _table_acts() -> Iterator[Act]:
    part = "hit table"
    view = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    stream = undone(_table(StreamSpecification={"StreamEnabled": False}), _table(StreamSpecification=view))
    yield Act(part, "stream off", stream, HANDOVER, "hit table's stream", flown=True)
    yield Act(part, "expiry by another attribute", undone(_ttl("eventTime"), _ttl("expiresAt")))
    yield Act(part, "policy", _table_policy(), TABLE_REFUSES, part)
    yield Act(part, "recovery off", undone(_recovery(enabled=False), _recovery(enabled=True)))
    protected = undone(_table(DeletionProtectionEnabled=False), _table(DeletionProtectionEnabled=True))
    yield Act(part, "protection off", protected)


def _trail_acts() -> Iterator[Act]:
    yield Act("trail", "stopped", undone(_logging("stop_logging"), _logging("start_logging")), FEED, "trail")
    yield Act("trail", "selectors: no reads", undone(_selectors("WriteOnly"), _selectors("All")))
    blind = undone(_selectors("All", management=False), _selectors("All"))
    yield Act("trail", "selectors: no management events", blind, (), "trail")
    moved = undone(_trail(S3KeyPrefix="elsewhere"), _trail(S3KeyPrefix=""))
    yield Act("trail", "prefix", moved, FEED, "trail")
    key = f"arn:aws:kms:{REGION}:999988887777:key/11111111-2222-3333-4444-555555555555"
    keyed = undone(_trail(KmsKeyId=key), _trail(KmsKeyId=""))
    yield Act("trail", "key", keyed, ("DeadLettersNotEmpty", "Silence"), "trail")
    one = undone(_trail(IsMultiRegionTrail=False), _trail(IsMultiRegionTrail=True))
    yield Act("trail", "one Region", one)
    yield Act("trail bucket", "policy", _bucket_policy(), FEED, "trail bucket")


def deletions() -> Iterator[Act]:
    """The acts that cannot, which come last."""
    yield Act("log group", "deleted", _logs("delete_log_group"))
    yield Act("alarm", "deleted", _alarms("delete_alarms"))
    yield Act("trail", "deleted", _logging("delete_trail"), FEED, "trail")
    gone = call("dynamodb", "delete_table", TableName=_of("HitsTable"))
    yield Act(
        "hit table", "deleted", undone_first(_table(DeletionProtectionEnabled=False), gone), TABLE_REFUSES, "hit table"
    )
    yield Act("stack", "deleted", _stack("delete_stack"), (), "stack", missed=False)


def undone_first(before: Do, do: Do) -> Do:
    """An act that needs another one before it, which is not looked at."""

    def both(stack: ActedOn) -> Iterator[None]:
        for _ in before(stack):
            pass
        stack.recorder.records.clear()
        yield from do(stack)

    return both
