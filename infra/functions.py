"""Detector and notifier, each with a role that holds the permissions of its half and nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from trailbell.alerts.commands import LOCAL
from trailbell.handlers.metric_names import VARIABLE as METRICS

from .channels import Channels
from .findings import NO_CUSTOMER_KEY, acknowledge, skip, wildcard
from .ingest_queue import IngestQueue, encrypted_queue
from .live import live_environment
from .settings import STACK_NAME, Settings
from .store import HitTable
from .trail import TrailBucket


_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
_MB = 1024 * 1024

# As many log files as are read side by side (flows/detector.py).
_DETECTOR_BATCH = 10

# A storm is grouped within a batch, so batches are large and wait a moment for more. An invocation takes 6 MB,
# which is about 1,600 hits; where each of them makes an alert of its own, what does not fit into the time-out
# comes back.
_NOTIFIER_BATCH = 2000
_NOTIFIER_TIMEOUT = Duration.minutes(2)
_NOTIFIER_WINDOW = Duration.seconds(2)
_NOTIFIER_RETRIES = 10

_SKIPPED = {
    "CKV_AWS_115": "A reserve is taken from the whole account's concurrency, and refused where little of it is left.",
    "CKV_AWS_116": "Nothing invokes it asynchronously: failures go back to queue or stream, which have dead letters.",
    "CKV_AWS_117": "It talks to AWS alone; in a VPC it would need a way out to each service, and could lose it.",
    "CKV_AWS_173": "Names and numbers, no secrets. " + NO_CUSTOMER_KEY,
}


POLLER = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
"""What Lambda asks of a queue in a function's name."""


@jsii.implements(lambda_.IEventSourceDlq)
class _OnFailure:
    """A queue to which Lambda sends stream batches dropped after retries; it may send there, and do nothing else.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """

    def __init__(self, queue: sqs.Queue) -> None:
        self._queue = queue

    def bind(
        self, target: lambda_.IEventSourceMapping, target_handler: lambda_.IFunction
    ) -> lambda_.DlqDestinationConfig:
        target_handler.add_to_role_policy(
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self._queue.queue_arn])
        )
        return lambda_.DlqDestinationConfig(destination=self._queue.queue_arn)


class Detector(Construct):
    """Reads log files of the trail bucket, writes hits. Gives `function` and `role_arn`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        code: Path,
        settings: Settings,
        trail: TrailBucket,
        ingest_queue: IngestQueue,
        store: HitTable,
    ) -> None:
        super().__init__(scope, id)
        live = live_environment(settings, Stack.of(self).account)
        self.function = shared_function(
            self,
            "detector",
            code,
            settings,
            timeout=Duration.seconds(settings.detector_seconds),
            memory_mb=settings.detector_memory_mb,
            environment={
                "TRAILBELL_TABLE": store.table.table_name,
                "TRAILBELL_RETENTION_DAYS": str(settings.hit_retention_days),
                "TRAILBELL_TRAIL_BUCKET": trail.bucket.bucket_name,
                "TRAILBELL_TRAIL_PREFIX": trail.log_prefix,
                "TRAILBELL_MAX_INFLATED_BYTES": str(settings.max_inflated_mb * _MB),
                "TRAILBELL_REMINDER_HOURS": ",".join(map(str, settings.reminders)),
                **live,
            },
        )
        self.role_arn = self.function.role.role_arn if self.function.role else ""
        log_files = trail.bucket.arn_for_objects(f"{trail.log_prefix}*")
        allow(self.function, [log_files], "s3:GetObject", "s3:GetObjectVersion")
        reason = "Every log file has a name of its own; nothing else in the bucket can be read."
        acknowledge(self, wildcard(self, log_files), reason)
        allow(self.function, [store.table.table_arn], "dynamodb:PutItem", "dynamodb:BatchWriteItem")
        # An act as it is kept, also by a version before; its place in a log file, its state, what undoes it, and what
        # was said about it.
        acts = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["H#*", "I#*", "S#*", "U#*", "O#*", "F#*", "C#*"]}}
        allow(self.function, [store.table.table_arn], "dynamodb:Query", conditions=acts)
        if trail.key:
            allow(self.function, [trail.key.key_arn], "kms:Decrypt")
        # Not the CDK's event source, which grants the role more than Lambda's poller asks of it.
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        allow(self.function, [ingest_queue.queue.queue_arn], *POLLER)
        lambda_.EventSourceMapping(
            self,
            "FromQueue",
            target=self.function,
            event_source_arn=ingest_queue.queue.queue_arn,
            batch_size=_DETECTOR_BATCH,
            report_batch_item_failures=True,
        )


class Notifier(Construct):
    """Reads new hits from the table's stream, notifies the channels.

    Gives `function` and `dead_letters` (stream batches dropped after retries).
    """

    def __init__(
        self, scope: Construct, id: str, *, code: Path, settings: Settings, store: HitTable, channels: Channels
    ) -> None:
        super().__init__(scope, id)
        environment = {
            "TRAILBELL_TABLE": store.table.table_name,
            "TRAILBELL_RETENTION_DAYS": str(settings.hit_retention_days),
            "TRAILBELL_RUNBOOK_URL": settings.runbook_url,
        }
        environment |= told_by_mails(self, settings)
        for channel in channels.deployed:
            environment |= channel.environment
        self.function = shared_function(
            self, "notifier", code, settings, timeout=_NOTIFIER_TIMEOUT, memory_mb=512, environment=environment
        )
        self.dead_letters = encrypted_queue(self, "DeadLetters")
        reason = "It is a dead-letter queue: the event source mapping names it, where the check does not look."
        acknowledge(self.dead_letters, "SQS3", reason)
        self._allow_channels(channels)
        self._allow_table(store)
        self._read_stream(store)

    def _allow_channels(self, channels: Channels) -> None:
        for channel in channels.deployed:
            for permission in channel.permissions:
                conditions = {operator: dict(values) for operator, values in permission.conditions.items()}
                allow(self.function, [permission.resource], *permission.actions, conditions=conditions)

    def _allow_table(self, store: HitTable) -> None:
        """Delivery records, what the same actor did before, canaries, follow-ups and the states they go by, quiet
        periods and when they end: keys N#, P#, K#, O#, S#, G#, D#. No hit but those that it has held.
        """
        table = [store.table.table_arn]
        records = (("BatchGetItem", "BatchWriteItem", "PutItem"), "N#*")
        periods = (("PutItem", "Query", "BatchWriteItem"), "G#*")
        others = ((("PutItem",), "K#*", "D#*"), (("Query",), "P#*", "O#*"), (("BatchGetItem",), "S#*"))
        for actions, *keys in (records, periods, *others):
            condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}
            allow(self.function, table, *(f"dynamodb:{action}" for action in actions), conditions=condition)

    def _read_stream(self, store: HitTable) -> None:
        # A row is there for the first time, or takes the place of one that nobody was notified of (store/rows.py).
        new_hits = {
            "eventName": lambda_.FilterRule.or_("INSERT", "MODIFY"),
            "dynamodb": {"NewImage": {"kind": {"S": lambda_.FilterRule.or_("hit", "canary", "follow-up", "gathered")}}},
        }
        self.function.add_event_source(
            sources.DynamoEventSource(
                store.table,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,  # hits kept before the mapping was up
                batch_size=_NOTIFIER_BATCH,
                max_batching_window=_NOTIFIER_WINDOW,
                retry_attempts=_NOTIFIER_RETRIES,
                bisect_batch_on_error=True,
                report_batch_item_failures=True,
                on_failure=_OnFailure(self.dead_letters),
                filters=[lambda_.FilterCriteria.filter(new_hits)],
            )
        )
        reason = "The event source's dynamodb:ListStreams takes no resource; all else names the table's stream."
        acknowledge(self, wildcard(self, "*"), reason)


def told_by_mails(scope: Construct, settings: Settings) -> dict[str, str]:
    """The environment of functions that write mails: where the commands in them lead, and how long hits are gathered.

    The context that `trailbell local` gives says that the stack is in the embedded AWS.
    """
    stack = Stack.of(scope).stack_name
    where = "--local" if scope.node.try_get_context(LOCAL) else f"--stack {stack}" if stack != STACK_NAME else ""
    quiet = json.dumps(dict(settings.quiet_minutes), sort_keys=True)
    return {"TRAILBELL_QUIET_MINUTES": quiet, **({"TRAILBELL_WHERE": where} if where else {})}


def shared_function(
    scope: Construct,
    name: str,
    code: Path,
    settings: Settings,
    *,
    timeout: Duration,
    memory_mb: int,
    environment: dict[str, str],
) -> lambda_.Function:
    """A function of the shared asset; its role may write to its own log group, which has a retention."""
    group = logs.CfnLogGroup(scope, "Logs", retention_in_days=settings.log_retention_days)
    group.apply_removal_policy(RemovalPolicy.DESTROY)
    skip(group, "CKV_AWS_158", NO_CUSTOMER_KEY)
    function = lambda_.Function(
        scope,
        "Function",
        description=f"trailbell {name}",
        handler=f"trailbell.handlers.{name}.handler",
        runtime=lambda_.Runtime(f"python{settings.python}", lambda_.RuntimeFamily.PYTHON),
        architecture=_ARCHITECTURES[settings.architecture],
        code=lambda_.Code.from_asset(str(code)),
        role=iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")),
        log_group=logs.LogGroup.from_log_group_name(scope, "LogGroup", group.ref),
        timeout=timeout,
        memory_size=memory_mb,
        environment={"POWERTOOLS_LOG_LEVEL": "INFO", **_metrics(settings), **environment},
    )
    allow(function, [group.attr_arn], "logs:CreateLogStream", "logs:PutLogEvents")
    for check, reason in _SKIPPED.items():
        skip(function, check, reason)
    acknowledge(function, "L1", "The runtime is the setting `python`, which takes the newest, 3.14, too.")
    return function


def _metrics(settings: Settings) -> dict[str, str]:
    """What makes every count a metric (handlers/metrics.py), where that is asked for."""
    return {METRICS: settings.metrics} if settings.metrics != "few" else {}


def allow(
    function: lambda_.Function, resources: list[str], *actions: str, conditions: Mapping[str, Any] | None = None
) -> None:
    """Let a function's role make some calls on some resources."""
    statement = iam.PolicyStatement(actions=list(actions), resources=resources, conditions=conditions or None)
    function.add_to_role_policy(statement)
