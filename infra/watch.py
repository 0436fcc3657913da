"""The watch over the alerter itself: alarms on every place where a promise could break, sent to operations.

A topic of its own: subscriptions to alerts are filtered by level, which alarms do not have.
"""

from collections.abc import Iterable

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from trailbell.ops.advice import alarm_advice

from .findings import NO_CUSTOMER_KEY, skip


NAMESPACE = "trailbell"
"""Of the functions' own metrics (lambdas/trailbell/handlers)."""

PERIOD = Duration.minutes(5)
"""Of all metrics; CloudTrail delivers about so often."""

_OLDEST_MINUTES = 15  # CloudTrail delivers every five minutes; three deliveries waiting is trouble
_ITERATOR_AGE_MINUTES = 5
_HANDOVER_PERIODS = 12  # an hour


class Watch(Construct):
    """Gives `topic`, where operations are notified, and `alarms` by name."""

    def __init__(self, scope: Construct, id: str, *, emails: Iterable[str]) -> None:
        super().__init__(scope, id)
        self.alarms: dict[str, cloudwatch.Alarm] = {}
        self.topic = sns.Topic(self, "Topic", display_name="trailbell operations", enforce_ssl=True)
        skip(self.topic, "CKV_AWS_26", NO_CUSTOMER_KEY)
        self.topic.add_to_resource_policy(self._alarms_of_this_account())
        for address in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))

    def _alarms_of_this_account(self) -> iam.PolicyStatement:
        """A topic with a policy of its own no longer lets alarms publish; another account's are none of ours.

        https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
        """
        stack = Stack.of(self)
        alarms = stack.format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        return iam.PolicyStatement(
            sid="1",  # CloudFormation compares statements by it
            actions=["sns:Publish"],
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            resources=[self.topic.topic_arn],
            conditions={
                "ArnLike": {"aws:SourceArn": alarms},
                "StringEquals": {"aws:SourceAccount": stack.account},
            },
        )

    def dead_letters(self, name: str, queue: sqs.Queue) -> None:
        """Something waits in a dead-letter queue."""
        metric = queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
        self._alarm(f"{name}NotEmpty", metric, 1)

    def backlog(self, queue: sqs.Queue) -> None:
        """Notifications wait longer than they should."""
        metric = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum")
        self._alarm("OldestNotification", metric, _OLDEST_MINUTES * 60)

    def function(self, name: str, function: lambda_.Function) -> None:
        """A function fails or is throttled."""
        errors = function.metric_errors(period=PERIOD, statistic="Sum")
        self._alarm(f"{name}Errors", errors, 1)
        throttles = function.metric_throttles(period=PERIOD, statistic="Sum")
        self._alarm(f"{name}Throttled", throttles, 1)

    def counts(self, name: str) -> None:
        """A function's counts do not add up."""
        self._alarm(f"{name}CountMismatch", own_metric(name.lower(), "CountMismatch"), 1)

    def stream(self, function: lambda_.Function) -> None:
        """Hits wait to be delivered, or cannot be."""
        age = function.metric("IteratorAge", period=PERIOD, statistic="Maximum")
        self._alarm("DeliveryDelayed", age, _ITERATOR_AGE_MINUTES * 60_000)
        failed = own_metric("notifier", "HitsFailed")
        self._alarm("DeliveryFailing", failed, 1)

    def channels(self) -> None:
        """Alerts do not reach a channel beside the alert topic; nobody tries again."""
        failed = own_metric("notifier", "ChannelsFailed")
        self._alarm("ChannelFailing", failed, 1)

    def live_events(self) -> None:
        """An event that claims to be another account's or service's than it is: none that AWS sent does."""
        self._alarm("LiveEventsRefused", own_metric("detector", "LiveEventsRefused"), 1)

    def handover(self) -> None:
        """Hits are kept and the notifier receives none: what is between the two was cut, and neither has failed.

        A hit that is kept at the end of a period and received at the beginning of the next makes one such period, so
        it takes two of them within the hour. A hit that stays alone is the canary's to find.
        """
        kept_only = own_metric("handover", "HitsNotReceived", statistic="Minimum")
        self._alarm("HitsNotReceived", kept_only, 1, periods=_HANDOVER_PERIODS, breaching=2)

    def silence(self, minutes: int) -> None:
        """The dead-man's switch: no log file was read for so long.

        Read, and not received: an object that is ignored, or that fails, says nothing about the trail.
        """
        if minutes:
            metric = own_metric("detector", "ObjectsRead")
            self._alarm("Silence", metric, 1, below=True, periods=max(minutes // 5, 1))

    def clock(self, canary_minutes: int) -> None:
        """The clock has not run, or its canaries do not come back: both are counts that stop."""
        self._alarm("ClockStopped", own_metric("clock", "ClockRuns"), 1, below=True, periods=3)
        if canary_minutes:
            returned = own_metric("clock", "CanariesReturned")
            self._alarm("CanaryMissing", returned, 1, below=True, periods=(60 + canary_minutes) // 5 + 3)

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        *,
        below: bool = False,
        periods: int = 1,
        breaching: int | None = None,
    ) -> None:
        """An alarm whose description is the table's advice on it (ops/advice.toml), which must have one.

        periods, breaching: it fires when so many of the last so many periods are over the threshold, by default all.
        """
        operators = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            datapoints_to_alarm=breaching,
            alarm_description=alarm_advice(name).text,
            comparison_operator=operators.LESS_THAN_THRESHOLD
            if below
            else operators.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # A count that is missing is a count of nothing: fine for failures, the very thing for silence.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING
            if below
            else cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))
        self.alarms[name] = alarm


def own_metric(service: str, name: str, statistic: str = "Sum", label: str | None = None) -> cloudwatch.Metric:
    """A metric that one of the functions emits itself."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": service},
        period=PERIOD,
        statistic=statistic,
        label=label,
    )
