"""Least privilege, proven: the real handlers run under the synthesised policies where IAM is enforced.

Every call they make is allowed, a matrix of calls they must not make is refused, and whatever action is taken
away, something here notices. How: tests/infra/iam/README.md.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.iam.account import EXISTING
from tests.infra.iam.call import Call
from tests.infra.iam.matrix import calls, matrix
from tests.infra.iam.moto_patches import enforcing_aws
from tests.infra.iam.statements import ROLES, Statement, Template, granted, listed
from tests.infra.iam.world import World
from trailbell.engine.rulebook import dump_rulebook
from trailbell.rulebook.build import build_rulebook


ROOT = Path(__file__).parents[2]
RULE = ROOT / "rules" / "kms" / "aws_kms_key_disabled.yml"
DONE: dict[str, list[object]] = {"batchItemFailures": []}

# What the functions' own code does; all else that is granted is done by Lambda in their name, or by S3 (kms:Decrypt).
HANDLED = {
    "Detector": {
        *("s3:GetObject", "s3:GetObjectVersion"),
        *("dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:Query"),
    },
    "Notifier": {
        *("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Query"),
        *("sns:Publish", "events:PutEvents", "securityhub:BatchImportFindings"),
    },
}


@pytest.fixture(scope="module")
def rulebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rulebook of one rule: a key was disabled."""
    folder = tmp_path_factory.mktemp("rulebook")
    (folder / "exceptions").mkdir()
    book, _ = build_rulebook(RULE, folder / "exceptions", {}, date.today())
    path = folder / "rulebook.json"
    path.write_text(dump_rulebook(book), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=[pytest.param({}, id="new"), pytest.param(EXISTING, id="existing")])
def world(request: pytest.FixtureRequest, template_of: Callable[..., Template], rulebook: Path) -> Iterator[World]:
    """The stack with a bucket of its own, and with an existing one whose log files are encrypted with a key."""
    with enforcing_aws():
        yield World(template_of(**request.param), rulebook)


def given_record(number: int) -> dict[str, Any]:
    """A key was disabled, successfully."""
    return {
        "eventVersion": "1.11",
        "eventID": f"ca7e0000-0000-4000-8000-{number:012d}",
        "eventTime": "2026-09-15T10:00:00Z",
        "eventType": "AwsApiCall",
        "eventSource": "kms.amazonaws.com",
        "eventName": "DisableKey",
        "awsRegion": "eu-central-1",
        "recipientAccountId": f"{number:012d}",  # hits of one account are one alert
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2",
        "requestParameters": {"keyId": "11111111-2222-3333-4444-555555555555"},
        "userIdentity": {"type": "IAMUser", "userName": "ci", "arn": "arn:aws:iam::111122223333:user/ci"},
    }


def given_batch(world: World, **s3_object: str) -> dict[str, Any]:
    """The feed's batch of one message about one object."""
    s3 = {"bucket": {"name": world.bucket}, "object": {"size": 1, **s3_object}}
    body = {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}]}
    return {"Records": [{"eventSource": "aws:sqs", "messageId": "m0", "body": json.dumps(body)}]}


def news(world: World, event_id: str) -> dict[str, Any]:
    """What the stream tells of one hit."""
    iterator = world.iterator(world.name("HitsTable.StreamArn"))
    records = world.as_admin("dynamodbstreams").get_records(ShardIterator=iterator)["Records"]
    return {
        "Records": [
            entry
            for entry in records
            if entry["dynamodb"].get("NewImage", {}).get("kind") == {"S": "hit"}
            and entry["dynamodb"]["NewImage"]["eventID"] == {"S": event_id}
        ]
    }


def rows_of(world: World, kind: str, event_id: str) -> list[Any]:
    table = world.name("HitsTable")
    rows = world.as_admin("dynamodb").scan(TableName=table)["Items"]
    return [row for row in rows if row.get("kind") == {"S": kind} and event_id in row["pk"]["S"]]


def detector_works(world: World) -> bool:
    """Two new log files, the second named by its version and overwritten since, become two hits."""
    for pinned in (False, True):
        record = given_record(next(world.numbers))
        key, version = world.put_log_file(record)
        named = {"key": key}
        if pinned:
            named["versionId"] = version
            world.put_log_file(key=key)
        answer = world.invoke("Detector", given_batch(world, **named))
        if answer != DONE or not rows_of(world, "hit", record["eventID"]):
            return False
    return True


def notifier_works(world: World) -> bool:
    """A new hit is told once to every reader, related hits looked up, although the stream tells of it twice."""
    record = given_record(next(world.numbers))
    key, _ = world.put_log_file(record)
    assert world.invoke("Detector", given_batch(world, key=key)) == DONE
    event = news(world, record["eventID"])
    assert len(event["Records"]) == 1
    notified = inbox(world, topic="AlertsTopic")
    others = [inbox(world, topic="OthersChat"), inbox(world, topic="")] if world.channels else []
    others += [findings(world, record["eventID"])] if world.channels else []
    try:
        answers = [world.invoke("Notifier", event) for _ in range(2)]
    except ClientError:
        return False
    alerts = [json.loads(json.loads(message["Body"])["Message"]) for message in notified()]
    return (
        answers == [DONE, DONE]
        and [alert["related"]["note"] for alert in alerts] == [""]
        and [len(other()) for other in others] == [1] * len(others)
        and len(rows_of(world, "told", record["eventID"])) == 1
    )


def inbox(world: World, topic: str) -> Callable[[], list[Any]]:
    """A queue that gets what a topic is told, or without one the event bus; what is returned empties it."""
    sqs, name = world.as_admin("sqs"), f"inbox-{next(world.numbers)}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    if topic:
        world.as_admin("sns").subscribe(TopicArn=world.name(topic), Protocol="sqs", Endpoint=arn)
    else:
        rule = {"Name": name, "EventBusName": world.name("OthersBus")}
        world.as_admin("events").put_rule(**rule, EventPattern=json.dumps({"source": ["trailbell"]}))
        targets = [{"Id": "inbox", "Arn": arn}]
        world.as_admin("events").put_targets(Rule=name, EventBusName=rule["EventBusName"], Targets=targets)
    return lambda: list(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []))


def findings(world: World, event_id: str) -> Callable[[], list[Any]]:
    """What Security Hub has of an event."""
    hub = world.as_admin("securityhub")
    return lambda: [one for one in hub.get_findings()["Findings"] if event_id in one["Id"]]


WORKS = {"Detector": detector_works, "Notifier": notifier_works}


def grants(statements: list[Statement]) -> list[tuple[str, object]]:
    """Every single action of every statement, with the statement's resource."""
    return [(action, statement["Resource"]) for statement in statements for action in listed(statement["Action"])]


def idle_grants(world: World, role: str) -> list[str]:
    """The grants that can be taken away one at a time without anything here noticing."""
    checks = [call for call in calls(world) if call.role == role and call.allowed and call.by_moto]
    return [
        f"nothing needs {action} on {resource}: take it away"
        for action, resource in grants(world.policies[role])
        if not _missed(world, role, action, resource, checks)
    ]


def _missed(world: World, role: str, action: str, resource: object, checks: list[Call]) -> bool:
    with world.without(role, action, resource):
        if action in HANDLED[role]:
            return not WORKS[role](world)
        return any(not world.can(check) for check in checks if check.action == action)


def test_detector_works_under_its_policy(world: World) -> None:
    """A permission forgotten is found by the first log file, after the deployment."""
    assert detector_works(world)


def test_notifier_works_under_its_policy(world: World) -> None:
    """A permission forgotten is a hit that nobody hears of."""
    assert notifier_works(world)


@pytest.mark.parametrize("role", ROLES)
def test_role_without_policy_can_do_nothing(world: World, role: str) -> None:
    """Were enforcement off, every other test here would prove nothing."""
    world.set_policy(role, [])
    try:
        assert not WORKS[role](world)
        assert [str(call) for call in calls(world) if call.role == role and call.by_moto and world.can(call)] == []
    finally:
        world.set_policy(role, world.policies[role])


@pytest.mark.parametrize("role", ROLES)
def test_role_can_do_what_the_matrix_says_and_nothing_else_of_it(world: World, role: str) -> None:
    """Whoever takes over the function that reads hostile input tries exactly these."""
    mine = [call for call in calls(world) if call.role == role and call.by_moto]

    assert [str(call) for call in mine if world.can(call) != call.allowed] == []
    assert sum(call.allowed for call in mine) >= 10
    assert sum(not call.allowed for call in mine) >= 50


def test_statements_read_by_themselves_say_the_same(world: World) -> None:
    """The second line also knows the condition on keys, which moto passes over."""
    every = calls(world)

    assert [str(call) for call in every if world.granted(call) != call.allowed] == []
    bound = {"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Query"}
    assert {call.action for call in every if not call.by_moto} == bound


def test_notifier_reaches_no_hit_and_of_the_pointers_only_those_of_actors(world: World) -> None:
    """Every statement of its own about the table is bound to keys: marks to read and write, actors to query."""
    table = world.name("HitsTable.Arn")
    bound = [one for one in world.policies["Notifier"] if table in listed(one["Resource"])]

    keys = {
        (*sorted(listed(one["Action"])),): one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for one in bound
    }
    records = ("dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem")
    assert keys == {
        records: ["N#*"],
        ("dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:Query"): ["G#*"],
        ("dynamodb:PutItem",): ["K#*", "D#*"],
        ("dynamodb:Query",): ["P#*", "O#*"],
        ("dynamodb:BatchGetItem",): ["S#*"],
    }


@pytest.mark.parametrize("role", ROLES)
def test_every_granted_action_is_missed_when_taken_away(world: World, role: str) -> None:
    """A permission that nobody misses is one for attackers only."""
    assert idle_grants(world, role) == []
    assert WORKS[role](world)


def test_action_that_nothing_needs_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check on grants must turn red for a grant that is new and needless."""
    idle = {"Effect": "Allow", "Action": ["sns:Unsubscribe"], "Resource": world.name("AlertsTopic")}
    monkeypatch.setitem(world.policies, "Notifier", [idle])

    found = idle_grants(world, "Notifier")

    monkeypatch.undo()
    world.set_policy("Notifier", world.policies["Notifier"])
    assert found == [f"nothing needs sns:Unsubscribe on {world.name('AlertsTopic')}: take it away"]


@pytest.mark.parametrize(("role", "everywhere"), [("Detector", set()), ("Notifier", {"dynamodb:ListStreams"})])
def test_every_granted_action_is_tried_elsewhere_too(world: World, role: str, everywhere: set[str]) -> None:
    """An action granted on "*" instead of its one resource must turn the matrix red."""
    refused = {call.action for call in calls(world) if call.role == role and not call.allowed and call.by_moto}

    assert {action for action, _ in grants(world.policies[role])} - refused == everywhere


def test_documented_matrix_is_the_one_of_the_stack(world: World) -> None:
    """docs/security.md is what auditors read."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    documented = {line for line in text.splitlines() if line.startswith("| `")}

    found = {line for line in matrix(world) if line.startswith("| `")}
    assert found - documented == set()
    only_there = (
        "the trail's key",
        "the chat topic",
        "the event bus",
        "its own product of Security Hub",
    )  # in the stack that has them
    missing = {line for line in documented - found if world.key or not any(one in line for one in only_there)}
    assert missing == set()


# What the weekly report asks for; tests/integration/test_weekly.py finds these very keys in what it does ask for.
REPORT = {
    *(("dynamodb:Query", key) for key in ("T#2026-11-24#0", "D#2026-12-01T08", "W#report")),
    *(("dynamodb:BatchGetItem", key) for key in ("H#1#2", "S#1#2", "N#1#2", "N#shared#2", "K#2026-11-24T09")),
    ("dynamodb:PutItem", "W#report"),
}


def test_clock_reads_what_the_weekly_report_asks_for_and_writes_no_hit(template_of: Callable[..., Template]) -> None:
    """It runs once a week: a key that is missing here is found on a Monday, in AWS alone."""
    policies = [one for one in template_of()["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]
    clocks = [one["Properties"] for one in policies if "ClockRole" in json.dumps(one["Properties"]["Roles"])]
    every = [statement for policy in clocks for statement in policy["PolicyDocument"]["Statement"]]
    on_table = [{**one, "Resource": "table"} for one in every if "HitsTable" in json.dumps(one["Resource"])]

    assert [call for call in REPORT if not granted(on_table, call[0], "table", call[1])] == []
    written = [
        (action, key)
        for action in ("dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:UpdateItem")
        for key in ("H#1#2", "S#1#2", "N#1#2", "T#2026-11-24#0", "R#r#2026-11", "U#1#link", "B#2026-11-24")
        if granted(on_table, action, "table", key)
    ]
    assert written == []
    assert not any(
        granted(on_table, "dynamodb:Query", "table", key) for key in ("N#1#2", "P#a#2026-11", "B#2026-11-24")
    )
