"""No secret of a record leaves the product: not by table, mail, alert, terminal or log, whichever rule it matches.

Each member that CloudTrail is known to write in clear, or might, holds a canary; so do texts in which secrets slip
through. The records of all rules go through detector, notifier and `trailbell scan`; then canaries are looked for.
"""

import copy
import io
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from click.testing import CliRunner

from tests.rules.outputs import OUTPUTS
from tests.rules.rule_hits import hit_of, matching_records
from tests.shipped import shipped_rules
from tests.unit.log_files import log_file
from tests.unit.secret_shapes import AFTER_A_NAME, IN_A_COMMAND, LONG_RANDOM, ONE_TIME, password, tokens, written
from trailbell.cli.scan.command import scan
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.engine.rulebook import Rule, Rulebook
from trailbell.flows.detector import Detector
from trailbell.handlers.event_log import EventLog
from trailbell.hits.detect import HitDetector
from trailbell.hits.hit import Hit
from trailbell.text.redaction import redacted_record


MATCHING = matching_records()
KEY = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/09/01/x.json.gz"
TOKEN = "FwoGZXIvYXdzEBYaDCanary" + "x7Kq2Lm9Pz4Rt6Vb8Nc1Df3Gh5" * 4

# Where secrets stand: domain knowledge in the docstring of text/secrets.py.
REQUEST = {
    "parameters": {"commands": ["echo canary1 | passwd --stdin root"]},
    "value": "canary2",
    "content": "canary3",
    "importToken": "canary4",
    "encryptedKeyMaterial": "canary5",
    "keyStorePassword": "canary6",
    "plaintext": "canary7",
    "encryptionContext": {"order": "canary8"},
    "tokenValue": "canary9",
    "privateKey": "canary10",
    "xksProxyAuthenticationCredential": {"accessKeyId": "canary11", "rawSecretAccessKey": "canary12"},
    "clientToken": "canary13",
    "secretString": "canary14",
}
RESPONSE = {
    "credentials": {"accessKeyId": "ASIACANARYCANARY4X7Q", "secretAccessKey": "canary15", "sessionToken": "canary16"},
    "ConnectionKey": "canary17",
    "streamUrl": "wss://ssmmessages.example/canary18",
    "tokenValue": "canary19",
    "activationCode": "canary20",
    "importToken": "canary21",
    "ciphertextForRecipient": "canary22",
    "privateKeyPlaintext": "canary23",
    "parameter": {"value": "canary24"},
    "document": {"content": "canary25"},
}
MESSAGE = (
    "not authorized with ASIACANARYCANARY5X7Q (password=canary26, token: canary-27-x1) for "
    f"https://b.s3.amazonaws.com/k?X-Amz-Signature=canary28&X-Amz-Security-Token=canary29 {TOKEN}"
)
AGENT = f"tool/1.0 --password canary30 Authorization: Bearer canary31canary31 secret=canary32 {TOKEN}"


def with_canaries(record: dict[str, Any]) -> dict[str, Any]:
    """The record with a canary in every member that holds a secret; what it holds itself stays, so it matches."""
    fields = copy.deepcopy(record)
    for section, members in (("requestParameters", REQUEST), ("responseElements", RESPONSE)):
        fields[section] = {**members, **(fields.get(section) or {})}
    identity = fields.get("userIdentity") or {}
    session = identity.get("sessionContext") or {}
    hidden = {"accessKeyId": "ASIACANARYCANARY6X7Q", "sessionContext": {**session, "sessionToken": "canary33"}}
    fields["userIdentity"] = {**identity, **hidden}
    if fields.get("errorCode"):  # a message alone tells of a failure, too
        fields["errorMessage"] = f"{fields.get('errorMessage') or ''} {MESSAGE}"
    fields["userAgent"] = AGENT
    return fields


class Bucket:
    """Gives the same log file for every object."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, ref: ObjectRef) -> Iterable[bytes]:
        return [self._content]


class Table:
    """Keeps hits in a list, and fails when told to."""

    def __init__(self, *, broken: bool) -> None:
        self.hits: list[Hit] = []
        self._broken = broken

    def keep(self, hits: Sequence[Hit]) -> int:
        if self._broken:
            raise OSError(f"cannot keep {hits[0].hit_id}")
        self.hits += hits
        return len(hits)


@pytest.fixture(scope="module")
def content() -> bytes:
    """A log file: for each rule a record with canaries, and a few entries that are none."""
    malformed = [json.dumps({"sessionToken": "canary34"}), ["password=canary35"]]
    return log_file(*[with_canaries(record) for _, record in MATCHING], *malformed)


def detected(content: bytes, *, broken: bool) -> tuple[list[Hit], str]:
    """The hits of the detector, and what it logged."""
    log = io.StringIO()
    table = Table(broken=broken)
    rulebook = Rulebook(shipped_rules())
    event_log = EventLog(Logger(service="detector", stream=log))
    detector = Detector(HitDetector(rulebook), Bucket(content), table, event_log, lambda: "2026-09-01T09:18:57Z", 10**8)
    detector.detect({"s3Bucket": "acme-trail", "s3ObjectKey": [KEY]}, "message")
    return table.hits, log.getvalue()


def test_no_secret_leaves_through_any_output(content: bytes) -> None:
    """A mail is forwarded, a log is shipped to a third party, a table is read by many."""
    hits, log = detected(content, broken=False)
    _, failures = detected(content, broken=True)

    assert {hit.name for hit in hits} | {name for hit in hits for name in hit.also} >= {
        rule.name for rule, _ in MATCHING
    }
    assert "canary" not in (log + failures).lower()
    for name, output in OUTPUTS.items():
        for hit in hits:
            shown = output([hit])
            assert "canary" not in shown.lower(), f"{name} of {hit.name}"
            assert TOKEN[-20:] not in shown, f"{name} of {hit.name}"
    first = next(hit for hit in hits if not hit.is_finding)
    assert "X7Q" in OUTPUTS["mail"]([first]), "the key's last four characters are told"


def test_no_secret_leaves_through_scan(content: bytes, tmp_path: Path) -> None:
    """The terminal's scrollback and a pipe are places, too."""
    (tmp_path / "x.json.gz").write_bytes(content)

    for options in ((), ("--format", "jsonl"), ("--alerts",), ("--alerts", "--format", "jsonl")):
        ran = CliRunner().invoke(scan, [str(tmp_path), *options])

        assert ran.exit_code == 0, ran.output
        assert "canary" not in ran.output.lower()


@pytest.mark.parametrize(("rule", "record"), [pytest.param(*pair, id=pair[0].name) for pair in MATCHING])
def test_canaries_do_not_change_what_matches(rule: Rule, record: dict[str, Any]) -> None:
    """Otherwise the tests above would look at nothing."""
    hit = HitDetector(Rulebook((rule,))).detect_record(with_canaries(record), "2026-09-01T09:18:57Z")

    assert hit
    assert hit.user_agent.startswith("tool/1.0")


def _texts_with_secrets() -> list[tuple[str, str]]:
    """Every known shape with a secret in it, and the secret."""
    dice = random.Random(11)  # noqa: S311
    found = [(written(shape, secret), secret) for shape in (*AFTER_A_NAME, *IN_A_COMMAND) if (secret := password(dice))]
    found += [(written(shape, "48120796"), "48120796") for shape in ONE_TIME]
    key = "".join(dice.choices("0123456789abcdef", k=40))
    found += [(written(shape, key), key) for shape in LONG_RANDOM]
    return found + [(f"used {token} for it", token) for _, token in tokens(dice)]


@pytest.fixture(scope="module")
def hits_with_secrets() -> tuple[list[Hit], list[str]]:
    """A hit for each shape, with the secret in its error message and its agent, tokens also in names; the secrets."""
    rule, record = MATCHING[0]
    hits, secrets = [], []
    for text, secret in _texts_with_secrets():
        fields = copy.deepcopy(record) | {"errorCode": "AccessDenied", "errorMessage": text, "userAgent": text}
        if text.startswith("used "):
            arn = f"arn:aws:sts::111122223333:assumed-role/Admin/{secret}"
            fields["userIdentity"] = {"type": "AssumedRole", "arn": arn, "principalId": f"AROA:{secret}"}
            fields["requestParameters"] = {**(fields["requestParameters"] or {}), "name": f"/prod/{secret}"}
            fields["resources"] = [{"ARN": f"arn:aws:ssm:us-east-1:111122223333:parameter/{secret}"}]
        hits.append(hit_of(rule, fields))
        secrets.append(secret)
    return hits, secrets


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_shape_of_a_secret_leaves_through_any_output(
    output: str, hits_with_secrets: tuple[list[Hit], list[str]]
) -> None:
    """Whatever a caller writes into an agent or AWS into an error message is mailed to many."""
    hits, secrets = hits_with_secrets

    shown = OUTPUTS[output](hits)

    assert not [secret for secret in secrets if secret in shown]


def test_no_shape_of_a_secret_leaves_through_a_record() -> None:
    """`trailbell hit` shows the whole record, and its text ends in tickets."""
    for text, secret in _texts_with_secrets():
        record = {"requestParameters": {"note": text, "list": [{"comment": text}]}, "errorMessage": text}
        assert secret not in json.dumps(redacted_record(record), ensure_ascii=False)


@pytest.mark.parametrize(
    "members",
    [
        {"documentName": "AWS-RunShellScript", "parameters": {"commands": ["canary"], "executionTimeout": ["canary"]}},
        {"parameters": {"Cmd": ["canary"]}, "targetParameterName": "InstanceId"},
        {"name": "/prod/db", "type": "String", "value": "canary"},
        {"content": "{'canary': 1}", "name": "doc"},
        {"userData": "canary", "instanceType": "t3.micro"},
        {"environment": {"variables": {"STAGE": "canary"}}, "functionName": "f"},
        {
            "containerDefinitions": [
                {"name": "app", "environment": [{"name": "A", "value": "canary"}], "command": ["canary"]}
            ]
        },
        {"overrides": {"containerOverrides": [{"command": ["sh", "-c", "canary"], "name": "app"}]}},
        {"taskInvocationParameters": {"runCommand": {"parameters": {"commands": ["canary"]}, "documentVersion": "1"}}},
        {"taskInvocationParameters": {"lambda": {"payload": "canary"}, "stepFunctions": {"input": "canary"}}},
        {"taskParameters": {"commands": {"values": ["canary"]}}},
        {"parameters": [{"parameterKey": "Stage", "parameterValue": "canary"}], "stackName": "s"},
        {"templateBody": "canary"},
        {"input": '{"a": "canary"}', "stateMachineArn": "a"},
        {"tags": [{"key": "db_password", "value": "canary"}]},
        {"filters": [{"name": "tag:secret", "values": ["canary"]}]},
        {"masterUserPassword": "canary", "newAdminPwd": "canary", "tokenCode": "123canary"},
        {"xksProxyAuthenticationCredential": {"rawSecretAccessKey": "canary"}},
        {"Parameters": {"Commands": ["canary"]}, "Value": "canary"},
    ],
)
def test_what_is_given_to_programs_leaves_only_when_asked_for(members: dict[str, Any]) -> None:
    """Commands, parameters, values and environments hold passwords in any form; `--show-secrets` shows them."""
    for section in ("requestParameters", "responseElements"):
        shown = redacted_record({section: members})
        assert "canary" not in json.dumps(shown)
        assert list(shown[section]) == list(members), "names stay: they tell what was given"


def test_record_keeps_what_tells_about_an_act() -> None:
    """A record in which everything is hidden explains no hit."""
    members = {
        "documentName": "AWS-RunShellScript",
        "targets": [{"key": "tag:Stage", "values": ["prod"]}],
        "tags": [{"key": "Owner", "value": "orders"}],
        "parameterFilters": [{"key": "Name", "option": "BeginsWith", "values": ["/prod/"]}],
        "command": {"commandId": "0b6b2e3c-7a5d-4a52-a9c0-1a7c3c7d9a10", "status": "Pending"},
        "accessKey": {"userName": "dana", "status": "Active"},
        "keyId": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "CheckMfa": "Success",
        "passwordResetRequired": True,
        "secretId": "prod/db",
    }

    assert redacted_record({"requestParameters": members}) == {"requestParameters": members}
