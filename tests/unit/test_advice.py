"""The one table of advice: every condition is found by something, every finding is in it."""

import ast
import re
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tools.alarms import PAGE, alarms, written
from trailbell.audit.arrivals import Arrivals, Source
from trailbell.audit.newest import Newest
from trailbell.cloudtrail.digest_key import Trail as DigestTrail
from trailbell.ops.advice import advice_on, table
from trailbell.ops.answers import Alarm, Declared, EventSource, LiveRule, Queue, Reading, Seen, Trail, TrailStatus
from trailbell.ops.audited_days import DeployedDay
from trailbell.ops.checks.alarms import alarm_findings
from trailbell.ops.checks.as_deployed import deployment_findings
from trailbell.ops.checks.audit import audit_findings
from trailbell.ops.checks.dead_letters import DEAD_LETTER_QUEUES, dead_letter_finding
from trailbell.ops.checks.events import event_findings
from trailbell.ops.checks.finding import OK, Finding
from trailbell.ops.checks.foreign import (
    denial_findings,
    foreign_consumer_findings,
    foreign_subscriber_findings,
    move_findings,
    mute_findings,
)
from trailbell.ops.checks.functions import function_findings
from trailbell.ops.checks.live import live_rule_findings, member_findings, member_stack_finding, seen_by_place
from trailbell.ops.checks.parts import KINDS
from trailbell.ops.checks.refusal import refusal_finding
from trailbell.ops.checks.silence import silence_findings
from trailbell.ops.checks.source import direct_finding, no_source_finding, rules_finding, topic_finding
from trailbell.ops.checks.stack import drift_findings, stack_findings
from trailbell.ops.checks.topics import subscription_findings
from trailbell.ops.checks.trail import log_file_finding, no_trail_finding, trail_findings


ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lambdas" / "trailbell"
NOW = datetime(2026, 9, 15, 10, 0, tzinfo=UTC)
LATE = NOW - timedelta(hours=3)
QUEUE_ARN = "arn:aws:sqs:eu-central-1:123456789012:ingest"
TRAIL = Trail("main", "arn:aws:cloudtrail:eu-central-1:1:trail/main", "eu-central-1", "", False, False, False, "")
WELL = TrailStatus(logging=True, delivery_error="", delivered_at=NOW)
ALLOWING = {"Statement": {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*"}}
CREATED = {"Events": ["s3:ObjectCreated:*"]}


def queue(policy: object = None, waiting: int = 0) -> Queue:
    return Queue("https://ingest", QUEUE_ARN, waiting, policy or {}, "")  # type: ignore[arg-type]


def filtered(name: str, value: str) -> dict[str, object]:
    return {**CREATED, "Filter": {"Key": {"FilterRules": [{"Name": name, "Value": value}]}}}


def changed_resources() -> list[Reading]:
    """One of each kind with every part changed, gone, and its owner gone; a policy with other statements."""
    readings = []
    for name, kind in KINDS.items():
        members = [member for part in kind.parts for member in part.defaults]
        declared: dict[str, object] = {member: {"Variables": {"is": "deployed"}} for member in members}
        live: dict[str, object] = {member: {"Variables": {"is": "now"}} for member in members}
        owner = {"FunctionName": "f", "Principal": "p", "Action": "a", "Statement": "s", "PolicyName": "p", "Roles": []}
        resource = Declared("Name", name, "physical", declared | owner)
        readings += [Reading(resource, live), Reading(resource, {}, "physical"), Reading(resource, {}, "its-owner")]
    statements = {"Statement": [{"Effect": "Deny"}, {"Effect": "Allow"}]}
    wanted = {"PolicyDocument": {"Statement": {"Effect": "Allow", "Sid": "1", "Action": "x"}}, "Topics": ["t"]}
    policy = Declared("Policy", "AWS::SNS::TopicPolicy", "policy", wanted)
    return [*readings, Reading(policy, {"PolicyDocument": statements})]


def stack_itself() -> list[Finding]:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    denying = {"Statement": [deny, {**deny, "Condition": {"StringEquals": {"aws:SourceVpc": "x"}}}]}
    statuses = ("DELETE_FAILED", "UPDATE_ROLLBACK_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    drift = {"StackResourceDriftStatus": "DELETED", "LogicalResourceId": "x"}
    return [
        *(finding for status in statuses for finding in stack_findings("trailbell", status)),
        *drift_findings([drift], "a resource could not be read"),
        *deployment_findings(changed_resources(), ["AWS::New::Thing"]),
        *foreign_subscriber_findings("AlertTopic", [{"Protocol": "https", "Endpoint": "https://e"}], (), "1"),
        *foreign_consumer_findings([EventSource("0f1e", QUEUE_ARN, "Enabled")], ()),
        *move_findings("DeadLetters", ["arn:x"], ()),
        *denial_findings("b", denying, "arn:aws:iam::1:role/r", "arn:aws:s3:::b/AWSLogs/*"),
        *mute_findings(["a"]),
        *alarm_findings([Alarm("a", "OK", "x", True, "because I say so")], 1),
        refusal_finding("trail", "not there", "NoSuchBucket"),
    ]


def whatever_the_audit_finds() -> list[Finding]:
    chain = Newest(DigestTrail("1", "eu-central-1", "t", "eu-central-1"), False, NOW, "b", "k")
    red, green = DeployedDay("1", "eu-central-1", "2026-11-20"), DeployedDay("1", "eu-central-1", "2026-11-21")
    red.logs["missing"] = 1
    green.digests["valid"] = 24
    return [
        *audit_findings([], [], []),
        *audit_findings([chain], [red, green], []),
        *audit_findings([chain], [green], [chain]),
        *audit_findings([chain], [green], []),
    ]


def whatever_silence_finds() -> list[Finding]:
    source = Source("111122223333", "eu-central-1")
    return [
        *silence_findings({}, [], 100),
        *silence_findings({source: Arrivals(99)}, [], 100),
        *silence_findings({source: Arrivals(9)}, [source], 100),
    ]


def test_silence_is_fine_only_where_nobody_is_silent() -> None:
    """And says nothing before there is anything to say."""
    assert [finding.state for finding in whatever_silence_finds()] == ["ok", "problem"]


def test_audit_is_green_only_where_everything_is() -> None:
    """What is said to be proven has to be."""
    states = [finding.state for finding in whatever_the_audit_finds()]

    assert states == ["warning", "problem", "problem", "ok"]


@pytest.mark.parametrize("state", ["Enabled", "Disabled"])
def test_detector_that_reads_nothing_is_found_though_the_audit_reads_its_queue(state: str) -> None:
    """Two functions have a queue then; one must not stand for the other."""
    sources = [EventSource("0f1e", QUEUE_ARN, state), EventSource("0f2e", QUEUE_ARN + "-digests", "Enabled")]

    detector, _, audit = function_findings([*sources, EventSource("0f3e", "a:dynamodb:b", "Enabled")], QUEUE_ARN)

    assert (detector.state == OK, audit.state) == (state == "Enabled", OK)


def whatever_is_wrong_with_live_events() -> list[Finding]:
    asked = {name: LiveRule(name, {"source": ["aws.kms"]}, "ENABLED", 1) for name in ("a", "b", "c", "d")}
    as_is = {
        "a": None,
        "b": replace(asked["b"], state="DISABLED"),
        "c": replace(asked["c"], targets=0),
        "d": replace(asked["d"], pattern={"source": ["my.app"]}),
    }
    places = {("1", f"eu-west-{number}"): Seen(0, 1) for number in range(7)}
    return [
        *live_rule_findings(asked, as_is, "0a1b2c3d"),
        *live_rule_findings(asked, dict(asked), "0a1b2c3d"),
        *member_findings(places, 7),
        *member_findings({("1", "eu-west-1"): Seen(1, 5)}, 7),
        *member_findings({}, 7),
        member_stack_finding(3),
        member_stack_finding(0),
    ]


def test_live_events_are_fine_only_where_everything_is() -> None:
    """A rule that is off, empty or somebody else's is a rule whose calls come minutes late."""
    found = whatever_is_wrong_with_live_events()

    assert [one.state for one in found] == ["problem"] * 3 + ["warning", "ok", "warning", "ok", "ok", "problem", "ok"]
    assert "1 eu-west-0, 1 eu-west-1" in found[5].meaning
    assert "and 2 more" in found[5].meaning


def test_account_is_silent_in_the_region_where_only_files_brought_hits() -> None:
    """One event of a Region says nothing of another Region's stack."""
    seen = seen_by_place([("1", "r1", True), ("1", "r1", False), ("1", "r2", False), ("2", "r1", True)])

    assert seen == {("1", "r1"): Seen(1, 1), ("1", "r2"): Seen(0, 1), ("2", "r1"): Seen(1, 0)}
    (finding,) = member_findings(seen, 7)
    assert "Of 1 accounts and Regions" in finding.meaning
    assert "1 r2" in finding.meaning


def whatever_is_wrong() -> list[Finding]:
    """A finding of every kind, by the checks themselves."""
    allowing, pending = queue(ALLOWING), {"Endpoint": "a@example.com", "SubscriptionArn": "PendingConfirmation"}
    subscribed = [{"Endpoint": QUEUE_ARN, "SubscriptionArn": "arn:x"}]
    return [
        no_trail_finding("b", made_by_stack=True),
        no_trail_finding("b", made_by_stack=False),
        *trail_findings(TRAIL, replace(WELL, logging=False), NOW),
        *trail_findings(TRAIL, replace(WELL, delivery_error="AccessDenied"), NOW),
        *trail_findings(TRAIL, replace(WELL, delivered_at=None), NOW),
        log_file_finding(LATE, NOW, "1", "eu-central-1", trail_seen=True),
        log_file_finding(None, NOW, "1", "eu-central-1", trail_seen=True),
        *event_findings(TRAIL, [{"IncludeManagementEvents": False}], []),
        no_source_finding("b"),
        direct_finding([{"Events": ["s3:ObjectRemoved:*"]}], allowing, "b", set()),
        direct_finding([CREATED], queue(), "b", set()),
        direct_finding([filtered("prefix", "x/")], allowing, "b", {"y"}),
        direct_finding([filtered("suffix", ".txt")], allowing, "b", set()),
        topic_finding("t", [], QUEUE_ARN, set()),
        topic_finding("t", subscribed, QUEUE_ARN, {"u"}),
        topic_finding("t", subscribed, QUEUE_ARN, set()),
        rules_finding({"r": "DISABLED"}, sends=True),
        rules_finding({"r": "ENABLED"}, sends=False),
        *function_findings([EventSource("0f1e", QUEUE_ARN, "Disabled")]),
        *(dead_letter_finding(name, queue(waiting=1)) for name in DEAD_LETTER_QUEUES),
        *whatever_the_audit_finds(),
        *whatever_is_wrong_with_live_events(),
        *whatever_silence_finds(),
        *subscription_findings("AlertTopic", [pending]),
        *subscription_findings("AlertTopic", []),
        *alarm_findings([Alarm("a", "ALARM", "x", True), Alarm("b", "OK", "x", False)], 3),
        *alarm_findings([], 0),
        *alarm_findings([Alarm("a", "INSUFFICIENT_DATA", "x", True)], 1),
        refusal_finding("trail", "no", "AccessDenied"),
        refusal_finding("trail", "no"),
        *stack_itself(),
    ]


def test_every_condition_of_the_table_is_found_by_a_check_or_is_an_alarm() -> None:
    """A row nobody reads goes out of date unseen; one that is missing is a KeyError in front of an operator."""
    found = {finding.condition for finding in whatever_is_wrong()} - {""}
    of_alarms = {f"alarm.{name}" for name in alarms()}

    assert found | of_alarms == set(table())


def test_every_finding_says_what_to_do_with_every_name_filled_in() -> None:
    """A brace left over is a command that cannot be pasted."""
    for finding in whatever_is_wrong():
        assert bool(finding.fix) == bool(finding.condition) == (finding.state != OK), finding
        assert not re.search(r"\{\w+\}", finding.meaning + finding.fix), finding


@pytest.mark.parametrize("condition", sorted({condition for condition in table() if condition.startswith("alarm.")}))
def test_description_of_an_alarm_is_one_that_cloudwatch_takes(condition: str) -> None:
    """At most 1,024 characters: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    text = table()[condition].text

    assert len(text) <= 1024
    assert text == " ".join(text.split())


def test_operators_page_says_what_the_table_says() -> None:
    """`python -m tools.alarms` writes it."""
    text = PAGE.read_text(encoding="utf-8")

    assert "<!-- alarms -->" in text
    assert written(text) == text


def test_nobody_is_advised_to_purge() -> None:
    """Doctor said so once: the queue it meant holds the only list of what nobody was notified of."""
    for condition, advice in table().items():
        text = f"{advice.fix} {' '.join(advice.commands)}"
        assert "purge" not in text.lower().replace("never purge", ""), condition
    for file in sorted((PACKAGE / "cli").rglob("*.py")):
        strings = [
            node.value
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not [text for text in strings if "purge" in text.lower()], file


def test_both_dead_letter_queues_are_given_back_by_the_same_command() -> None:
    """What their alarms, doctor and `trailbell dlq list` say is this."""
    for name in DEAD_LETTER_QUEUES:
        assert advice_on(f"alarm.{name}NotEmpty").commands == ("trailbell dlq list", "trailbell dlq redrive")


def test_values_are_shown_on_one_safe_line_and_quoted_in_commands() -> None:
    """Names of rules and topics are chosen by whoever can make them."""
    advice = advice_on("source.rule-disabled", rule="x; rm -rf \x1b[2J ~")

    assert advice.commands == (r"aws events enable-rule --name 'x; rm -rf \x1b[2J ~'",)


def test_what_judges_needs_no_aws() -> None:
    """The checks take plain values, and the stack reads the table at synth."""
    modules = ", ".join(f"trailbell.ops.checks.{file.stem}" for file in (PACKAGE / "ops" / "checks").glob("[a-z]*.py"))
    code = (
        f"import sys, trailbell.ops.advice, {modules}\n"
        "print([name for name in ('boto3', 'botocore', 'click', 'rich') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
