"""Lambda's way into the audit: digests from its queue, and a schedule that asks which are overdue, and what is in none.

    {"Records": [...]}    an SQS batch of {"bucket", "key", "tries"}
    anything else         what EventBridge's schedule sends

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import functools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from trailbell.aws.audit_objects import AuditObjects
from trailbell.aws.audit_queues import SqsAuditQueues
from trailbell.aws.clients import Clients
from trailbell.aws.public_keys import AwsKeys
from trailbell.engine.rulebook import load_rulebook
from trailbell.flows.audit import Audit, AuditCounters, AuditTask
from trailbell.flows.unlisted import Unlisted, UnlistedCounters
from trailbell.handlers import cold_start
from trailbell.handlers.environment import Variables, rulebook_path, seconds_left
from trailbell.handlers.event_log import EventLog
from trailbell.handlers.metrics import FunctionMetrics
from trailbell.hits.audit_finding import FindingHits
from trailbell.store.audits import DynamoAudits
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.ledger import DynamoLedger
from trailbell.store.switches import DynamoSwitches
from trailbell.text.times import utc_now


_RESERVE_SECONDS = 30  # before the function is stopped no other hour in doubt is begun


@functools.cache
def _metrics() -> FunctionMetrics:
    return FunctionMetrics("audit")


@functools.cache
def _event_log() -> EventLog:
    return EventLog(Logger(service="audit"))


@functools.cache
@cold_start.ends_here
def _audit() -> Audit:
    """Built once per cold start, here and nowhere else."""
    variables = Variables()
    table, retention = variables.text("TRAILBELL_TABLE"), variables.number("TRAILBELL_RETENTION_DAYS")
    audit, ingest = variables.text("TRAILBELL_AUDIT_QUEUE_URL"), variables.text("TRAILBELL_INGEST_QUEUE_URL")
    rules = rulebook_path(variables)
    variables.check()
    clients, rulebook = Clients(), load_rulebook(rules.read_text(encoding="utf-8"))
    findings = FindingHits(rulebook)
    dynamodb = clients.client("dynamodb")
    files, ledger = AuditObjects(clients.client("s3")), DynamoLedger(dynamodb, table)
    audits, outbox = DynamoAudits(dynamodb, table, retention, audit), DynamoHitTable(dynamodb, table, retention)
    return Audit(
        files=files,
        keys=AwsKeys(lambda region: clients.client("cloudtrail", region)),
        ledger=ledger,
        audits=audits,
        outbox=outbox,
        queues=SqsAuditQueues(clients.client("sqs"), audit, ingest),
        unlisted=Unlisted(files, ledger, audits, outbox, findings),
        switches=DynamoSwitches(dynamodb, table, rulebook.rules),
        findings=findings,
    )


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Audit every digest of a batch; those that failed are returned to the queue. Or tell which are overdue."""
    audit, failed, now = _audit(), list[str](), utc_now()
    audit.counters, audit.unlisted = AuditCounters(), replace(audit.unlisted, counters=UnlistedCounters())
    if "Records" in event:
        for message_id, body, waited_seconds in _messages(event, now):
            try:
                audit.take_up(AuditTask(**json.loads(body), waited_seconds=waited_seconds), now)
            except Exception as error:  # the boundary: logged, counted, and back to the queue
                _event_log().failed(f"message {message_id}", error)
                failed.append(message_id)
    else:
        audit.overdue(now)
        deadline = time.monotonic() + seconds_left(context) - _RESERVE_SECONDS
        audit.unlisted.judge(now, lambda: time.monotonic() < deadline, _event_log())
    audit.counters.findings += audit.unlisted.counters.findings
    _count(audit.counters, len(failed))
    _count_unlisted(audit.unlisted.counters)
    _metrics().flush_metrics()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _messages(event: dict[str, Any], now: str) -> Iterator[tuple[str, str, int]]:
    """Of each message its id, its body, and for how many seconds it waited, its delay included."""
    seconds = datetime.fromisoformat(now).timestamp()
    for message in event["Records"]:
        sent = message.get("attributes", {}).get("SentTimestamp")  # milliseconds
        yield message["messageId"], message["body"], int(seconds - int(sent) / 1000) if sent else 0


def _count(counters: AuditCounters, failed: int) -> None:
    counts = {
        "DigestsAudited": counters.digests,
        "LogFilesListed": counters.log_files,
        "LogFilesRepaired": counters.repaired,
        "AuditFindings": counters.findings,
        "DigestsFailed": failed,
    }
    for name, value in counts.items():
        _metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)


def _count_unlisted(counters: UnlistedCounters) -> None:
    """CloudWatch bills every name: these are emitted when they happen. Findings are counted with the others."""
    counts = {
        "HoursJudged": counters.judged,
        "HoursNotJudged": counters.failed,
        "HoursLeft": counters.left,
    }
    for name, value in counts.items():
        if value:
            _metrics().add_metric(name=name, unit=MetricUnit.Count, value=value)
