"""Lambda's way into the notifier: a batch of the hit table's stream in, partial batch response out.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
"""

import functools
import time
from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from trailbell.alerts.channel import Channel
from trailbell.alerts.channels import declared_channels
from trailbell.alerts.channels.email import SnsAlertTopic
from trailbell.alerts.quiet import QuietMinutes
from trailbell.aws.clients import Clients
from trailbell.errors import SettingsError, TableError
from trailbell.flows.canary import CanaryRelay, StreamCanary
from trailbell.flows.delivery import Delivery, DeliveryCounters
from trailbell.flows.follow_ups import FollowUpCounters, FollowUpNotifier, StreamFollowUp
from trailbell.flows.gathering import StreamGathered
from trailbell.flows.notifier import Notifier, StreamEntry
from trailbell.flows.rate_limit import RateLimit
from trailbell.flows.stream_batch import NotifierCounters, StreamHit, UnreadableHit
from trailbell.handlers import cold_start, handover
from trailbell.handlers.environment import Variables, read_environment, seconds_left
from trailbell.handlers.event_log import EventLog
from trailbell.handlers.metrics import FunctionMetrics
from trailbell.hits.canary import Canary
from trailbell.hits.hit import complete
from trailbell.lazy_dataclass import dataclass
from trailbell.store.canaries import CANARY, DynamoCanaries
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import decode
from trailbell.store.follow_ups import DynamoFollowUps, is_new_follow_up, read_follow_up
from trailbell.store.periods import GATHERED, DynamoPeriods
from trailbell.store.related_hits import DynamoRelatedHits
from trailbell.store.rows import is_to_notify, read_hit
from trailbell.store.states import DynamoHitStates
from trailbell.text.times import utc_now


# After an alert of so many hits more of its storm is to be expected: while we wait, the stream gathers it into one
# batch, and so into one more alert instead of ten. All that was read is notified and marked by then, so nothing can be
# lost by waiting; what else comes in this shard meanwhile is notified so much later, and no later than that.
_STORM_HITS = 50
_STORM_PAUSE = 20.0
_SPARE = 10.0  # seconds of the time-out to leave


@functools.cache
def _metrics() -> FunctionMetrics:
    return FunctionMetrics("notifier")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What lasts from one batch to the next."""

    topic: SnsAlertTopic
    related: DynamoRelatedHits
    channels: tuple[Channel, ...]
    delivery_records: DynamoDeliveryRecords
    follow_ups: DynamoFollowUps
    states: DynamoHitStates
    periods: DynamoPeriods
    canaries: DynamoCanaries
    event_log: EventLog
    rate_limit: RateLimit
    runbook: str
    where: str
    quiet: QuietMinutes


@functools.cache
@cold_start.ends_here
def _parts() -> _Parts:
    """Built once per cold start, here and nowhere else."""
    variables, clients = Variables(), Clients()
    environment = read_environment(variables, detects=False)
    opened = _open_channels(variables, clients)
    variables.check()
    topic, *channels = opened
    if not isinstance(topic, SnsAlertTopic):
        raise SettingsError("the alert topic is not set (the stack sets it; deploy it again)")
    return _Parts(
        topic=topic,
        related=DynamoRelatedHits(clients.impatient_client("dynamodb"), environment.table),
        channels=tuple(channels),
        delivery_records=DynamoDeliveryRecords(
            clients.client("dynamodb"), environment.table, environment.retention_days
        ),
        follow_ups=DynamoFollowUps(clients.client("dynamodb"), environment.table),
        states=DynamoHitStates(clients.client("dynamodb"), environment.table),
        periods=DynamoPeriods(clients.client("dynamodb"), environment.table, environment.quiet),
        canaries=DynamoCanaries(clients.client("dynamodb"), environment.table),
        event_log=EventLog(Logger(service="notifier")),
        rate_limit=RateLimit(),
        runbook=environment.runbook_url,
        where=environment.where,
        quiet=environment.quiet,
    )


def _open_channels(variables: Variables, clients: Clients) -> list[Channel]:
    """The channels that this deployment has; the alert topic, which it always has, is the first."""
    opened = [channel.open(variables, clients) for channel in declared_channels()]
    return [channel for channel in opened if channel]


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Notify of the new hits of the event; those that could not be delivered are returned by sequence number."""
    parts, metrics = _parts(), _metrics()
    delivery = Delivery(
        parts.topic,
        parts.related,
        parts.channels,
        parts.event_log,
        parts.rate_limit,
        parts.runbook,
        where=parts.where,
        quiet=parts.quiet,
    )
    records, log = parts.delivery_records, parts.event_log
    follow_ups = FollowUpNotifier(delivery, records, parts.follow_ups, parts.states, log, time.monotonic, utc_now)
    periods = parts.periods if _is_stream(event) else None  # a person who asks for hits gets them now
    notifier = Notifier(delivery, records, log, utc_now, follow_ups=follow_ups, periods=periods)
    relay = CanaryRelay(parts.topic, parts.canaries, parts.event_log, utc_now)
    come_back = relay.relay(new_canaries(event))
    failed, counters = notifier.notify(new_hits(event), seconds_left(context))
    _count(metrics, counters)
    handover.received(counters.hits_received)
    _count_delivery(metrics, delivery.counters)
    _count_follow_ups(metrics, follow_ups.counters)
    metrics.flush_metrics()
    if counters.hits_in_alert_max >= _STORM_HITS and _is_stream(event):
        time.sleep(_pause(context))
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in (*come_back, *failed)]}


def _is_stream(event: dict[str, Any]) -> bool:
    """Not what `trailbell dlq` gives us: its hits are old, and somebody waits for the answer."""
    return any("eventSourceARN" in entry for entry in event["Records"])


def _pause(context: Any) -> float:
    """How long to wait after a storm, well within what is left of the time-out."""
    return max(min(_STORM_PAUSE, seconds_left(context) - _SPARE), 0.0)


def new_canaries(event: dict[str, Any]) -> Iterator[StreamCanary]:
    """New rows of canaries that the detector has found."""
    for entry in event["Records"]:
        image = entry["dynamodb"].get("NewImage") or {}
        if entry["eventName"] == "INSERT" and image.get("kind") == {"S": CANARY}:
            row = decode(image)
            canary = Canary(row["pk"].partition("#")[2], row["nonce"])
            yield StreamCanary(entry["dynamodb"]["SequenceNumber"], canary, row["eventTime"])


def new_hits(event: dict[str, Any]) -> Iterator[StreamEntry]:
    """New rows of hits, follow-ups and ended quiet periods only (store/rows.py). The stream's filter says the same;
    this holds where a filter is missing.
    """
    for entry in event["Records"]:
        image = entry["dynamodb"].get("NewImage")
        if image and is_to_notify(entry["eventName"], image):
            yield _read(entry["dynamodb"]["SequenceNumber"], image)
        elif image and is_new_follow_up(entry["eventName"], image):
            yield _read_follow_up(entry["dynamodb"]["SequenceNumber"], image)
        elif image and entry["eventName"] == "INSERT" and image.get("kind") == {"S": GATHERED}:
            row = decode(image)
            yield StreamGathered(entry["dynamodb"]["SequenceNumber"], row["group"], row["ends"])


def _read_follow_up(sequence: str, image: dict[str, Any]) -> StreamFollowUp | UnreadableHit:
    try:
        follow_up, hit = read_follow_up(decode(image))
        return StreamFollowUp(sequence, follow_up, complete(hit))
    except (TableError, ValueError, TypeError, KeyError, AttributeError) as error:
        return UnreadableHit(sequence, f"{image.get('pk')} {image.get('sk')}", error)


def _read(sequence: str, image: dict[str, Any]) -> StreamHit | UnreadableHit:
    try:
        return StreamHit(sequence, complete(read_hit(decode(image))))
    except (TableError, ValueError, TypeError, KeyError, AttributeError) as error:
        return UnreadableHit(sequence, f"{image.get('pk')} {image.get('sk')}", error)


def _count(metrics: FunctionMetrics, counters: NotifierCounters) -> None:
    counts = {
        "HitsReceived": counters.hits_received,
        "HitsNotified": counters.hits_notified,
        "HitsNotifiedBefore": counters.hits_known,
        "HitsHeld": counters.hits_held,
        "HitsFailed": counters.hits_failed,
        "HitsDeferred": counters.hits_deferred,
        "HitsUnreadable": counters.hits_unreadable,
        "AlertsSent": counters.alerts_sent,
        "CountMismatch": 0 if counters.balanced else 1,
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    if counters.alerts_sent:
        metrics.add_metric(
            name="SlowestEventToAlert", unit=MetricUnit.Seconds, value=counters.event_to_alert_seconds_max
        )


def _count_follow_ups(metrics: FunctionMetrics, counters: FollowUpCounters) -> None:
    """Emitted when there are some: CloudWatch bills every name."""
    counts = {"FollowUpsSent": counters.sent, "FollowUpsFailed": counters.failed}
    for name, value in counts.items():
        if value:
            metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def _count_delivery(metrics: FunctionMetrics, counters: DeliveryCounters) -> None:
    counts = {
        "RelatedRead": counters.related_read,
        "RelatedFailed": counters.related_failed,
        "RelatedSkipped": counters.related_skipped,
        "ChannelsNotified": counters.channels_notified,
        "ChannelsFailed": counters.channels_failed,
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
