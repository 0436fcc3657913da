"""Whether somebody is notified: subscribers of a topic, and whether they have confirmed."""

from collections.abc import Iterator, Sequence

from trailbell.ops.answers import Answer
from trailbell.ops.checks.finding import PROBLEM, WARNING, Finding, fine, found
from trailbell.text.safe_text import one_line


TOPICS = ("AlertTopic", "OperationsTopic")
"""By the stack's outputs."""


def subscription_findings(topic: str, subscriptions: Sequence[Answer]) -> Iterator[Finding]:
    """At least one subscriber, and each of them confirmed. `topic` is the stack's output that names the topic."""
    confirmed = [entry for entry in subscriptions if entry.get("SubscriptionArn", "").startswith("arn:")]
    for entry in subscriptions:
        if entry not in confirmed:
            endpoint = one_line(str(entry.get("Endpoint", "")), 100)
            subscription = one_line(str(entry.get("SubscriptionArn", "")), 40)
            state = WARNING if confirmed else PROBLEM
            yield found(state, topic, "topics.not-confirmed", endpoint=endpoint, subscription=subscription)
    if confirmed:
        yield fine(topic, f"Confirmed subscriptions: {len(confirmed)}.")
    elif not subscriptions:
        setting = "alert_emails" if topic == "AlertTopic" else "operations_emails"
        state = PROBLEM if topic == "AlertTopic" else WARNING
        yield found(state, topic, "topics.nobody", setting=setting)
