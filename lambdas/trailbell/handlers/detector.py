"""Lambda's way into the detector: an SQS batch (or a single notification) in, partial batch response out.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import functools
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from trailbell.aws.clients import Clients
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.object_key import ObjectKind
from trailbell.engine.rulebook import load_rulebook
from trailbell.flows.counters import Tally
from trailbell.flows.detector import Detector
from trailbell.handlers.environment import read_environment, seconds_left, utc_now
from trailbell.handlers.event_log import LogJournal
from trailbell.hits.detect import Examiner
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.malformed import DynamoBadRecords


@functools.cache
def _metrics() -> Metrics:
    return Metrics(namespace="trailbell", service="detector")


@functools.cache
def _detector() -> Detector:
    """Built once per cold start, here and nowhere else."""
    environment = read_environment(needs_topic=False)
    clients = Clients()
    dynamodb = clients.client("dynamodb")
    return Detector(
        examiner=Examiner(load_rulebook(environment.rulebook.read_text(encoding="utf-8"))),
        bucket=S3TrailBucket(clients.client("s3")),
        table=DynamoHitTable(dynamodb, environment.table, environment.retention_days),
        journal=LogJournal(Logger(service="detector")),
        now=utc_now,
        max_bytes=environment.max_inflated_bytes,
        bad_records=DynamoBadRecords(dynamodb, environment.table, environment.retention_days),
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Detect in every message of the event.

    From SQS, failed messages are returned to the queue by id. Without a queue there is nothing to return
    to, so a failure is raised and the caller (Lambda's asynchronous invocation) retries.
    """
    detector, metrics, seconds = _detector(), _metrics(), seconds_left(context)
    if _is_sqs(event):
        failed, tally = detector.detect_batch(event["Records"], seconds)
    else:
        failed, tally = [], detector.detect(event, "direct invocation", seconds)
    _count(metrics, tally)
    metrics.flush_metrics()
    if tally.messages_failed and not failed:
        raise RuntimeError("the notification could not be done; see the log line before this")
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _is_sqs(event: dict[str, Any]) -> bool:
    records = event.get("Records")
    return isinstance(records, list) and bool(records) and records[0].get("eventSource") == "aws:sqs"


def _count(metrics: Metrics, tally: Tally) -> None:
    counts = {
        "ObjectsReceived": tally.objects_received,
        "ObjectsRead": tally.objects_read,
        "ObjectsIgnored": tally.objects_ignored.total(),
        "ObjectsFailed": tally.objects_failed,
        "ObjectsPutOff": tally.objects_put_off,
        "MessagesFailed": tally.messages_failed,
        "RecordsRead": tally.records_read,
        "RecordsMatchedAgainstRules": tally.records_matched,
        "RecordsNotWatched": tally.records_not_watched,
        "RecordsBad": tally.records_bad,
        "HitsNew": tally.hits_new,
        "HitsKnown": tally.hits_known,
        "HitsMuted": tally.hits_muted,
        "IdentityBroken": 0 if tally.balanced else 1,
    }
    for kind in ObjectKind:
        if kind is not ObjectKind.LOG_FILE:
            counts[f"ObjectsIgnored{kind.capitalize()}"] = tally.objects_ignored[kind]
    for outcome, count in tally.failures.items():  # CloudWatch bills every name: these are told when they happen
        counts[f"ObjectsFailed{outcome}"] = count
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    if tally.hits_new:
        metrics.add_metric(name="SlowestEventToHit", unit=MetricUnit.Seconds, value=tally.slowest_hit)
    metrics.add_metric(name="BytesInflated", unit=MetricUnit.Bytes, value=tally.bytes_inflated)
