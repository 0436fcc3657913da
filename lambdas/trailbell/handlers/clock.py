"""Lambda's way into the clock: a five-minute schedule, or somebody who asks for a canary now.

    {"time": "2026-11-29T01:15:00Z", ...}   what EventBridge sends: do what is due at that time
    {"fire": true}                          send a canary now; the answer names it
    {"collect": true}                       take what has come back, and nothing else

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
"""

import functools
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from trailbell.aws.canary_call import canary_call
from trailbell.aws.canary_queue import SqsCanaryQueue
from trailbell.aws.clients import Clients
from trailbell.aws.operations_topic import SnsOperationsTopic
from trailbell.engine.rulebook import load_rulebook
from trailbell.flows.canary import DUE_KIND, CanaryCounters, CanaryWatch
from trailbell.flows.clock import Clock, ClockCounters
from trailbell.flows.gathering import Gathering
from trailbell.flows.reminders import Reminders
from trailbell.flows.weekly import WeeklyReport
from trailbell.handlers import cold_start
from trailbell.handlers.environment import Variables, rulebook_path
from trailbell.handlers.event_log import EventLog
from trailbell.handlers.metrics import FunctionMetrics
from trailbell.hits.reminders import DUE_KIND as REMINDER
from trailbell.hits.week import ExpiringException, expiring
from trailbell.lazy_dataclass import dataclass
from trailbell.store.canaries import DynamoCanaries
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.due import DynamoDueRows
from trailbell.store.follow_ups import DynamoFollowUps
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.periods import DUE_KIND as GATHERED
from trailbell.store.periods import DynamoPeriods
from trailbell.store.reports import DynamoReports
from trailbell.store.week import DynamoWeek
from trailbell.text.times import utc_now


@dataclass(frozen=True, slots=True)
class _Parts:
    """What lasts from one run to the next."""

    canaries: DynamoCanaries
    queue: SqsCanaryQueue
    operations: SnsOperationsTopic
    due: DynamoDueRows
    reminders: Reminders
    weekly: WeeklyReport
    gathering: Gathering
    ssm: Any
    minutes: int
    event_log: EventLog

    def watch(self) -> CanaryWatch:
        return CanaryWatch(self.canaries, self.queue, self.operations, self.due, canary_call(self.ssm), self.minutes)


@functools.cache
def _metrics() -> FunctionMetrics:
    return FunctionMetrics("clock")


@functools.cache
@cold_start.ends_here
def _parts() -> _Parts:
    """Built once per cold start, here and nowhere else."""
    variables = Variables()
    table = variables.text("TRAILBELL_TABLE")
    topic, queue = variables.text("TRAILBELL_OPERATIONS_TOPIC_ARN"), variables.text("TRAILBELL_CANARY_QUEUE_URL")
    minutes = variables.number("TRAILBELL_CANARY_MINUTES")
    where, quiet = variables.text("TRAILBELL_WHERE", required=False), variables.quiet("TRAILBELL_QUIET_MINUTES")
    region = variables.text("AWS_REGION", required=False)
    report_day, rulebook = variables.text("TRAILBELL_REPORT_DAY", required=False), rulebook_path(variables)
    variables.check()
    clients = Clients()
    dynamodb = clients.client("dynamodb")
    operations = SnsOperationsTopic(clients.client("sns"), topic)

    def exceptions(today: str) -> Sequence[ExpiringException]:
        rules = load_rulebook(rulebook.read_text(encoding="utf-8")).rules  # once a week: no other run reads it
        return expiring((one for rule in rules for one in rule.exceptions), today)

    return _Parts(
        canaries=DynamoCanaries(dynamodb, table),
        queue=SqsCanaryQueue(clients.client("sqs"), queue),
        operations=operations,
        due=DynamoDueRows(dynamodb, table),
        gathering=Gathering(DynamoPeriods(dynamodb, table), DynamoDeliveryRecords(dynamodb, table, 0)),
        reminders=Reminders(
            DynamoKeptHits(dynamodb, table), DynamoFollowUps(dynamodb, table), DynamoDueRows(dynamodb, table)
        ),
        weekly=WeeklyReport(
            DynamoReports(dynamodb, table),
            DynamoWeek(dynamodb, table),
            operations,
            exceptions,
            report_day,
            place=f"table {table} in {region}",
            where=where,
            quiet_minutes=quiet.longest,
        ),
        ssm=clients.client("ssm"),
        minutes=minutes,
        event_log=EventLog(Logger(service="clock")),
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Do what is due; what fails is logged and due again. Raises what reading the due rows raises."""
    del context  # a run takes a second, the week's report some more; what the function's end cuts off is due again
    parts, now = _parts(), utc_now()
    watch = parts.watch()
    if event.get("fire"):
        canary = watch.send(now[:19].replace(":", "-"), now)
        answer = {"canary": canary.name if canary else ""}
    elif event.get("collect"):
        watch.collect(now)
        answer = {}
    else:
        by_kind = {DUE_KIND: watch.judge, REMINDER: parts.reminders.judge, GATHERED: parts.gathering.judge}
        at_last = {"weekly report": parts.weekly.run}
        clock = Clock(parts.due, {"canary": watch.run}, by_kind, parts.event_log, at_last=at_last)
        _count_run(_metrics(), clock.run(str(event.get("time") or now)))
        answer = {}
    _count_canaries(_metrics(), watch.counters)
    _metrics().flush_metrics()
    return answer


def _count_run(metrics: FunctionMetrics, counters: ClockCounters) -> None:
    counts = {
        "ClockRuns": 1,
        "TasksFailed": counters.tasks_failed,
        "DueDone": counters.due_done,
        "DueFailed": counters.due_failed,
        "DueUnknown": counters.due_unknown,
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def _count_canaries(metrics: FunctionMetrics, counters: CanaryCounters) -> None:
    counts = {
        "CanariesSent": counters.sent,
        "CanariesReturned": counters.returned,
        "CanariesMissing": counters.missing,
    }
    for name, value in counts.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
    for seconds in counters.seconds:
        metrics.add_metric(name="CanarySeconds", unit=MetricUnit.Seconds, value=seconds)
