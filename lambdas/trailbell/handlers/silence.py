"""The watch for silence, built for each run: it comes once an hour (handlers/detector.py)."""

from trailbell.aws.clients import Clients
from trailbell.engine.rulebook import load_rulebook
from trailbell.flows.silence import SilenceCounters, SilenceWatch
from trailbell.handlers.environment import Variables, rulebook_path
from trailbell.hits.audit_finding import FindingHits
from trailbell.store.arrivals import DynamoArrivals
from trailbell.store.audits import DynamoAudits
from trailbell.store.ends import DynamoEnds
from trailbell.store.hit_table import DynamoHitTable


def judge_silence(now: str) -> SilenceCounters:
    """Tell who fell silent and who came back, and what was found. now: UTC, ISO 8601 with Z."""
    variables = Variables()
    table, retention = variables.text("TRAILBELL_TABLE"), variables.number("TRAILBELL_RETENTION_DAYS")
    rules = rulebook_path(variables)
    variables.check()
    dynamodb = Clients().client("dynamodb")
    watch = SilenceWatch(
        DynamoArrivals(dynamodb, table),
        DynamoAudits(dynamodb, table, retention),
        DynamoHitTable(dynamodb, table, retention),
        DynamoEnds(dynamodb, table),
        FindingHits(load_rulebook(rules.read_text(encoding="utf-8"))),
    )
    watch.judge(now)
    return watch.counters
