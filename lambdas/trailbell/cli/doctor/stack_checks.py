"""All checks of a deployed stack: what is asked of AWS (ops/health.py) is handed to what judges it (ops/checks)."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from trailbell.audit.arrivals import hour_of
from trailbell.cli.doctor.live_checks import check_live_rules, check_member_queue, check_members
from trailbell.cli.options.aws_errors import explained_errors
from trailbell.errors import SettingsError
from trailbell.ops.answers import GONE, Trail
from trailbell.ops.audited_days import SHOWN, deployed_days, overdue_chains
from trailbell.ops.checks.alarms import alarm_findings
from trailbell.ops.checks.as_deployed import deployment_findings
from trailbell.ops.checks.audit import audit_findings
from trailbell.ops.checks.canary import canary_findings
from trailbell.ops.checks.dead_letters import DEAD_LETTER_QUEUES, dead_letter_finding
from trailbell.ops.checks.events import event_findings
from trailbell.ops.checks.finding import Finding
from trailbell.ops.checks.foreign import (
    denial_findings,
    foreign_consumer_findings,
    foreign_subscriber_findings,
    move_findings,
    mute_findings,
)
from trailbell.ops.checks.functions import function_findings
from trailbell.ops.checks.live import CHECK, MEMBERS
from trailbell.ops.checks.queue_policy import senders
from trailbell.ops.checks.refusal import refusal_finding
from trailbell.ops.checks.silence import silence_findings
from trailbell.ops.checks.source import direct_finding, no_source_finding, rules_finding, topic_finding
from trailbell.ops.checks.stack import drift_findings, stack_findings
from trailbell.ops.checks.topics import TOPICS, subscription_findings
from trailbell.ops.checks.trail import log_file_finding, no_trail_finding, trail_findings
from trailbell.ops.deployed_stack import AUDITED, Clients, DeployedStack
from trailbell.ops.health import Health
from trailbell.ops.live.resources import unread_types
from trailbell.rulebook.member_template import DEAD_LETTERS


Check = Callable[[Health, datetime], Iterable[Finding]]


def check_stack(
    clients: Clients, stack: str, now: datetime, *, drift: bool = False, embedded: bool = False
) -> list[Finding]:
    """All findings, CloudFormation's drift detection among them where it is asked for; embedded: see Health.

    Raises SettingsError when there is no such stack, or nobody may look at it.
    """
    health = Health(clients, DeployedStack(clients, stack), embedded=embedded)
    with explained_errors():
        is_member = health.stack.has_output(DEAD_LETTERS)
        if not is_member:
            health.stack.output("TrailBucket")
    checks = _MEMBER_CHECKS if is_member else _CHECKS
    if drift:
        checks = {**checks, "drift": _check_drift}
    return [finding for name, check in checks.items() for finding in _guarded(name, check, health, now)]


def _guarded(name: str, check: Check, health: Health, now: datetime) -> Iterator[Finding]:
    """What a check finds; what AWS refuses or does not know is unknown, and the other checks go on."""
    try:
        yield from check(health, now)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if not (code in GONE and name in _ABOUT_PARTS):
            yield refusal_finding(name, str(error), code)
    except BotoCoreError as error:
        yield refusal_finding(name, str(error))
    except (SettingsError, KeyError, ValueError) as error:
        yield refusal_finding(name, f"{type(error).__name__}: {error}")


def _check_status_of_stack(health: Health, now: datetime) -> Iterator[Finding]:
    yield from stack_findings(health.stack.name, health.stack.status)


def _check_as_deployed(health: Health, now: datetime) -> Iterator[Finding]:
    yield from deployment_findings(health.readings(), unread_types(health.declared))


def _check_drift(health: Health, now: datetime) -> Iterator[Finding]:
    yield from drift_findings(*health.drift())


def _check_trails(health: Health, now: datetime) -> Iterator[Finding]:
    if not health.trails:
        made = bool(health.stack.resources("AWS::CloudTrail::Trail"))
        yield no_trail_finding(health.stack.output("TrailBucket"), made_by_stack=made)
    for trail in health.trails:
        yield from _guarded(f"trail {trail.name}", partial(_check_status, trail), health, now)
        yield from _guarded(f"events {trail.name}", partial(_check_selectors, trail), health, now)


def _check_status(trail: Trail, health: Health, now: datetime) -> Iterator[Finding]:
    yield from trail_findings(trail, health.trail_status(trail), now)


def _check_selectors(trail: Trail, health: Health, now: datetime) -> Iterator[Finding]:
    yield from event_findings(trail, *health.selectors(trail))


def _check_log_files(health: Health, now: datetime) -> Iterator[Finding]:
    """Without a trail to be seen the default prefix is tried."""
    trails = _visible_trails(health)
    prefix, organisation = (trails[0].prefix, trails[0].organisation) if trails else ("", False)
    newest = health.newest_log_file(prefix, organisation=organisation, now=now)
    yield log_file_finding(newest, now, health.stack.account, health.stack.region, trail_seen=bool(trails))


def _check_source(health: Health, now: datetime) -> Iterator[Finding]:
    """The queue's policy says who may send; a topic may be another account's, and so may the bucket then."""
    queue = health.stack.ingest_queue()
    allowed = senders(queue)
    topics = [arn for service, arn in allowed if service == "sns.amazonaws.com"]
    if topics and not any(service == "s3.amazonaws.com" for service, _ in allowed):
        for topic in topics:
            yield topic_finding(topic, health.subscriptions(topic), queue.arn, _notified_topics(health))
        return
    bucket = health.stack.output("TrailBucket")
    entries = health.bucket_notifications.get("QueueConfigurations", ())
    if direct := [entry for entry in entries if entry.get("QueueArn") == queue.arn]:
        yield direct_finding(direct, queue, bucket, {trail.prefix for trail in _visible_trails(health)})
    elif rules := health.rule_states(queue.arn):
        yield rules_finding(rules, sends="EventBridgeConfiguration" in health.bucket_notifications)
    else:
        yield no_source_finding(bucket)


def _visible_trails(health: Health) -> list[Trail]:
    """The trails, none where we are not permitted to look: another check says so."""
    try:
        return health.trails
    except (BotoCoreError, ClientError):
        return []


def _notified_topics(health: Health) -> set[str]:
    """The topics that the bucket or a trail notifies, as far as we are permitted to look."""
    topics = {trail.topic for trail in _visible_trails(health) if trail.topic}
    try:
        entries = health.bucket_notifications.get("TopicConfigurations", ())
    except (BotoCoreError, ClientError):
        return topics
    return topics | {str(entry.get("TopicArn")) for entry in entries}


def _check_denials(health: Health, now: datetime) -> Iterator[Finding]:
    """Of a bucket that the stack made, the policy is compared as a whole."""
    for resource in health.declared:
        if resource.name == "DetectorRole" and not health.stack.resources("AWS::S3::Bucket"):
            bucket, partition = health.stack.output("TrailBucket"), health.stack.partition
            role = f"arn:{partition}:iam::{health.stack.account}:role/{resource.physical}"
            prefixes = [trail.prefix for trail in _visible_trails(health)[:1] if trail.prefix]
            objects = f"arn:{partition}:s3:::{'/'.join([bucket, *prefixes])}/AWSLogs/*"
            yield from denial_findings(bucket, health.bucket_policy(), role, objects)


def _check_functions(health: Health, now: datetime) -> Iterator[Finding]:
    queue = health.stack.ingest_queue().arn if health.stack.has_output(AUDITED) else ""
    yield from function_findings(health.event_sources(), queue)


def _check_audit(health: Health, now: datetime) -> Iterator[Finding]:
    """Nothing where the setting `audit` is off."""
    if not health.stack.has_output(AUDITED):
        return
    yield dead_letter_finding(AUDITED, health.stack.dead_letter_queue(AUDITED))
    audits, since = health.audits, now - SHOWN
    chains = list(audits.chains())
    days = deployed_days(audits, chains, since, now)
    yield from audit_findings(chains, days, overdue_chains(chains, since, now))


def _check_silence(health: Health, now: datetime) -> Iterator[Finding]:
    """Nothing before the first log file was read."""
    arrivals = dict(health.arrivals.all())
    yield from silence_findings(arrivals, [one.source for one in health.arrivals.told()], hour_of(now))


def _check_consumers(health: Health, now: datetime) -> Iterator[Finding]:
    own = health.stack.resources("AWS::Lambda::EventSourceMapping")
    yield from foreign_consumer_findings(health.consumers(health.stack.ingest_queue().arn), own)


def _check_dead_letters(output: str, health: Health, now: datetime) -> Iterator[Finding]:
    yield dead_letter_finding(output, health.stack.dead_letter_queue(output))


def _check_moves(output: str, health: Health, now: datetime) -> Iterator[Finding]:
    queues = {read.arn for read in map(health.stack.queue, health.stack.resources("AWS::SQS::Queue"))}
    moved_to = health.move_destinations(health.stack.dead_letter_queue(output).arn)
    yield from move_findings(output, moved_to, queues)


def _check_topic(output: str, health: Health, now: datetime) -> Iterator[Finding]:
    topic = health.stack.output(output)
    subscriptions = health.subscriptions(topic)
    # Canaries come back to a queue of the stack's own: it notifies nobody.
    queues = {url.rpartition("/")[2] for url in health.stack.resources("AWS::SQS::Queue")}
    others = [entry for entry in subscriptions if str(entry.get("Endpoint")).rpartition(":")[2] not in queues]
    yield from subscription_findings(output, others)
    own = {
        (str(resource.properties.get("Protocol")), str(resource.properties.get("Endpoint")))
        for resource in health.declared
        if resource.kind == "AWS::SNS::Subscription" and resource.properties.get("TopicArn") == topic
    }
    yield from foreign_subscriber_findings(output, subscriptions, own, health.stack.account)


def _check_alarms(health: Health, now: datetime) -> Iterator[Finding]:
    yield from alarm_findings(health.alarms(), len(health.stack.resources("AWS::CloudWatch::Alarm")))


def _check_canary(health: Health, now: datetime) -> Iterator[Finding]:
    yield from canary_findings(health.newest_canary(now))


def _check_mutes(health: Health, now: datetime) -> Iterator[Finding]:
    yield from mute_findings(health.muted_alarms())


_ABOUT_PARTS = ("consumers", "canary", "silence", *(f"moves from {output}" for output in DEAD_LETTER_QUEUES))
"""Checks that have nothing to say where the queue or the table is gone: others say that it is."""

_CHECKS: dict[str, Check] = {
    "stack": _check_status_of_stack,
    "trail": _check_trails,
    "log files": _check_log_files,
    "denials": _check_denials,
    "source": _check_source,
    "functions": _check_functions,
    "consumers": _check_consumers,
    **{output: partial(_check_dead_letters, output) for output in DEAD_LETTER_QUEUES},
    **{f"moves from {output}": partial(_check_moves, output) for output in DEAD_LETTER_QUEUES},
    **{output: partial(_check_topic, output) for output in TOPICS},
    "audit": _check_audit,
    "canary": _check_canary,
    CHECK: check_live_rules,
    MEMBERS: check_members,
    "silence": _check_silence,
    "alarms": _check_alarms,
    "mute rules": _check_mutes,
    "as deployed": _check_as_deployed,
}

_MEMBER_CHECKS: dict[str, Check] = {
    "stack": _check_status_of_stack,
    MEMBERS: check_member_queue,
    "as deployed": _check_as_deployed,
}
"""Of a stack that forwards events (docs/members.md)."""
