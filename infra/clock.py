"""The clock: a function on a five-minute schedule, with the queue that canaries come back to."""

from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from trailbell.hits.canary import CANARY_PATH

from .findings import acknowledge, wildcard
from .functions import allow, shared_function, told_by_mails
from .ingest_queue import encrypted_queue
from .settings import Settings
from .store import HitTable


_TIMEOUT = Duration.minutes(2)
SCHEDULE = Duration.minutes(5)


class Clock(Construct):
    """Does what is due (lambdas/trailbell/flows/clock.py). Gives `function`, `schedule` and `canaries`, a queue."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        code: Path,
        settings: Settings,
        store: HitTable,
        alert_topic: sns.Topic,
        operations: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        self.canaries = encrypted_queue(self, "Canaries", retention=Duration.days(1))
        reason = "Its messages are canaries: who loses one notices, and sends the next within an hour."
        acknowledge(self.canaries, "SQS3", reason)
        alert_topic.add_subscription(
            subscriptions.SqsSubscription(
                self.canaries, filter_policy={"kind": sns.SubscriptionFilter.string_filter(allowlist=["canary"])}
            )
        )
        self.function = shared_function(
            self,
            "clock",
            code,
            settings,
            timeout=_TIMEOUT,
            memory_mb=256,
            environment={
                "TRAILBELL_TABLE": store.table.table_name,
                "TRAILBELL_OPERATIONS_TOPIC_ARN": operations.topic_arn,
                "TRAILBELL_CANARY_QUEUE_URL": self.canaries.queue_url,
                "TRAILBELL_CANARY_MINUTES": str(settings.canary_minutes),
                "TRAILBELL_REPORT_DAY": settings.report_day,
                **told_by_mails(self, settings),
            },
        )
        self.schedule = events.Rule(
            self,
            "Schedule",
            description="trailbell: the clock does what is due",
            schedule=events.Schedule.rate(SCHEDULE),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],  # the next run is the retry
        )
        self._allow(store, operations)

    def _allow(self, store: HitTable, operations: sns.ITopic) -> None:
        """Rows of canaries (K#) and what is due (D#), the operations topic, its queue, and the canary's own call.

        For reminders: hits (H#) and their states (S#), which it cannot write; follow-ups (O#). For quiet periods: these
        (G#), and whether their hits were notified of (N#). For the weekly report: which were sent (W#); by time (T#)
        what the week's hits, states, delivery records and canaries are.
        """
        self.function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"],
                resources=[store.table.table_arn],
                conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["K#*", "D#*"]}},
            )
        )
        rights = (
            (["dynamodb:Query"], ["H#*", "S#*", "O#*"]),
            (["dynamodb:PutItem"], ["O#*"]),
            (["dynamodb:Query", "dynamodb:PutItem"], ["G#*", "W#*"]),
            (["dynamodb:Query"], ["T#*"]),
            (["dynamodb:BatchGetItem"], ["H#*", "S#*", "N#*", "K#*"]),
        )
        for actions, keys in rights:
            condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}
            allow(self.function, [store.table.table_arn], *actions, conditions=condition)
        allow(self.function, [operations.topic_arn], "sns:Publish")
        allow(self.function, [self.canaries.queue_arn], "sqs:ReceiveMessage", "sqs:DeleteMessage")
        parameters = Stack.of(self).format_arn(service="ssm", resource="parameter", resource_name=f"{CANARY_PATH[1:]}*")
        allow(self.function, [parameters], "ssm:DeleteParameter")
        acknowledge(self, wildcard(self, parameters), "Every canary has a name of its own; no parameter ever has one.")
