"""The audit: a function with a queue of digests; it compares what CloudTrail says it delivered with what was read."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .findings import acknowledge, wildcard
from .functions import POLLER, Detector, allow, shared_function
from .ingest_queue import IngestQueue, encrypted_queue
from .settings import Settings
from .store import HitTable
from .trail import TrailBucket


_TIMEOUT = Duration.minutes(2)
_VISIBILITY = Duration.minutes(12)  # six times as long, as for the ingest queue
_MAX_RECEIVES = 5
_BATCH = 1  # one digest may need most of the memory, and one that kills the function takes no other with it
_SCHEDULE = Duration.hours(1)


class Audit(Construct):
    """Audits digests (lambdas/trailbell/flows/audit.py). Gives `function`, `queue` and `dead_letters`.

    A queue and not the clock's due rows: SQS delays, tries again and keeps what cannot be done; the clock needs no
    library for signatures and no right to write hits; and neither waits for the other.
    """

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
        detector: Detector,
    ) -> None:
        super().__init__(scope, id)
        self.dead_letters = encrypted_queue(self, "DeadLetters")
        self.queue = encrypted_queue(
            self,
            "Digests",
            visibility=_VISIBILITY,
            dead_letters=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MAX_RECEIVES),
        )
        self.function = shared_function(
            self,
            "audit",
            code,
            settings,
            timeout=_TIMEOUT,
            memory_mb=512,
            environment={
                "TRAILBELL_TABLE": store.table.table_name,
                "TRAILBELL_RETENTION_DAYS": str(settings.hit_retention_days),
                "TRAILBELL_AUDIT_QUEUE_URL": self.queue.queue_url,
                "TRAILBELL_INGEST_QUEUE_URL": ingest_queue.queue.queue_url,
            },
        )
        self._allow_table(store)
        self._allow_bucket(trail)
        allow(self.function, [self.queue.queue_arn], *POLLER, "sqs:SendMessage")
        allow(self.function, [ingest_queue.queue.queue_arn], "sqs:SendMessage")
        lambda_.EventSourceMapping(
            self,
            "FromQueue",
            target=self.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=_BATCH,
            report_batch_item_failures=True,
        )
        events.Rule(
            self,
            "Schedule",
            description="trailbell: digests that are overdue",
            schedule=events.Schedule.rate(_SCHEDULE),
            targets=[targets.LambdaFunction(self.function, retry_attempts=0)],  # the next run is the retry
        )
        detector.function.add_environment("TRAILBELL_AUDIT_QUEUE_URL", self.queue.queue_url)
        allow(detector.function, [self.queue.queue_arn], "sqs:SendMessage")

    def _allow_table(self, store: HitTable) -> None:
        """What was read (L#), and the hours in doubt (L#late); the audit's own rows (V#); findings, which are hits with
        their pointers; by rule (R#) who switched a trail off.
        """
        hits = ["H#*", "T#*", "R#*", "P#*", "X#*", "A#*"]
        rights = (
            (["Query"], ["L#*", "V#*", "H#*", "R#*"]),
            (["PutItem"], ["V#*", "L#late", *hits]),
            (["BatchWriteItem"], hits),
            (["DeleteItem"], ["L#late"]),
        )
        for actions, keys in rights:
            condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}
            named = [f"dynamodb:{action}" for action in actions]
            allow(self.function, [store.table.table_arn], *named, conditions=condition)

    def _allow_bucket(self, trail: TrailBucket) -> None:
        """Digests and no log files; and to be told that one is gone: who may not list a bucket is told "denied" of it.

        They are never encrypted with a key of the trail's.
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        digests = trail.bucket.arn_for_objects(f"{trail.log_prefix}*/CloudTrail-Digest/*")
        allow(self.function, [digests], "s3:GetObject")
        allow(self.function, [trail.bucket.bucket_arn], "s3:ListBucket")
        acknowledge(self, wildcard(self, digests), "Every digest has a name of its own; nothing else can be read.")
        allow(self.function, ["*"], "cloudtrail:ListPublicKeys")
        acknowledge(self, wildcard(self, "*"), "cloudtrail:ListPublicKeys takes no resource.")
