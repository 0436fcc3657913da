"""Lambda's way into the detector: an SQS batch (or a single notification) in, partial batch response out.

    {"silence": true}   what an hourly schedule sends: tell who has fallen silent (infra/silence.py)

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import functools
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from trailbell.aws.audit_queues import SqsAuditQueues
from trailbell.aws.clients import Clients
from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.object_key import ObjectKind
from trailbell.engine.contributing import Group
from trailbell.engine.correlation import Correlation, silenced
from trailbell.engine.rulebook import Rulebook, load_rulebook
from trailbell.flows.correlating import Correlating
from trailbell.flows.counters import DetectorCounters
from trailbell.flows.detector import Detector
from trailbell.flows.first_seen import FirstSeenJudge, asked_for
from trailbell.flows.tracking import HitTracking
from trailbell.handlers import cold_start, handover
from trailbell.handlers.environment import Environment, Variables, read_environment, seconds_left
from trailbell.handlers.event_log import EventLog
from trailbell.handlers.metrics import FunctionMetrics
from trailbell.hits.base_match import BaseMatch, episode_hit
from trailbell.hits.detect import HitDetector
from trailbell.hits.episode import HitEpisode
from trailbell.hits.hit import Hit
from trailbell.store.arrivals import DynamoArrivals
from trailbell.store.canaries import DynamoCanaries
from trailbell.store.contributions import DynamoContributions
from trailbell.store.due import DynamoDueRows
from trailbell.store.episodes import DynamoEpisodes
from trailbell.store.hit_table import WRITERS, DynamoHitTable
from trailbell.store.ledger import DynamoLedger
from trailbell.store.malformed import DynamoMalformedRecords
from trailbell.store.sightings import DynamoSightings
from trailbell.store.tracking import DynamoTracking
from trailbell.store.workers import Workers
from trailbell.text.times import utc_now


@functools.cache
def _metrics() -> FunctionMetrics:
    return FunctionMetrics("detector")


@functools.cache
@cold_start.ends_here
def _detector() -> Detector:
    """Built once per cold start, here and nowhere else."""
    variables = Variables()
    environment = read_environment(variables, detects=True)
    audit_queue = variables.text("TRAILBELL_AUDIT_QUEUE_URL", required=False)
    variables.check()
    clients = Clients()
    dynamodb = clients.client("dynamodb")
    rulebook = load_rulebook(environment.rulebook.read_text(encoding="utf-8"))
    return Detector(
        hit_detector=HitDetector(rulebook, undoings=True, correlating=True),
        bucket=S3TrailBucket(clients.client("s3")),
        table=DynamoHitTable(dynamodb, environment.table, environment.retention_days),
        event_log=EventLog(Logger(service="detector")),
        now=utc_now,
        max_bytes=environment.max_inflated_bytes,
        canaries=DynamoCanaries(dynamodb, environment.table),
        malformed_records=DynamoMalformedRecords(dynamodb, environment.table, environment.retention_days),
        tracking=HitTracking(
            DynamoTracking(dynamodb, environment.table, environment.retention_days),
            DynamoDueRows(dynamodb, environment.table),
            environment.reminder_hours,
            utc_now,
        ),
        first_seen=FirstSeenJudge(
            DynamoSightings(dynamodb, environment.table), asked_for(rulebook), Workers(WRITERS).each
        ),
        correlating=_correlating(rulebook, dynamodb, environment),
        ledger=DynamoLedger(dynamodb, environment.table) if audit_queue else None,
        digests=SqsAuditQueues(clients.client("sqs"), audit_queue) if audit_queue else None,
        arrivals=DynamoArrivals(dynamodb, environment.table),
        trail=environment.trail,
        live_accounts=environment.live_accounts,
    )


def _correlating(rulebook: Rulebook, dynamodb: Any, environment: Environment) -> Correlating | None:
    """None where there are no correlations: then they cost nothing."""
    if not rulebook.correlations:
        return None
    workers = Workers(WRITERS)

    def make_hit(correlation: Correlation, group: Group, episode: HitEpisode, came_true: str, last: BaseMatch) -> Hit:
        return episode_hit(correlation, group, episode, came_true, last, rulebook.automation_roles)

    return Correlating(
        rulebook.correlations,
        silenced(rulebook.rules, rulebook.correlations),
        DynamoContributions(dynamodb, environment.table, workers),
        DynamoEpisodes(dynamodb, environment.table, environment.retention_days),
        make_hit,
        workers.each,
        live=environment.live_accounts is not None,
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Detect in every message of the event.

    From SQS, failed messages are returned to the queue by id. Without a queue there is nothing to return
    to, so a failure is raised and the caller (Lambda's asynchronous invocation) retries.
    """
    if event.get("silence") is True:
        _tell_silence(_metrics())
        return {}
    detector, metrics, seconds = _detector(), _metrics(), seconds_left(context)
    if _is_sqs(event):
        failed, counters = detector.detect_batch(event["Records"], seconds)
    else:
        failed, counters = [], detector.detect(event, "direct invocation", seconds)
    _count(metrics, counters)
    handover.kept(counters.hits_to_notify + counters.episodes_new)
    metrics.flush_metrics()
    if counters.messages_failed and not failed:
        raise RuntimeError("the notification could not be done; see the log line before this")
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _tell_silence(metrics: FunctionMetrics) -> None:
    """Once an hour, beside the detector because no other function may write hits. Raises what fails: the next hour's
    run does the same again.
    """
    from trailbell.handlers.silence import judge_silence  # no batch of log files waits for its import

    cold_start.over()
    counters = judge_silence(utc_now())
    # CloudWatch bills every name: these are emitted when they happen.
    for name, count in (("SourcesSilent", counters.silent), ("SourcesBack", counters.ended)):
        if count:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=count)
    metrics.flush_metrics()


def _is_sqs(event: dict[str, Any]) -> bool:
    records = event.get("Records")
    return isinstance(records, list) and bool(records) and records[0].get("eventSource") == "aws:sqs"


def _count(metrics: FunctionMetrics, counters: DetectorCounters) -> None:
    counts = {
        "ObjectsReceived": counters.objects_received,
        "ObjectsRead": counters.objects_read,
        "ObjectsIgnored": counters.objects_ignored.total(),
        "ObjectsFailed": counters.objects_failed,
        "ObjectsDeferred": counters.objects_deferred,
        "MessagesFailed": counters.messages_failed,
        "RecordsRead": counters.records_read,
        "RecordsMatchedAgainstRules": counters.records_matched,
        "RecordsNotWatched": counters.records_not_watched,
        "RecordsMalformed": counters.records_malformed,
        "HitsNew": counters.hits_new,
        "HitsKnown": counters.hits_known,
        "CanariesDetected": counters.canaries,
        "HitsMuted": counters.hits_muted,
        "CountMismatch": 0 if counters.balanced else 1,
    }
    for kind in ObjectKind:
        if kind not in (ObjectKind.LOG_FILE, ObjectKind.FOREIGN):
            counts[f"ObjectsIgnored{kind.capitalize()}"] = counters.objects_ignored[kind]
    rare = {  # CloudWatch bills every name: these are emitted when they happen
        "ObjectsIgnoredForeign": counters.objects_ignored[ObjectKind.FOREIGN],
        "LiveEventsReceived": counters.live_received,
        "LiveEventsRefused": counters.live_refused.total(),
        "EpisodesNew": counters.episodes_new,
        "CorrelationGroupsLeftOut": counters.groups_left_out,
    }
    counts |= {name: count for name, count in rare.items() if count}
    for outcome, count in counters.failures.items():
        counts[f"ObjectsFailed{outcome}"] = count
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    if counters.hits_new:
        metrics.add_metric(name="SlowestEventToHit", unit=MetricUnit.Seconds, value=counters.event_to_hit_seconds_max)
    # In the log beside the metrics: CloudWatch bills every metric, and nobody needs an alarm for these.
    metrics.add_metadata(key="NotificationsIgnored", value=counters.notifications_ignored)
    metrics.add_metadata(key="HitsToNotify", value=counters.hits_to_notify)
    for name, count in (
        ("CorrelationGroups", counters.groups),
        ("ContributionsCut", counters.contributions_cut),
        ("EpisodesJoined", counters.episodes_joined),
        ("RecordsWithoutTime", counters.without_time),
    ):
        metrics.add_metadata(key=name, value=count)
    metrics.add_metadata(key="RecordsFullyParsed", value=counters.records_fully_parsed)
    metrics.add_metric(name="BytesInflated", unit=MetricUnit.Bytes, value=counters.bytes_inflated)
