"""The stack says what is connected: trail bucket → feed → detector → hit table → notifier → alert topic."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.feed import Feed
from infra.functions import Detector, Notifier
from infra.settings import Settings
from infra.store import HitTable
from infra.topic import AlertTopic
from infra.trail import TrailBucket


class TrailAlertStack(Stack):
    """The whole product in one stack; the outputs are what the `trailalert` command looks up."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, code: Path, **options: Any) -> None:
        super().__init__(scope, id, description="trailalert: CloudTrail alerting", **options)
        trail = TrailBucket(self, "Trail", settings)
        feed = Feed(self, "Feed", trail)
        store = HitTable(self, "Hits")
        alerts = AlertTopic(self, "Alerts", settings.alert_emails)
        Detector(self, "Detector", code=code, settings=settings, trail=trail, feed=feed, store=store)
        notifier = Notifier(self, "Notifier", code=code, settings=settings, store=store, alerts=alerts)
        self._output("TrailBucket", trail.bucket.bucket_name, "Where log files arrive")
        self._output("HitTable", store.table.table_name, "Query it with: trailalert hits")
        self._output("AlertTopic", alerts.topic.topic_arn, "Subscribe inboxes, queues and chat here")
        self._output("DeadLetters", feed.dead_letters.queue_url, "Notifications that could not be done")
        self._output("AlertDeadLetters", notifier.dead_letters.queue_url, "Hits that could not be told")

    def _output(self, name: str, value: str, description: str) -> None:
        CfnOutput(self, name, value=value, description=description)
