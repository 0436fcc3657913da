"""Whether what brings log files to the ingest queue is there: bucket notifications, a topic, or EventBridge."""

from collections.abc import Iterable, Mapping, Sequence

from trailbell.ops.answers import Answer, Queue
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, WARNING, Finding, fine, found
from trailbell.ops.checks.queue_policy import sends_to


_CHECK = "source"


def no_source_finding(bucket: str) -> Finding:
    """Nothing sends to the ingest queue."""
    return found(PROBLEM, _CHECK, "source.none", bucket=bucket)


def direct_finding(entries: Sequence[Answer], queue: Queue, bucket: str, trail_prefixes: set[str]) -> Finding:
    """The bucket's notifications to the ingest queue: for which objects, and does the queue take them?"""
    if not any(event.startswith("s3:ObjectCreated:") for entry in entries for event in entry.get("Events", ())):
        return found(PROBLEM, _CHECK, "source.other-events")
    if not sends_to(queue, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}"):
        return found(PROBLEM, _CHECK, "source.refused")
    filters = [_filter(entry, "prefix") for entry in entries]
    roots = {f"{prefix}/AWSLogs/" if prefix else "AWSLogs/" for prefix in trail_prefixes}
    missed = sorted(root for root in roots if not any(root.startswith(taken) for taken in filters))
    if missed:
        return found(PROBLEM, _CHECK, "source.other-prefix", filters=", ".join(filters), root=missed[0])
    if not any(_filter(entry, "suffix") in ("", ".gz", ".json.gz") for entry in entries):
        return found(WARNING, _CHECK, "source.suffix")
    where = ", ".join(filters) or "it"
    return fine(_CHECK, f"{bucket} notifies the ingest queue of every object under {where}.")


def topic_finding(topic: str, subscriptions: Iterable[Answer], queue_arn: str, notified: set[str]) -> Finding:
    """A topic between the bucket (or the trail) and the ingest queue: is it subscribed, and notified itself?"""
    ours = [entry for entry in subscriptions if entry.get("Endpoint") == queue_arn]
    if not any(entry.get("SubscriptionArn", "").startswith("arn:") for entry in ours):
        return found(PROBLEM, _CHECK, "source.not-subscribed", topic=topic)
    if notified and topic not in notified:
        return found(PROBLEM, _CHECK, "source.topic-not-notified", topic=topic)
    if not notified:
        return found(UNKNOWN, _CHECK, "source.topic-not-seen", topic=topic)
    return fine(_CHECK, f"The ingest queue is subscribed to {topic}, which is notified.")


def rules_finding(states: Mapping[str, str], *, sends: bool) -> Finding:
    """EventBridge rules between the bucket and the ingest queue: enabled, and does the bucket send to EventBridge?"""
    if "ENABLED" not in states.values():
        return found(PROBLEM, _CHECK, "source.rule-disabled", rule=next(iter(states)))
    if not sends:
        return found(PROBLEM, _CHECK, "source.eventbridge-off")
    return fine(_CHECK, "EventBridge notifies the ingest queue of created objects.")


def _filter(entry: Answer, name: str) -> str:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    return next((str(rule.get("Value", "")) for rule in rules if rule.get("Name", "").lower() == name), "")
