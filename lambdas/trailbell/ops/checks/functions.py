"""Whether the functions are fed: the detector by the ingest queue, the notifier by the hit table's stream."""

from collections.abc import Iterator, Sequence

from trailbell.ops.answers import EventSource
from trailbell.ops.checks.finding import PROBLEM, Finding, fine, found


_CHECK = "functions"
_FEEDING = ("Enabled", "Enabling", "Creating", "Updating")
_FEEDS = (
    ("The detector", "the ingest queue", ":sqs:"),
    ("The notifier", "the hit table's stream", ":dynamodb:"),
)


def function_findings(sources: Sequence[EventSource], ingest_queue: str = "") -> Iterator[Finding]:
    """A finding for each function, by all the event source mappings of the stack.

    ingest_queue: its ARN, where the audit has a queue, too; "" where there is no audit.
    """
    of_audit = [one for one in sources if ingest_queue and ":sqs:" in one.source and one.source != ingest_queue]
    for function, feed, service in _FEEDS:
        fed = [source for source in sources if service in source.source and source not in of_audit]
        yield feed_finding(function, feed, fed)
    if ingest_queue:
        yield feed_finding("The audit", "the queue of digests", of_audit)


def feed_finding(function: str, feed: str, sources: Sequence[EventSource]) -> Finding:
    """Whether a function is fed by one of its event source mappings."""
    if any(source.state in _FEEDING for source in sources):
        return fine(_CHECK, f"{function} reads {feed}.")
    if not sources:
        return found(PROBLEM, _CHECK, "functions.no-mapping", function=function, feed=feed)
    values = {"function": function, "feed": feed, "mapping_state": sources[0].state, "mapping": sources[0].uuid}
    return found(PROBLEM, _CHECK, "functions.not-fed", **values)
