"""The stack says what is connected: trail bucket → ingest queue → detector → hit table → notifier → channels."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, CfnResource, Stack
from constructs import Construct

from infra.channels import Channels
from infra.clock import Clock
from infra.dashboard import Dashboard
from infra.findings import acknowledge, skip
from infra.functions import Detector, Notifier
from infra.ingest_queue import IngestQueue
from infra.settings import Settings
from infra.store import HitTable
from infra.trail import TrailBucket
from infra.watch import Watch


class TrailbellStack(Stack):
    """The whole product in one stack; the outputs are what the `trailbell` command looks up."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, code: Path, **options: Any) -> None:
        super().__init__(scope, id, description="trailbell: CloudTrail alerting", **options)
        trail = TrailBucket(self, "Trail", settings)
        ingest_queue = IngestQueue(self, "Ingest", settings, trail)
        store = HitTable(self, "Hits")
        channels = Channels(self, settings)
        detector = Detector(
            self, "Detector", code=code, settings=settings, trail=trail, ingest_queue=ingest_queue, store=store
        )
        notifier = Notifier(self, "Notifier", code=code, settings=settings, store=store, channels=channels)
        watch = self._watch(settings, ingest_queue, detector, notifier)
        clock = Clock(
            self,
            "Clock",
            code=code,
            settings=settings,
            store=store,
            alert_topic=channels.alert_topic,
            operations=watch.topic,
        )
        watch.function("Clock", clock.function)
        watch.clock(settings.canary_minutes)
        if channels.best_effort:
            watch.channels()
        dashboard = Dashboard(
            self,
            "Overview",
            watch=watch,
            ingest_queue=ingest_queue,
            detector=detector,
            store=store,
            notifier=notifier,
            alert_topic=channels.alert_topic,
        )
        self._accept_what_the_cdk_makes()
        if settings.trail_topic_arn:
            self._say_what_others_must_allow(settings, trail, detector)
        self._output("TrailBucket", trail.bucket.bucket_name, "Where log files arrive")
        self._output("HitTable", store.table.table_name, "Query it with: trailbell hits")
        for name, value, description in channels.outputs():
            self._output(name, value, description)
        self._output("Dashboard", dashboard.name, "Flow and promises at a glance, in CloudWatch")
        self._output("IngestQueue", ingest_queue.queue.queue_url, "Notifications to do; trailbell replay sends there")
        self._output("DeadLetters", ingest_queue.dead_letters.queue_url, "Notifications that could not be done")
        self._output("ClockFunction", clock.function.function_name, "Sends canaries: trailbell doctor --fire")
        self._output("AlertDeadLetters", notifier.dead_letters.queue_url, "Hits whose alerts could not be delivered")

    def _watch(self, settings: Settings, ingest_queue: IngestQueue, detector: Detector, notifier: Notifier) -> Watch:
        watch = Watch(self, "Watch", emails=settings.operations_emails or settings.channels["alert_emails"])
        watch.dead_letters("DeadLetters", ingest_queue.dead_letters)
        watch.dead_letters("AlertDeadLetters", notifier.dead_letters)
        watch.backlog(ingest_queue.queue)
        for name, function in (("Detector", detector.function), ("Notifier", notifier.function)):
            watch.function(name, function)
            watch.counts(name)
        watch.stream(notifier.function)
        watch.silence(settings.silence_minutes)
        self._output("OperationsTopic", watch.topic.topic_arn, "Notified when the alerter itself is in trouble")
        return watch

    def _accept_what_the_cdk_makes(self) -> None:
        """Findings in what we do not write: its function for bucket notifications, its needless dependencies."""
        policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        for child in self.node.children:
            if isinstance(child, Construct) and child.node.id.startswith("BucketNotificationsHandler"):
                acknowledge(
                    child, f"IAM4[Policy::{policy}]", "The CDK's own function; all the policy allows is to log."
                )
                function = child.node.find_child("Resource")
                assert isinstance(function, CfnResource)
                for check in ("CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117"):
                    skip(function, check, "The CDK's own function: runs in deployments alone, which fail if it does.")
        # W3005: the CDK writes DependsOn beside a reference that says the same. Harmless, and not ours to leave out.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}

    def _say_what_others_must_allow(self, settings: Settings, trail: TrailBucket, detector: Detector) -> None:
        """Statements for the policies of a topic and a bucket in another account; needless in the same one."""
        subscribe = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{self.partition}:iam::{self.account}:root"},
            "Action": "sns:Subscribe",
            "Resource": settings.trail_topic_arn,
        }
        read = {
            "Effect": "Allow",
            "Principal": {"AWS": detector.role_arn},
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": trail.bucket.arn_for_objects(f"{trail.log_prefix}*"),
        }
        self._output(
            "AllowOnTopic", self.to_json_string(subscribe), "For the topic's policy, if another account has it"
        )
        self._output("AllowOnBucket", self.to_json_string(read), "For the bucket's policy, if another account has it")

    def _output(self, name: str, value: str, description: str) -> None:
        CfnOutput(self, name, value=value, description=description)
