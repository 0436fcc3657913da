"""Lambda's way into the notifier: a batch of the hit table's stream in, partial batch response out.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from trailalert.aws.alert_topic import SnsAlertTopic, SnsChatTopic
from trailalert.aws.clients import Clients
from trailalert.aws.dynamo import decode
from trailalert.aws.event_bus import EventBus
from trailalert.aws.hit_table import DynamoToldMarks
from trailalert.aws.related_hits import DynamoRelatedHits
from trailalert.aws.rows import HIT
from trailalert.core.rulebook import Level
from trailalert.flows.notifier import Notifier, StreamHit, Tally, UnreadableHit, read_hit
from trailalert.flows.telling import Telling, TellingTally
from trailalert.handlers.environment import Environment, read_environment, utc_now
from trailalert.handlers.journal import LogJournal


@functools.cache
def _metrics() -> Metrics:
    return Metrics(namespace="trailalert", service="notifier")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What lasts from one batch to the next."""

    topic: SnsAlertTopic
    related: DynamoRelatedHits
    readers: tuple[SnsChatTopic | EventBus, ...]
    marks: DynamoToldMarks
    journal: LogJournal
    runbook: str


@functools.cache
def _parts() -> _Parts:
    """Built once per cold start, here and nowhere else."""
    environment = read_environment(needs_topic=True)
    clients = Clients()
    return _Parts(
        topic=SnsAlertTopic(clients.client("sns"), environment.topic_arn),
        related=DynamoRelatedHits(clients.impatient_client("dynamodb"), environment.table),
        readers=tuple(_readers(environment, clients)),
        marks=DynamoToldMarks(clients.client("dynamodb"), environment.table, environment.retention_days),
        journal=LogJournal(Logger(service="notifier")),
        runbook=environment.runbook_url,
    )


def _readers(environment: Environment, clients: Clients) -> Iterator[SnsChatTopic | EventBus]:
    if environment.chat_topic_arn:
        lowest = Level[environment.chat_level.upper()]
        yield SnsChatTopic(clients.impatient_client("sns"), environment.chat_topic_arn, lowest)
    if environment.event_bus:
        yield EventBus(clients.impatient_client("events"), environment.event_bus)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Tell the new hits of the event; those that could not be told are returned by sequence number."""
    parts, metrics = _parts(), _metrics()
    telling = Telling(parts.topic, parts.related, parts.readers, parts.journal, parts.runbook)
    failed, tally = Notifier(telling, parts.marks, parts.journal, utc_now).notify(new_hits(event))
    _count(metrics, tally)
    _count_telling(metrics, telling.tally)
    metrics.flush_metrics()
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed]}


def new_hits(event: dict[str, Any]) -> Iterator[StreamHit | UnreadableHit]:
    """Inserted hit rows only. The stream's filter says the same; this holds where a filter is missing."""
    for entry in event["Records"]:
        image = entry["dynamodb"].get("NewImage")
        if entry["eventName"] == "INSERT" and image and image.get("kind") == {"S": HIT}:
            yield _read(entry["dynamodb"]["SequenceNumber"], image)


def _read(sequence: str, image: dict[str, Any]) -> StreamHit | UnreadableHit:
    try:
        return StreamHit(sequence, read_hit(decode(image)))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return UnreadableHit(sequence, f"{image.get('pk')} {image.get('sk')}", error)


def _count(metrics: Metrics, tally: Tally) -> None:
    counts = {
        "HitsReceived": tally.hits_received,
        "HitsTold": tally.hits_told,
        "HitsToldBefore": tally.hits_known,
        "HitsFailed": tally.hits_failed,
        "HitsUnreadable": tally.hits_unreadable,
        "AlertsTold": tally.alerts_told,
        "IdentityBroken": 0 if tally.balanced else 1,
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    if tally.alerts_told:
        metrics.add_metric(name="SlowestEventToAlert", unit=MetricUnit.Seconds, value=tally.slowest_alert)


def _count_telling(metrics: Metrics, tally: TellingTally) -> None:
    counts = {
        "RelatedRead": tally.related_read,
        "RelatedFailed": tally.related_failed,
        "RelatedSkipped": tally.related_skipped,
        "ReadersTold": tally.readers_told,
        "ReadersFailed": tally.readers_failed,
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
