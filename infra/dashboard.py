"""The dashboard: on top the state of each promise, below it the flow from left to right, on one screen.

trail → queue → detector → hit table → notifier → topic, one column each.
"""

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from .functions import Detector, Notifier
from .ingest_queue import IngestQueue
from .store import HitTable
from .watch import PERIOD, Watch, own_metric
from .widgets import WIDTH, OwnCounts, graph, text


_PROMISES = {
    "Nothing goes unseen: log files keep coming, and canaries come back.": (
        *("Silence", "CanaryMissing"),
        "ClockStopped",
    ),
    "Nothing waits: log files are read, and alerts delivered, within minutes.": (
        "OldestNotification",
        "DeliveryDelayed",
    ),
    "Nothing is dropped: the dead-letter queues are empty.": (
        *("DeadLettersNotEmpty", "AlertDeadLettersNotEmpty"),
        "AuditDeadLettersNotEmpty",
    ),
    "Nothing fails: all functions run, and as often as they must.": (
        *("AuditErrors", "AuditThrottled"),
        *("ClockErrors", "ClockThrottled"),
        *("DetectorErrors", "DetectorThrottled"),
        *("NotifierErrors", "NotifierThrottled"),
    ),
    "Nothing is lost in silence: all that came in is accounted for.": (
        "DetectorCountMismatch",
        "NotifierCountMismatch",
    ),
    "Everybody is notified: every hit's alert is delivered.": (
        *("HitsNotReceived", "DeliveryFailing"),
        "ChannelFailing",
    ),
}
"""Promise → the alarms that say when it is broken (infra/watch.py)."""

_NOT_WATCHED = "Nobody watches this: the setting silence_minutes is 0."


class Dashboard(Construct):
    """Gives `name`. It has the region in it: all regions of an account share one list of dashboards."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        watch: Watch,
        ingest_queue: IngestQueue,
        detector: Detector,
        store: HitTable,
        notifier: Notifier,
        alert_topic: sns.Topic,
        clock: lambda_.Function,
        audit: lambda_.Function | None,
        every_metric: bool,
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        self.name = f"{stack.stack_name}-{stack.region}"
        functions = {"detector": detector.function, "notifier": notifier.function, "clock": clock}
        counts = OwnCounts(functions | ({"audit": audit} if audit else {}), every_metric=every_metric)
        flow = {
            "Trail: log files arrive": _trail(counts, watch),
            "Queue: they wait to be read": _queue(ingest_queue, notifier),
            "Detector: records meet rules": _detector(counts, detector),
            "Hit table: hits are kept": _table(counts, store),
            "Notifier: hits become alerts": _notifier(counts, notifier),
            "Topic: alerts go out": _topic(counts, alert_topic),
        }
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self.name,
            default_interval=Duration.hours(12),
            widgets=[
                [text(f"**{promise}**", height=2) for promise in _PROMISES],
                [_state(names, watch) for names in _PROMISES.values()],
                [text(f"### {stage}", height=1) for stage in flow],
                *(list(row) for row in zip(*flow.values(), strict=True)),
                *([_audit(counts)] if audit else []),
            ],
        )


def _state(names: Sequence[str], watch: Watch) -> cloudwatch.IWidget:
    """The state of the alarms behind a promise; without alarms is only the silence, where it is switched off."""
    alarms = [watch.alarms[name] for name in names if name in watch.alarms]
    if not alarms:
        return text(_NOT_WATCHED, height=3)
    return cloudwatch.AlarmStatusWidget(alarms=alarms, title="", width=WIDTH, height=3)


def _trail(counts: OwnCounts, watch: Watch) -> list[cloudwatch.IWidget]:
    alarm = watch.alarms.get("Silence")
    silence = (
        cloudwatch.AlarmWidget(alarm=alarm, title="Silence", width=WIDTH, height=5)
        if alarm
        else text(_NOT_WATCHED, height=5)
    )
    return [
        counts.graph("Log files", {"received": "detector.ObjectsReceived"}),
        silence,
        counts.graph("Bytes read", {"bytes, inflated": "detector.BytesInflated"}),
    ]


def _queue(ingest_queue: IngestQueue, notifier: Notifier) -> list[cloudwatch.IWidget]:
    visible = ingest_queue.queue.metric_approximate_number_of_messages_visible(
        period=PERIOD, statistic="Maximum", label="visible"
    )
    oldest = ingest_queue.queue.metric_approximate_age_of_oldest_message(
        period=PERIOD, statistic="Maximum", label="seconds"
    )
    dead = [
        queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum", label=label)
        for label, queue in (("log files", ingest_queue.dead_letters), ("hits", notifier.dead_letters))
    ]
    failed = own_metric("detector", "MessagesFailed", label="tries that failed")
    return [graph("Waiting", [visible, failed]), graph("Oldest", [oldest]), graph("Dead letters", dead)]


def _detector(counts: OwnCounts, detector: Detector) -> list[cloudwatch.IWidget]:
    objects = {
        "read": "detector.ObjectsRead",
        "ignored": "detector.ObjectsIgnored",
        "failed": "detector.ObjectsFailed",
        "deferred": "detector.ObjectsDeferred",
    }
    records = {
        "matched": "detector.RecordsMatchedAgainstRules",
        "not watched": "detector.RecordsNotWatched",
        "malformed": "detector.RecordsMalformed",
    }
    return [
        counts.graph("Log files", objects),
        counts.graph("Records", records),
        _runs(detector.function),
    ]


def _table(counts: OwnCounts, store: HitTable) -> list[cloudwatch.IWidget]:
    hits = {"new": "detector.HitsNew", "known": "detector.HitsKnown", "muted": "detector.HitsMuted"}
    late = own_metric("detector", "SlowestEventToHit", statistic="Maximum", label="seconds")
    throttled = [
        store.table.metric(f"{kind}ThrottleEvents", period=PERIOD, statistic="Sum", label=f"{kind.lower()}s")
        for kind in ("Read", "Write")
    ]
    return [
        counts.graph("Hits", hits),
        graph("Event to hit, slowest", [late]),
        graph("Throttled", throttled),
    ]


def _notifier(counts: OwnCounts, notifier: Notifier) -> list[cloudwatch.IWidget]:
    hits = {
        "notified": "notifier.HitsNotified",
        "notified before": "notifier.HitsNotifiedBefore",
        "failed": "notifier.HitsFailed",
        "deferred": "notifier.HitsDeferred",
        "held": "notifier.HitsHeld",
    }
    age = notifier.function.metric("IteratorAge", period=PERIOD, statistic="Maximum", label="milliseconds")
    return [
        counts.graph("Hits", hits),
        graph("Oldest undelivered hit", [age]),
        _runs(notifier.function),
    ]


def _audit(counts: OwnCounts) -> list[cloudwatch.IWidget]:
    """What CloudTrail says it delivered against what was read; below the flow, as it looks back at it."""
    digests = {"audited": "audit.DigestsAudited", "failed": "audit.DigestsFailed"}
    log_files = {"listed": "audit.LogFilesListed", "asked for again": "audit.LogFilesRepaired"}
    graphs = {
        "Audit: digests": digests,
        "Audit: log files": log_files,
        "Audit: findings": {"new": "audit.AuditFindings"},
    }
    return [counts.graph(title, names) for title, names in graphs.items()]


def _topic(counts: OwnCounts, topic: sns.Topic) -> list[cloudwatch.IWidget]:
    sent = own_metric("notifier", "AlertsSent", label="sent")
    others = {
        "to other channels": "ChannelsNotified",
        "not to other channels": "ChannelsFailed",
        "follow-ups": "FollowUpsSent",
        "follow-ups that failed": "FollowUpsFailed",
    }
    channels = [own_metric("notifier", name, label=label) for label, name in others.items()]
    published = topic.metric_number_of_messages_published(period=PERIOD, statistic="Sum", label="published")
    failed = topic.metric_number_of_notifications_failed(period=PERIOD, statistic="Sum", label="failed")
    late = {"seconds": "notifier.SlowestEventToAlert", "canary": "clock.CanarySeconds"}
    returned = own_metric("clock", "CanariesReturned", label="canaries back")
    missing = own_metric("clock", "CanariesMissing", label="canaries missing")
    return [
        graph("Alerts", [sent, published, *channels, returned]),
        counts.graph("Event to alert, slowest", late, statistic="Maximum"),
        graph("Deliveries that failed", [failed, missing]),
    ]


def _runs(function: lambda_.Function) -> cloudwatch.IWidget:
    errors = function.metric_errors(period=PERIOD, statistic="Sum", label="errors")
    throttles = function.metric_throttles(period=PERIOD, statistic="Sum", label="throttles")
    duration = function.metric_duration(period=PERIOD, statistic="Maximum", label="longest, ms")
    return graph("Runs", [errors, throttles], right=[duration])
