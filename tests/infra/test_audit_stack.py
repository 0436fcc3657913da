"""The audit in the template: off unless asked for, with the rights of its work, a queue, a schedule and alarms."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.test_stack import listed, plain, resources, statements


Template = dict[str, Any]
TemplateOf = Callable[..., Template]
HITS = ["H#*", "T#*", "R#*", "P#*", "X#*", "A#*"]


def function(template: Template, name: str) -> Template:
    (found,) = (
        one["Properties"]
        for one in resources(template, "AWS::Lambda::Function").values()
        if one["Properties"].get("Handler") == f"trailbell.handlers.{name}.handler"
    )
    return dict(found)


def test_audit_is_off_unless_asked_for(template_of: TemplateOf) -> None:
    """A row for each log file is paid for, and a trail without validation has no digests."""
    template = template_of()

    handlers = {one["Properties"]["Handler"] for one in resources(template, "AWS::Lambda::Function").values()}
    assert "trailbell.handlers.audit.handler" not in handlers
    assert "TRAILBELL_AUDIT_QUEUE_URL" not in function(template, "detector")["Environment"]["Variables"]
    assert not [name for name in resources(template, "AWS::CloudWatch::Alarm") if "Audit" in name]


def test_audit_has_the_rights_of_its_work_and_no_others(template_of: TemplateOf) -> None:
    """It writes hits, so it may do little else: no log file's own key, no other row, no alert."""
    template = template_of(audit=True, trail_bucket="central-logs", trail_prefix="org")
    granted = list(statements(template, "AuditRole"))
    keys = {
        action: one["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for one in granted
        for action in listed(one["Action"])
        if action.startswith("dynamodb:")
    }

    assert {action for one in granted for action in listed(one["Action"])} == {
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("s3:GetObject", "s3:ListBucket", "cloudtrail:ListPublicKeys"),
        *("dynamodb:Query", "dynamodb:PutItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"),
        *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"),
    }
    assert keys == {
        "dynamodb:Query": ["L#*", "V#*", "H#*", "R#*"],
        "dynamodb:PutItem": ["V#*", "L#late", *HITS],
        "dynamodb:BatchWriteItem": HITS,
        "dynamodb:DeleteItem": ["L#late"],
    }
    assert [one["Action"] for one in granted if one["Resource"] == "*"] == ["cloudtrail:ListPublicKeys"]
    (read,) = (one for one in granted if one["Action"] == "s3:GetObject")
    assert plain(read["Resource"]).endswith("central-logs/org/AWSLogs/*/CloudTrail-Digest/*")


def test_audit_gets_digests_from_the_detector_and_asks_every_hour(template_of: TemplateOf) -> None:
    """Its queue keeps what cannot be done, and the detector may send to it."""
    template = template_of(audit=True)
    rules = [one["Properties"] for one in resources(template, "AWS::Events::Rule").values()]
    mappings = [one["Properties"] for one in resources(template, "AWS::Lambda::EventSourceMapping").values()]
    of_audit = [one for one in mappings if "Audit" in json.dumps(one["FunctionName"])]
    queues = resources(template, "AWS::SQS::Queue")
    (digests,) = (one["Properties"] for name, one in queues.items() if name.startswith("AuditDigests"))

    assert "TRAILBELL_AUDIT_QUEUE_URL" in function(template, "detector")["Environment"]["Variables"]
    assert "sqs:SendMessage" in {
        action for one in statements(template, "DetectorRole") for action in listed(one["Action"])
    }
    assert [one["ScheduleExpression"] for one in rules if "Audit" in json.dumps(one["Targets"])] == ["rate(1 hour)"]
    assert [one["FunctionResponseTypes"] for one in of_audit] == [["ReportBatchItemFailures"]]
    assert [one["BatchSize"] for one in of_audit] == [1], "a digest that kills the function takes no other with it"
    assert digests["VisibilityTimeout"] == 6 * function(template, "audit")["Timeout"]
    assert digests["RedrivePolicy"]["maxReceiveCount"] == 5


def test_audit_has_alarms(template_of: TemplateOf) -> None:
    """What it cannot do is told to operations, as of every other function."""
    names = " ".join(resources(template_of(audit=True), "AWS::CloudWatch::Alarm"))

    assert all(name in names for name in ("AuditErrors", "AuditThrottled", "AuditDeadLettersNotEmpty"))


_PARSE = """
import re, sys
from pathlib import Path
from trailbell.audit.read_digest import MAX_DIGEST_BYTES
from trailbell.cloudtrail.digest import parse_digest
import trailbell.handlers.audit
part = sys.argv[1].encode()
parse_digest(b'{"a":[' + part * (MAX_DIGEST_BYTES // len(part) - 3) + b'0]}')
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process, as Lambda is one")
@pytest.mark.parametrize("part", ["{},", '{"":0},', "[],", "1.5,"])
def test_largest_digest_fits_into_the_memory(part: str, template_of: TemplateOf) -> None:
    """Whoever may write to the bucket chooses what Python makes of it; a quarter is left for what else Lambda runs."""
    memory_mb = function(template_of(audit=True), "audit")["MemorySize"]

    used = subprocess.run([sys.executable, "-c", _PARSE, part], capture_output=True, text=True, check=True)

    assert 0 < int(used.stdout) < memory_mb * 3 / 4, used.stdout
