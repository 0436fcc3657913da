"""The alerter says what is connected: trail bucket → ingest queue → detector → hit table → notifier → channels."""

from pathlib import Path

from aws_cdk import CfnOutput, CfnResource, Stack
from constructs import Construct

from trailbell.rulebook.live_patterns import LivePatterns

from .audit import Audit
from .channels import Channels
from .clock import Clock
from .dashboard import Dashboard
from .findings import acknowledge, skip
from .functions import Detector, Notifier
from .ingest_queue import IngestQueue
from .live import LiveEvents
from .settings import Settings
from .silence import Silence
from .store import HitTable
from .trail import TrailBucket
from .watch import Watch


_NOTHING_LIVE = LivePatterns()


class Alerter(Construct):
    """The whole product in one construct; the stack's outputs are what the `trailbell` command looks up.

    Called "Default" it adds nothing to the logical ids of what is in it; those of deployed stacks were made so.
    https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: Settings,
        code: Path,
        audit_code: Path,
        live: LivePatterns = _NOTHING_LIVE,
    ) -> None:
        """live: what EventBridge is asked for, where the setting `live` is on."""
        super().__init__(scope, id)
        trail = TrailBucket(self, "Trail", settings)
        ingest_queue = IngestQueue(self, "Ingest", settings, trail)
        store = HitTable(self, "Hits")
        channels = Channels(self, settings)
        detector = Detector(
            self, "Detector", code=code, settings=settings, trail=trail, ingest_queue=ingest_queue, store=store
        )
        notifier = Notifier(self, "Notifier", code=code, settings=settings, store=store, channels=channels)
        assert notifier.function.role
        channels.accept_only(notifier.function.role)
        Silence(self, "Silence", detector=detector, store=store)
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
        if settings.live:
            events = LiveEvents(self, "Live", settings=settings, patterns=live, ingest_queue=ingest_queue)
            watch.live_events()
            self._output("CentralBus", events.central_arn, "Where members forward to: trailbell members")
        audit = None
        if settings.audit:
            audit = Audit(
                self,
                "Audit",
                code=audit_code,
                settings=settings,
                trail=trail,
                ingest_queue=ingest_queue,
                store=store,
                detector=detector,
            )
            watch.dead_letters("AuditDeadLetters", audit.dead_letters)
            watch.function("Audit", audit.function)
            self._output("AuditDeadLetters", audit.dead_letters.queue_url, "Digests that could not be audited")
        dashboard = Dashboard(
            self,
            "Overview",
            watch=watch,
            ingest_queue=ingest_queue,
            detector=detector,
            store=store,
            notifier=notifier,
            alert_topic=channels.alert_topic,
            clock=clock.function,
            audit=audit.function if audit else None,
            every_metric=settings.metrics == "all",
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
        watch.handover()
        watch.silence(settings.silence_minutes)
        self._output("OperationsTopic", watch.topic.topic_arn, "Notified when the alerter itself is in trouble")
        return watch

    def _accept_what_the_cdk_makes(self) -> None:
        """Findings in what we do not write: its function for bucket notifications, its needless dependencies."""
        policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        stack = Stack.of(self)
        for child in stack.node.children:
            if isinstance(child, Construct) and child.node.id.startswith("BucketNotificationsHandler"):
                acknowledge(
                    child, f"IAM4[Policy::{policy}]", "The CDK's own function; all the policy allows is to log."
                )
                function = child.node.find_child("Resource")
                assert isinstance(function, CfnResource)
                for check in ("CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117"):
                    skip(function, check, "The CDK's own function: runs in deployments alone, which fail if it does.")
        # W3005: the CDK writes DependsOn beside a reference that says the same. Harmless, and not ours to leave out.
        stack.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})

    def _say_what_others_must_allow(self, settings: Settings, trail: TrailBucket, detector: Detector) -> None:
        """Statements for the policies of a topic and a bucket in another account; needless in the same one."""
        stack = Stack.of(self)
        subscribe = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{stack.partition}:iam::{stack.account}:root"},
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
            "AllowOnTopic", stack.to_json_string(subscribe), "For the topic's policy, if another account has it"
        )
        self._output("AllowOnBucket", stack.to_json_string(read), "For the bucket's policy, if another account has it")

    def _output(self, name: str, value: str, description: str) -> None:
        """Its logical id is its name wherever the construct stands: the command knows no other."""
        CfnOutput(self, name, value=value, description=description).override_logical_id(name)
