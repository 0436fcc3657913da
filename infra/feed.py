"""The feed: object-created notifications of the trail bucket, kept in a queue until they are done.

A queue, because S3 → Lambda throws a notification away after two retries.
"""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.trail import TrailBucket


DETECTOR_TIMEOUT = Duration.minutes(2)

# AWS advises six times the function's time-out, so that a throttled batch is not seen twice meanwhile.
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_VISIBILITY = Duration.minutes(12)
_MAX_RECEIVES = 5
_RETENTION = Duration.days(14)  # the longest there is: time to notice, mend and redrive


class Feed(Construct):
    """Gives `queue` (notifications to do) and `dead_letters` (those that could not be done)."""

    def __init__(self, scope: Construct, id: str, trail: TrailBucket) -> None:
        super().__init__(scope, id)
        self.dead_letters = encrypted_queue(self, "DeadLetters")
        self.queue = encrypted_queue(
            self,
            "Queue",
            visibility=_VISIBILITY,
            dead_letters=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MAX_RECEIVES),
        )
        # For an imported bucket the CDK merges this into the notifications the bucket already has.
        trail.bucket.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            notifications.SqsDestination(self.queue),
            s3.NotificationKeyFilter(prefix=trail.log_prefix),
        )


def encrypted_queue(
    scope: Construct,
    id: str,
    visibility: Duration | None = None,
    dead_letters: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """A queue encrypted with SQS's own key: a customer key is one an attacker can disable to silence us."""
    return sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=_RETENTION,
        visibility_timeout=visibility,
        dead_letter_queue=dead_letters,
        removal_policy=RemovalPolicy.DESTROY,
    )
