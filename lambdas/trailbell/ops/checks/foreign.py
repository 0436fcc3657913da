"""What acts on the stack's resources and is not the stack's: subscribers, consumers, moves, denials, mute rules."""

import fnmatch
from collections.abc import Collection, Iterator, Sequence

from trailbell.ops.answers import Answer, EventSource, as_list
from trailbell.ops.checks.equality import statement
from trailbell.ops.checks.finding import PROBLEM, WARNING, Finding, found
from trailbell.text.safe_text import one_line


_READ = ("s3:getobject", "s3:getobjectversion")


def foreign_subscriber_findings(
    topic: str, subscriptions: Sequence[Answer], own: Collection[tuple[str, str]], account: str
) -> Iterator[Finding]:
    """Who is notified beside those of the settings: everybody but queues and functions of the stack's own account.

    `topic` is the stack's output that names the topic, `own` the (protocol, endpoint) of the template.
    """
    for entry in subscriptions:
        protocol, endpoint = str(entry.get("Protocol")), str(entry.get("Endpoint"))
        if (protocol, endpoint) in own or (endpoint.startswith("arn:") and endpoint.split(":")[4] == account):
            continue
        names = {"endpoint": f"{protocol} {endpoint}", "subscription": str(entry.get("SubscriptionArn"))}
        yield found(WARNING, topic, "topics.foreign-subscriber", **names)


def foreign_consumer_findings(sources: Sequence[EventSource], own: Collection[str]) -> Iterator[Finding]:
    """Functions that take messages away from the detector, by all mappings of the ingest queue."""
    for source in sources:
        if source.uuid not in own:
            yield found(PROBLEM, "functions", "mapping.foreign", mapping=source.uuid, mapping_state=source.state)


def move_findings(queue: str, destinations: Sequence[str], own: Collection[str]) -> Iterator[Finding]:
    """Dead letters on their way to a queue that is not the stack's; "" is where they came from (`dlq redrive`)."""
    for destination in destinations:
        if destination and destination not in own:
            yield found(PROBLEM, queue, "queue.moved-away", destination=destination)


def denial_findings(bucket: str, policy: Answer, role: str, objects: str) -> Iterator[Finding]:
    """Statements of a bucket's policy that may deny the detector's role its log files; `objects` is their ARN pattern.

    One with a condition is a warning, as conditions are not evaluated; that of requests without TLS is none.
    """
    for one in map(statement, as_list(policy.get("Statement"))):
        if one.get("Effect") == "Deny" and _names_role(one, role) and _denies_reading(one, objects):
            if "Condition" not in one:
                yield found(PROBLEM, "log files", "bucket.denies-detector", bucket=bucket)
            elif not _is_about_tls(one):
                said = one_line(str(one["Condition"]), 300)
                yield found(WARNING, "log files", "bucket.may-deny-detector", bucket=bucket, statement=said)


def _names_role(one: Answer, role: str) -> bool:
    account = role.split(":")[4]
    if "NotPrincipal" in one:
        return role not in as_list(dict(one["NotPrincipal"]).get("AWS"))
    principal = one.get("Principal")
    names = as_list(principal.get("AWS")) if isinstance(principal, dict) else []
    return bool({"*", role, account} & set(map(str, names)))


def _denies_reading(one: Answer, objects: str) -> bool:
    actions = [str(action) for action in one.get("Action", ())]
    spared = [str(action) for action in one.get("NotAction", ())]
    reads = [read for read in _READ if _matches(read, actions) or (spared and not _matches(read, spared))]
    resources = [str(resource) for resource in as_list(one.get("Resource"))]
    stem = objects.rstrip("*")
    touched = any(_overlap(stem, resource) for resource in resources) or "NotResource" in one
    return bool(reads) and touched


def _matches(action: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in patterns)


def _overlap(stem: str, resource: str) -> bool:
    """Whether a resource of a policy covers objects under a stem, or some of them."""
    fixed = resource.split("*")[0].split("?")[0]
    return fnmatch.fnmatchcase(stem, resource) or fixed.startswith(stem) or ("*" in resource and stem.startswith(fixed))


def _is_about_tls(one: Answer) -> bool:
    return list(one["Condition"]) == ["Bool"] and list(one["Condition"]["Bool"]) == ["aws:SecureTransport"]


def mute_findings(muted: Sequence[str]) -> Iterator[Finding]:
    """Alarms of the stack whose actions CloudWatch mutes, now or at times to come."""
    if muted:
        yield found(PROBLEM, "alarms", "alarm.muted", count=len(muted), alarms=sorted(muted))
