"""`trailbell doctor`: would we be told? Read-only checks of a deployed stack and of the trail it reads.

Decisions (`*_findings`, `selector_faults`, `sends_to`) are pure and take plain values; the checks ask AWS for these.
"""

import fnmatch
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from trailbell.cli.local.local_state import load_local
from trailbell.cli.options.aws_errors import explain
from trailbell.cli.options.connection import aws_client
from trailbell.cli.terminal.display import print_table
from trailbell.errors import SettingsError
from trailbell.ops.health import Alarm, Clients, DeployedStack, Health, Queue, Trail, as_list
from trailbell.text.safe_text import one_line


OK, WARNING, PROBLEM, UNKNOWN = "ok", "warning", "problem", "unknown"
_STYLES = {OK: "green", WARNING: "yellow", PROBLEM: "bold red", UNKNOWN: "dim"}

_KMS = "kms.amazonaws.com"
_PROBES = (_KMS, "cloudhsm.amazonaws.com", "ssm.amazonaws.com", "cloudtrail.amazonaws.com", "iotfleethub.amazonaws.com")
_LATE = timedelta(minutes=60)  # CloudTrail delivers about every five minutes where anything happens
_SELECT_ALL = '[{"ReadWriteType":"All","IncludeManagementEvents":true}]'


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: what it means, and how to mend it ("" where nothing is to be done)."""

    state: str
    check: str
    meaning: str
    fix: str = ""


Check = Callable[[Health, datetime], Iterable[Finding]]


@click.command()
@click.option("--stack", default="trailbell", show_default=True, help="The stack to examine.")
@click.option("--local", is_flag=True, help="Examine what `trailbell local --keep` left running.")
@click.option("--format", "form", type=click.Choice(["table", "jsonl"]), default="table", show_default=True)
def doctor(stack: str, local: bool, form: str) -> None:
    """Check a deployed stack and its trail: would you be told? Nothing is changed.

    Each line is ok, a warning, a problem, or unknown (AWS did not let us look), and says how to mend it. The
    exit status is 1 when there is a problem. Run it in the stack's region; it needs read permissions only.

    \b
    Example:
      trailbell doctor
      trailbell doctor --format jsonl | jq 'select(.state == "problem")'
    """
    clients = load_local().client if local else aws_client
    findings = detect(clients, stack, datetime.now(UTC))
    if form == "jsonl":
        for finding in findings:
            click.echo(json.dumps(asdict(finding), ensure_ascii=True))
    else:
        print_table(["state", "check", "what it means", "how to mend it"], map(_cells, findings))
    sys.exit(int(any(finding.state == PROBLEM for finding in findings)))


def detect(clients: Clients, stack: str, now: datetime) -> list[Finding]:
    """All checks of a stack. Raises SettingsError when there is no such stack, or nobody may look at it."""
    deployed = DeployedStack(clients, stack)
    health = Health(clients, deployed)
    try:
        deployed.output("TrailBucket")
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(explain(error)) from error
    return [finding for name, check in _CHECKS.items() for finding in _guarded(name, check, health, now)]


def _guarded(name: str, check: Check, health: Health, now: datetime) -> Iterator[Finding]:
    """What a check finds; what AWS refuses or does not know is unknown, and the other checks go on."""
    try:
        yield from check(health, now)
    except (BotoCoreError, ClientError) as error:
        fix = "Allow the call, or look there yourself."
        yield Finding(UNKNOWN, name, f"Cannot look: {one_line(str(error), 300)}", fix)
    except (SettingsError, KeyError, ValueError) as error:
        yield Finding(UNKNOWN, name, f"Cannot look: {one_line(f'{type(error).__name__}: {error}', 300)}")


# --- the trail


def _check_trail(health: Health, now: datetime) -> Iterator[Finding]:
    own = bool(health.stack.resources("AWS::CloudTrail::Trail"))
    bucket = health.stack.output("TrailBucket")
    if not health.trails:
        yield Finding(
            PROBLEM if own else UNKNOWN,
            "trail",
            f"No trail of this account writes into {bucket}"
            + (", though the stack made one." if own else ": it is another account's, or there is none."),
            "Deploy again; see rule trail-feed-cut for who took it away." if own else "Look in the trail's account.",
        )
    for trail in health.trails:
        yield from _guarded(f"trail {trail.name}", partial(_check_status, trail), health, now)
        yield from _guarded(f"events {trail.name}", partial(_check_selectors, trail), health, now)


def _check_status(trail: Trail, health: Health, now: datetime) -> Iterator[Finding]:
    yield from trail_findings(trail, health.trail_status(trail), now)


def _check_selectors(trail: Trail, health: Health, now: datetime) -> Iterator[Finding]:
    yield from event_findings(trail, *health.selectors(trail))


def trail_findings(trail: Trail, status: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    """What a trail's settings and its status (GetTrailStatus) say."""
    check = f"trail {trail.name}"
    if status.get("IsLogging"):
        yield Finding(OK, check, "The trail is logging.")
    else:
        fix = f"aws cloudtrail start-logging --region {trail.home} --name {trail.arn}"
        yield Finding(PROBLEM, check, "The trail is not logging: nothing is seen.", fix)
    if trail.multi_region:
        yield Finding(OK, check, "It records all regions.")
    else:
        fix = f"aws cloudtrail update-trail --region {trail.home} --name {trail.arn} --is-multi-region-trail"
        yield Finding(PROBLEM, check, f"It records {trail.home} only: the other regions are not seen.", fix)
    if trail.validated:
        yield Finding(OK, check, "Log files are signed by digests (validation is on).")
    else:
        fix = f"aws cloudtrail update-trail --region {trail.home} --name {trail.arn} --enable-log-file-validation"
        yield Finding(WARNING, check, "No digests: a changed or removed log file cannot be proven.", fix)
    yield _delivery_finding(check, status, now)


def _delivery_finding(check: str, status: Mapping[str, Any], now: datetime) -> Finding:
    if fault := status.get("LatestDeliveryError"):
        fix = "Mend the bucket's policy, or the key's if the log files are encrypted."
        return Finding(PROBLEM, check, f"CloudTrail cannot deliver log files: {one_line(str(fault), 200)}.", fix)
    latest = status.get("LatestDeliveryTime")
    if not isinstance(latest, datetime):
        return Finding(WARNING, check, "CloudTrail has not delivered yet.", "Wait a quarter of an hour, look again.")
    return _age_finding(check, "CloudTrail delivered last", now - latest)


def event_findings(
    trail: Trail, classic: Sequence[Mapping[str, Any]], advanced: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """What a trail's event selectors keep from us."""
    check = f"events {trail.name}"
    fix = f"aws cloudtrail put-event-selectors --region {trail.home} --trail-name {trail.arn}"
    faults = selector_faults(classic, advanced)
    for fault in faults:
        yield Finding(PROBLEM, check, fault, f"{fix} --event-selectors '{_SELECT_ALL}' (replaces all selectors)")
    if not faults:
        yield Finding(OK, check, "It records management write events, those of KMS among them.")


def selector_faults(classic: Sequence[Mapping[str, Any]], advanced: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of the management write events a trail does not record, by its classic and advanced event selectors.

    An event is recorded when one selector takes it. A trail without any selectors records management events.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html
    """
    if not classic and not advanced:
        return []
    if not any(selector.get("IncludeManagementEvents", True) for selector in classic) and not any(
        _takes(selector, "eventCategory", "Management") for selector in advanced
    ):
        return ["No event selector includes management events: nothing we watch is recorded."]
    lost = [source for source in _PROBES if not _is_recorded(source, classic, advanced)]
    if lost == list(_PROBES):
        return ["Management write events are not recorded (read-only, or narrowed by another field)."]
    faults = []
    if _KMS in lost:
        faults.append("KMS is excluded from the management events: no KMS rule can ever match.")
    others = [source for source in lost if source != _KMS]
    if others:
        faults.append(f"Management write events of {', '.join(others)} are not recorded.")
    return faults


def _is_recorded(source: str, classic: Sequence[Mapping[str, Any]], advanced: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every write call to a service is recorded."""
    return any(
        selector.get("IncludeManagementEvents", True)
        and selector.get("ReadWriteType", "All") in ("All", "WriteOnly")
        and source not in (selector.get("ExcludeManagementEventSources") or ())
        for selector in classic
    ) or any(_takes_writes(selector, source) for selector in advanced)


def _takes_writes(selector: Mapping[str, Any], source: str) -> bool:
    """Whether an advanced selector takes all of a service's write calls; further fields narrow it to some."""
    known = {"eventCategory": "Management", "readOnly": "false", "eventSource": source}
    narrowed = any(entry.get("Field") not in known for entry in selector.get("FieldSelectors", ()))
    return not narrowed and all(_takes(selector, field, value) for field, value in known.items())


def _takes(selector: Mapping[str, Any], field: str, value: str) -> bool:
    """Whether all of an advanced selector's conditions on a field hold for a value; eventCategory must be there."""
    conditions = [entry for entry in selector.get("FieldSelectors", ()) if entry.get("Field") == field]
    if not conditions:
        return field != "eventCategory"
    return all(_holds(condition, value) for condition in conditions)


def _holds(condition: Mapping[str, Any], value: str) -> bool:
    tests: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("Equals", lambda selection: value == selection),
        ("StartsWith", value.startswith),
        ("EndsWith", value.endswith),
    )
    for name, test in tests:
        selection, unselected = condition.get(name) or (), condition.get(f"Not{name}") or ()
        if (selection and not any(map(test, selection))) or any(map(test, unselected)):
            return False
    return True


# --- the way in


def _check_way_in(health: Health, now: datetime) -> Iterator[Finding]:
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
        meaning = f"Neither {bucket} nor a topic nor a rule tells our queue: no log file is read."
        yield Finding(PROBLEM, "way in", meaning, "Deploy again; see rule trail-feed-cut for who took it away.")


def _visible_trails(health: Health) -> list[Trail]:
    """The trails, none where we may not look: another check says so."""
    try:
        return health.trails
    except (BotoCoreError, ClientError):
        return []


def _notified_topics(health: Health) -> set[str]:
    """The topics that the bucket or a trail notifies, as far as we may look."""
    found = {trail.topic for trail in _visible_trails(health) if trail.topic}
    try:
        entries = health.bucket_notifications.get("TopicConfigurations", ())
    except (BotoCoreError, ClientError):
        return found
    return found | {str(entry.get("TopicArn")) for entry in entries}


def direct_finding(
    entries: Sequence[Mapping[str, Any]], queue: Queue, bucket: str, trail_prefixes: set[str]
) -> Finding:
    """The bucket's notifications to our queue: for which objects, and does the queue take them?"""
    check = "way in"
    if not any(event.startswith("s3:ObjectCreated:") for entry in entries for event in entry.get("Events", ())):
        return Finding(PROBLEM, check, "The bucket does not tell our queue of created objects.", "Deploy again.")
    if not sends_to(queue, "s3.amazonaws.com", f"arn:aws:s3:::{bucket}"):
        return Finding(PROBLEM, check, "The queue's policy does not let the bucket send to it.", "Deploy again.")
    filters = [_filter(entry, "prefix") for entry in entries]
    roots = {f"{prefix}/AWSLogs/" if prefix else "AWSLogs/" for prefix in trail_prefixes}
    missed = sorted(root for root in roots if not any(root.startswith(taken) for taken in filters))
    if missed:
        meaning = f"The bucket tells our queue of {', '.join(filters)} only; the trail writes under {missed[0]}."
        return Finding(PROBLEM, check, one_line(meaning), "Set trail_prefix and deploy.")
    if not any(_filter(entry, "suffix") in ("", ".gz", ".json.gz") for entry in entries):
        return Finding(WARNING, check, "The bucket's notification has a suffix filter.", "Deploy again.")
    return Finding(OK, check, f"{bucket} tells our queue of every object under {', '.join(filters) or 'it'}.")


def topic_finding(
    topic: str, subscriptions: Iterable[Mapping[str, Any]], queue_arn: str, notified: set[str]
) -> Finding:
    """A topic between the bucket (or the trail) and our queue: subscribed, and told itself?"""
    ours = [entry for entry in subscriptions if entry.get("Endpoint") == queue_arn]
    if not any(entry.get("SubscriptionArn", "").startswith("arn:") for entry in ours):
        return Finding(PROBLEM, "way in", f"Our queue is not subscribed to {topic}.", "Deploy again.")
    if notified and topic not in notified:
        meaning = f"Our queue is subscribed to {topic}, but neither bucket nor trail notifies it."
        return Finding(PROBLEM, "way in", meaning, "Set the topic in the bucket's notifications or in the trail.")
    if not notified:
        meaning = f"Our queue is subscribed to {topic}; who notifies the topic cannot be seen from here."
        return Finding(UNKNOWN, "way in", meaning, "Look in the bucket's account.")
    return Finding(OK, "way in", f"Our queue is subscribed to {topic}, which is notified.")


def rules_finding(states: Mapping[str, str], *, sends: bool) -> Finding:
    """EventBridge rules between the bucket and our queue: enabled, and does the bucket send to EventBridge?"""
    if "ENABLED" not in states.values():
        fix = f"aws events enable-rule --name {next(iter(states))}"
        return Finding(PROBLEM, "way in", "The EventBridge rule is disabled: no log file is read.", fix)
    if not sends:
        fix = "Turn on Amazon EventBridge in the bucket's properties."
        return Finding(PROBLEM, "way in", "The bucket does not send to EventBridge: no log file is read.", fix)
    return Finding(OK, "way in", "EventBridge tells our queue of created objects.")


def senders(queue: Queue) -> list[tuple[str, str]]:
    """The services that the queue's policy lets send to it, each with the ARN they send for ("" for any)."""
    found = []
    for statement in as_list(queue.policy.get("Statement")):
        principal = statement.get("Principal")
        services = as_list(principal.get("Service")) if isinstance(principal, Mapping) else []
        if statement.get("Effect") == "Allow" and any(
            action.lower() in ("sqs:sendmessage", "sqs:*", "*") for action in as_list(statement.get("Action"))
        ):
            found += [(service, arn) for service in services for arn in _source_arns(statement)]
    return found


def sends_to(queue: Queue, service: str, source_arn: str) -> bool:
    """Whether the queue's policy lets a service send for a source (a bucket, a topic, a rule)."""
    return any(
        found == service and (not arn or fnmatch.fnmatchcase(source_arn.split(":", 5)[-1], arn.split(":", 5)[-1]))
        for found, arn in senders(queue)
    )


def _source_arns(statement: Mapping[str, Any]) -> list[str]:
    values = [
        value
        for operator in (statement.get("Condition") or {}).values()
        for name, given in operator.items()
        if name.lower() == "aws:sourcearn"
        for value in as_list(given)
    ]
    return values or [""]


def _filter(entry: Mapping[str, Any], name: str) -> str:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    return next((str(rule.get("Value", "")) for rule in rules if rule.get("Name", "").lower() == name), "")


# --- the stack itself


def _check_log_files(health: Health, now: datetime) -> Iterator[Finding]:
    """Without a trail to be seen the default prefix is tried, and finding nothing proves nothing."""
    trails = _visible_trails(health)
    prefix, organisation = (trails[0].prefix, trails[0].organisation) if trails else ("", False)
    newest = health.newest_log_file(prefix, organisation=organisation, now=now)
    whose = f"of account {health.stack.account}, {health.stack.region}"
    if newest:
        yield _age_finding("log files", f"The newest log file {whose} came", now - newest)
    else:
        meaning = f"No log file {whose} today or yesterday."
        fix = "Is the trail logging, and does it write there?"
        yield Finding(PROBLEM if trails else UNKNOWN, "log files", meaning, fix)


def _age_finding(check: str, what: str, age: timedelta) -> Finding:
    minutes = max(int(age.total_seconds() // 60), 0)
    if age <= _LATE:
        return Finding(OK, check, f"{what} {minutes} min ago.")
    fix = "Fine where nothing happens; else see whether the trail logs and may write into its bucket."
    return Finding(WARNING, check, f"{what} {minutes} min ago.", fix)


def _check_functions(health: Health, now: datetime) -> Iterator[Finding]:
    states = health.mapping_states()
    for kind, who in ((":sqs:", "The detector reads the queue"), (":dynamodb:", "The notifier reads the stream")):
        yield mapping_finding(who, [state for arn, state in states.items() if kind in arn])


def mapping_finding(who: str, states: Sequence[str]) -> Finding:
    """Whether a function is fed."""
    if any(state in ("Enabled", "Enabling", "Creating", "Updating") for state in states):
        return Finding(OK, "functions", f"{who}.")
    shown = f"its event source mapping is {states[0]}" if states else "it has no event source mapping"
    return Finding(PROBLEM, "functions", f"{who}: not so, {shown}.", "Enable it (lambda update-event-source-mapping).")


def _check_dead_letters(health: Health, now: datetime) -> Iterator[Finding]:
    for output, meaning, fix in (
        (
            "DeadLetters",
            "notifications could not be done: log files that were not read",
            "trailbell dlq list; the detector's log says why; mend it; trailbell dlq redrive",
        ),
        (
            "AlertDeadLetters",
            "batches of hits could not be told; the hits are in the table",
            "trailbell dlq list; trailbell hits; the notifier's log says why; mend it; purge the queue",
        ),
    ):
        waiting = health.stack.dead_letter_queue(output).waiting
        yield Finding(PROBLEM, output, f"{waiting} {meaning}.", fix) if waiting else Finding(OK, output, "Empty.")


def _check_alert_topic(health: Health, now: datetime) -> Iterator[Finding]:
    yield from subscription_findings("AlertTopic", health.subscriptions(health.stack.output("AlertTopic")))


def _check_operations_topic(health: Health, now: datetime) -> Iterator[Finding]:
    yield from subscription_findings("OperationsTopic", health.subscriptions(health.stack.output("OperationsTopic")))


def subscription_findings(topic: str, subscriptions: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Who is told: at least one subscriber, and each of them confirmed."""
    confirmed = [entry for entry in subscriptions if entry.get("SubscriptionArn", "").startswith("arn:")]
    for entry in subscriptions:
        if entry not in confirmed:
            endpoint = one_line(str(entry.get("Endpoint", "")), 100)
            meaning = f"{endpoint} has not confirmed ({one_line(str(entry.get('SubscriptionArn', '')), 40)})."
            fix = "Follow the link in AWS's mail; it expires after two days: then subscribe again."
            yield Finding(WARNING if confirmed else PROBLEM, topic, meaning, fix)
    if confirmed:
        yield Finding(OK, topic, f"Confirmed subscriptions: {len(confirmed)}.")
    elif not subscriptions:
        setting = "alert_emails" if topic == "AlertTopic" else "operations_emails"
        state = PROBLEM if topic == "AlertTopic" else WARNING
        yield Finding(state, topic, "Nobody is subscribed: nobody is told.", f"Set {setting} and deploy.")


def _check_alarms(health: Health, now: datetime) -> Iterator[Finding]:
    yield from alarm_findings(health.alarms(), len(health.stack.resources("AWS::CloudWatch::Alarm")))


def alarm_findings(alarms: Sequence[Alarm], made: int) -> Iterator[Finding]:
    """Alarms that ring, that would tell nobody, and that the stack made but are gone."""
    check = "alarms"
    ringing = [alarm for alarm in alarms if alarm.state == "ALARM"]
    silent = [alarm.name for alarm in alarms if not alarm.acts]
    for alarm in ringing:
        yield Finding(PROBLEM, check, f"{one_line(alarm.name, 100)} rings.", one_line(alarm.meaning, 200))
    if silent:
        meaning = f"{len(silent)} alarms tell nobody: their actions are disabled."
        yield Finding(PROBLEM, check, meaning, f"aws cloudwatch enable-alarm-actions --alarm-names {' '.join(silent)}")
    if len(alarms) < made:
        yield Finding(PROBLEM, check, f"{made - len(alarms)} of the stack's {made} alarms are gone.", "Deploy again.")
    if not made:
        yield Finding(WARNING, check, "The stack has no alarms.", "Deploy it again.")
    elif all(alarm.state == "INSUFFICIENT_DATA" for alarm in alarms):
        yield Finding(
            UNKNOWN, check, f"None of {made} has been evaluated yet.", "Wait a quarter of an hour, look again."
        )
    elif not (ringing or silent or len(alarms) < made):
        yield Finding(OK, check, f"None of {made} rings.")


_CHECKS: dict[str, Check] = {
    "trail": _check_trail,
    "log files": _check_log_files,
    "way in": _check_way_in,
    "functions": _check_functions,
    "dead letters": _check_dead_letters,
    "AlertTopic": _check_alert_topic,
    "OperationsTopic": _check_operations_topic,
    "alarms": _check_alarms,
}


def _cells(finding: Finding) -> list[str | Text]:
    return [Text(finding.state, style=_STYLES[finding.state]), finding.check, finding.meaning, finding.fix]
