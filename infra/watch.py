"""The watch over the alerter itself: alarms on every place where a promise could break, sent to operations.

A topic of its own: subscriptions to alerts are filtered by level, which alarms do not have.
"""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.findings import NO_CUSTOMER_KEY, skip


NAMESPACE = "trailbell"
"""Of the functions' own metrics (lambdas/trailbell/handlers)."""

PERIOD = Duration.minutes(5)
"""Of all metrics; CloudTrail delivers about so often."""

_OLDEST_MINUTES = 15  # CloudTrail delivers every five minutes; three deliveries waiting is trouble
_ITERATOR_AGE_MINUTES = 5


class Watch(Construct):
    """Gives `topic`, where operations are notified, and `alarms` by name."""

    def __init__(self, scope: Construct, id: str, *, emails: Iterable[str]) -> None:
        super().__init__(scope, id)
        self.alarms: dict[str, cloudwatch.Alarm] = {}
        self.topic = sns.Topic(self, "Topic", display_name="trailbell operations", enforce_ssl=True)
        skip(self.topic, "CKV_AWS_26", NO_CUSTOMER_KEY)
        # A topic with a policy of its own no longer lets the account's alarms publish.
        self.topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        for address in emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))

    def dead_letters(self, name: str, queue: sqs.Queue, meaning: str) -> None:
        """Something waits in a dead-letter queue."""
        metric = queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
        self._alarm(f"{name}NotEmpty", metric, 1, meaning)

    def backlog(self, queue: sqs.Queue) -> None:
        """Notifications wait longer than they should."""
        metric = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="Maximum")
        meaning = "Notifications wait: the detector is failing, throttled or too slow. See its log and its errors."
        self._alarm("OldestNotification", metric, _OLDEST_MINUTES * 60, meaning)

    def function(self, name: str, function: lambda_.Function) -> None:
        """A function fails, is throttled, or its counts do not add up."""
        errors = function.metric_errors(period=PERIOD, statistic="Sum")
        self._alarm(f"{name}Errors", errors, 1, f"The {name.lower()} ends with an error. See its log.")
        throttles = function.metric_throttles(period=PERIOD, statistic="Sum")
        self._alarm(
            f"{name}Throttled", throttles, 1, f"The {name.lower()} is throttled: raise the account's concurrency."
        )
        broken = own_metric(name.lower(), "CountMismatch")
        meaning = (
            f"The {name.lower()}'s counts do not add up: something was lost in silence. This is a defect; keep its log."
        )
        self._alarm(f"{name}CountMismatch", broken, 1, meaning)

    def stream(self, function: lambda_.Function) -> None:
        """Alerts are delayed, or cannot be delivered."""
        age = function.metric("IteratorAge", period=PERIOD, statistic="Maximum")
        meaning = "Alerts are delayed: the notifier is failing or too slow. Their hits are in the table meanwhile."
        self._alarm("DeliveryDelayed", age, _ITERATOR_AGE_MINUTES * 60_000, meaning)
        failed = own_metric("notifier", "HitsFailed")
        self._alarm(
            "DeliveryFailing", failed, 1, "Alerts cannot be published; they are tried again. See the notifier's log."
        )

    def channels(self) -> None:
        """A channel beside the alert topic does not get its alerts; nobody tries again."""
        failed = own_metric("notifier", "ChannelsFailed")
        meaning = "Alerts do not reach a channel, though mails go out. See the notifier's log, which names it."
        self._alarm("ChannelFailing", failed, 1, meaning)

    def silence(self, minutes: int) -> None:
        """The dead-man's switch: no log file has come for so long."""
        if minutes:
            metric = own_metric("detector", "ObjectsReceived")
            meaning = f"No log file for {minutes} minutes: is the trail logging, and do notifications reach the queue?"
            self._alarm("Silence", metric, 1, meaning, below=True, periods=max(minutes // 5, 1))

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        threshold: float,
        meaning: str,
        *,
        below: bool = False,
        periods: int = 1,
    ) -> None:
        operators = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            alarm_description=meaning,
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
