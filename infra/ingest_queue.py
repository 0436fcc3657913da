"""The ingest queue: object-created notifications of the trail bucket, kept in a queue until they are done.

A queue, because S3 → Lambda throws a notification away after two retries.
"""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.findings import NO_CUSTOMER_KEY, skip
from infra.settings import Settings
from infra.trail import TrailBucket


# AWS advises six times the function's time-out, so that a throttled batch is not seen twice meanwhile.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_VISIBILITY = 6
_MAX_RECEIVES = 5
_RETENTION = Duration.days(14)  # the longest there is: time to notice, fix and redrive


class IngestQueue(Construct):
    """Gives `queue` (notifications to do) and `dead_letters` (those that could not be done).

    Notifications come straight from the bucket, or from a topic, or through EventBridge, as the settings say.
    """

    def __init__(self, scope: Construct, id: str, settings: Settings, trail: TrailBucket) -> None:
        super().__init__(scope, id)
        self.dead_letters = encrypted_queue(self, "DeadLetters")
        self.queue = encrypted_queue(
            self,
            "Queue",
            visibility=Duration.seconds(settings.detector_seconds * _VISIBILITY),
            dead_letters=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MAX_RECEIVES),
        )
        if settings.trail_topic_arn:
            self._from_topic(settings.trail_topic_arn)
        elif settings.eventbridge:
            self._from_eventbridge(trail)
        else:
            # For an imported bucket the CDK merges this into the notifications the bucket already has.
            prefix = s3.NotificationKeyFilter(prefix=trail.log_prefix)
            trail.bucket.add_event_notification(
                s3.EventType.OBJECT_CREATED, notifications.SqsDestination(self.queue), prefix
            )

    def _from_topic(self, topic_arn: str) -> None:
        """The topic may be S3's or CloudTrail's own, here or in another account; the envelope tells them apart."""
        topic = sns.Topic.from_topic_arn(self, "Topic", topic_arn)
        topic.add_subscription(subscriptions.SqsSubscription(self.queue))

    def _from_eventbridge(self, trail: TrailBucket) -> None:
        pattern = events.EventPattern(
            source=["aws.s3"],
            detail_type=["Object Created"],
            detail={"bucket": {"name": [trail.bucket.bucket_name]}, "object": {"key": [{"prefix": trail.log_prefix}]}},
        )
        rule = events.Rule(self, "Created", event_pattern=pattern, description="Log files of the trail bucket")
        rule.add_target(targets.SqsQueue(self.queue))


def encrypted_queue(
    scope: Construct,
    id: str,
    visibility: Duration | None = None,
    dead_letters: sqs.DeadLetterQueue | None = None,
    retention: Duration = _RETENTION,
) -> sqs.Queue:
    """A queue encrypted with SQS's own key."""
    queue = sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=retention,
        visibility_timeout=visibility,
        dead_letter_queue=dead_letters,
        removal_policy=RemovalPolicy.DESTROY,
    )
    skip(queue, "CKV_AWS_27", NO_CUSTOMER_KEY)
    return queue
