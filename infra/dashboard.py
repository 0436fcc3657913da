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
_SCREEN = 24  # columns, as CloudWatch counts
_WIDTH = _SCREEN // len(_PROMISES)


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
        audited: bool,
    ) -> None:
        super().__init__(scope, id)
        stack = Stack.of(self)
        self.name = f"{stack.stack_name}-{stack.region}"
        flow = {
            "Trail: log files arrive": _trail(watch),
            "Queue: they wait to be read": _queue(ingest_queue, notifier),
            "Detector: records meet rules": _detector(detector),
            "Hit table: hits are kept": _table(store),
            "Notifier: hits become alerts": _notifier(notifier),
            "Topic: alerts go out": _topic(alert_topic),
        }
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self.name,
            default_interval=Duration.hours(12),
            widgets=[
                [_text(f"**{promise}**", height=2) for promise in _PROMISES],
                [_state(names, watch) for names in _PROMISES.values()],
                [_text(f"### {stage}", height=1) for stage in flow],
                *(list(row) for row in zip(*flow.values(), strict=True)),
                *([_audit()] if audited else []),
            ],
        )


def _state(names: Sequence[str], watch: Watch) -> cloudwatch.IWidget:
    """The state of the alarms behind a promise; without alarms is only the silence, where it is switched off."""
    alarms = [watch.alarms[name] for name in names if name in watch.alarms]
    if not alarms:
        return _text(_NOT_WATCHED, height=3)
    return cloudwatch.AlarmStatusWidget(alarms=alarms, title="", width=_WIDTH, height=3)


def _trail(watch: Watch) -> list[cloudwatch.IWidget]:
    received = own_metric("detector", "ObjectsReceived", label="received")
    inflated = own_metric("detector", "BytesInflated", label="bytes, inflated")
    alarm = watch.alarms.get("Silence")
    silence = (
        cloudwatch.AlarmWidget(alarm=alarm, title="Silence", width=_WIDTH, height=5)
        if alarm
        else _text(_NOT_WATCHED, height=5)
    )
    return [_graph("Log files", [received]), silence, _graph("Bytes read", [inflated])]


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
    return [_graph("Waiting", [visible, failed]), _graph("Oldest", [oldest]), _graph("Dead letters", dead)]


def _detector(detector: Detector) -> list[cloudwatch.IWidget]:
    objects = {
        "read": "ObjectsRead",
        "ignored": "ObjectsIgnored",
        "failed": "ObjectsFailed",
        "deferred": "ObjectsDeferred",
    }
    records = {
        "matched": "RecordsMatchedAgainstRules",
        "not watched": "RecordsNotWatched",
        "malformed": "RecordsMalformed",
    }
    return [
        _graph("Log files", [own_metric("detector", name, label=label) for label, name in objects.items()]),
        _graph("Records", [own_metric("detector", name, label=label) for label, name in records.items()]),
        _runs(detector.function),
    ]


def _table(store: HitTable) -> list[cloudwatch.IWidget]:
    hits = {"new": "HitsNew", "known": "HitsKnown", "muted": "HitsMuted"}
    late = own_metric("detector", "SlowestEventToHit", statistic="Maximum", label="seconds")
    throttled = [
        store.table.metric(f"{kind}ThrottleEvents", period=PERIOD, statistic="Sum", label=f"{kind.lower()}s")
        for kind in ("Read", "Write")
    ]
    return [
        _graph("Hits", [own_metric("detector", name, label=label) for label, name in hits.items()]),
        _graph("Event to hit, slowest", [late]),
        _graph("Throttled", throttled),
    ]


def _notifier(notifier: Notifier) -> list[cloudwatch.IWidget]:
    hits = {
        "notified": "HitsNotified",
        "notified before": "HitsNotifiedBefore",
        "failed": "HitsFailed",
        "deferred": "HitsDeferred",
        "held": "HitsHeld",
    }
    age = notifier.function.metric("IteratorAge", period=PERIOD, statistic="Maximum", label="milliseconds")
    return [
        _graph("Hits", [own_metric("notifier", name, label=label) for label, name in hits.items()]),
        _graph("Oldest undelivered hit", [age]),
        _runs(notifier.function),
    ]


def _audit() -> list[cloudwatch.IWidget]:
    """What CloudTrail says it delivered against what was read; below the flow, as it looks back at it."""
    digests = {"audited": "DigestsAudited", "failed": "DigestsFailed"}
    log_files = {"listed": "LogFilesListed", "asked for again": "LogFilesRepaired"}
    graphs = {"Audit: digests": digests, "Audit: log files": log_files, "Audit: findings": {"new": "AuditFindings"}}
    return [
        _graph(title, [own_metric("audit", name, label=label) for label, name in metrics.items()])
        for title, metrics in graphs.items()
    ]


def _topic(topic: sns.Topic) -> list[cloudwatch.IWidget]:
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
    late = own_metric("notifier", "SlowestEventToAlert", statistic="Maximum", label="seconds")
    canary = own_metric("clock", "CanarySeconds", statistic="Maximum", label="canary")
    returned = own_metric("clock", "CanariesReturned", label="canaries back")
    missing = own_metric("clock", "CanariesMissing", label="canaries missing")
    return [
        _graph("Alerts", [sent, published, *channels, returned]),
        _graph("Event to alert, slowest", [late, canary]),
        _graph("Deliveries that failed", [failed, missing]),
    ]


def _runs(function: lambda_.Function) -> cloudwatch.IWidget:
    errors = function.metric_errors(period=PERIOD, statistic="Sum", label="errors")
    throttles = function.metric_throttles(period=PERIOD, statistic="Sum", label="throttles")
    duration = function.metric_duration(period=PERIOD, statistic="Maximum", label="longest, ms")
    return _graph("Runs", [errors, throttles], right=[duration])


def _graph(
    title: str, left: Sequence[cloudwatch.IMetric], right: Sequence[cloudwatch.IMetric] = ()
) -> cloudwatch.IWidget:
    from_zero = cloudwatch.YAxisProps(min=0, show_units=False)
    return cloudwatch.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_y_axis=from_zero,
        right_y_axis=from_zero,
        width=_WIDTH,
        height=5,
    )


def _text(markdown: str, height: int) -> cloudwatch.IWidget:
    background = cloudwatch.TextWidgetBackground.TRANSPARENT
    return cloudwatch.TextWidget(markdown=markdown, background=background, width=_WIDTH, height=height)
