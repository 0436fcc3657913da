"""Findings of Security Hub keep to AWS's own model of them, with every length and number that AWS states."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.asff_model import MAX_BYTES, faults, known_types
from tests.golden.alerts import awkward_alerts, correlation_alerts, matching_hits, rule_alerts
from trailbell.alerts.alert import Alert
from trailbell.alerts.asff import asff_finding
from trailbell.alerts.finding import Finding, findings_of
from trailbell.hits.hit import Hit


ACCOUNT = "999988887777"
PRODUCT = f"arn:aws:securityhub:eu-central-1:{ACCOUNT}:product/{ACCOUNT}/default"
RUNBOOK = "https://runbooks.example.com/{rule}"

# https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html
TAXONOMY = {
    "TTPs": "Initial Access|Execution|Persistence|Privilege Escalation|Defense Evasion|Credential Access|Discovery"
    "|Lateral Movement|Collection|Command and Control",
    "Effects": "Data Exposure|Data Exfiltration|Data Destruction|Denial of Service|Resource Consumption",
    "Unusual Behaviors": "Application|Network Flow|IP address|User|VM|Container|Serverless|Process|Database|Data",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")


def alerts() -> Iterator[tuple[str, Alert]]:
    yield from ((rule.name, alert) for rule, alert in rule_alerts())
    yield from ((rule.name, alert) for rule, alert in correlation_alerts())
    yield from ((f"case-{name}", alert) for name, _, alert in awkward_alerts())


ALERTS = dict(alerts())


def findings(alert: Alert) -> list[dict[str, Any]]:
    return [asff_finding(finding, PRODUCT, ACCOUNT, RUNBOOK) for finding in findings_of(alert)]


@pytest.mark.parametrize("name", ALERTS)
def test_finding_keeps_to_the_model(name: str) -> None:
    """What Security Hub refuses is a finding that nobody sees."""
    for finding in findings(ALERTS[name]):
        assert faults(finding) == []
        assert len(json.dumps(finding)) < MAX_BYTES / 5
        assert (finding["AwsAccountId"], finding["ProductArn"]) == (ACCOUNT, PRODUCT)
        assert {name for name in finding if name.endswith("At") and not TIME.fullmatch(finding[name])} == set()
        assert "Compliance" not in finding  # is for checks of standards alone
        assert not {"Workflow", "Note", "UserDefinedFields", "VerificationState"} & set(finding)  # the customer's
        assert not {"Severity", "Types", "Confidence", "Criticality"} & set(finding)  # FindingProviderFields has them
        for one in finding["FindingProviderFields"]["Types"]:
            namespace, _, category = one.partition("/")
            assert category in TAXONOMY[namespace].split("|")


def test_every_matching_case_is_a_finding() -> None:
    """All rules together, and every operation they know."""
    hits = list(matching_hits())
    assert len(hits) > 300
    for hit in hits:
        finding = asff_finding(Finding(hit), PRODUCT, ACCOUNT)
        assert faults(finding) == []
        assert {one["Type"] for one in finding["Resources"]} <= known_types() | {"AwsAccount"}


def hostile(hit: Hit, text: str) -> Hit:
    names = (text, f"arn:aws:kms:us-east-1:111122223333:key/{text}", *(f"{n}{text}" for n in range(60)))
    actor = replace(hit.actor, text=text, name=text, arn=text, key=text)
    shown = tuple((f"label {number}", text) for number in range(60))
    members = ("title", "name", "meaning", "event_name", "event_source", "region", "source_ip", "user_agent", "outcome")
    texts: dict[str, Any] = dict.fromkeys(members, text)
    return replace(hit, resources=names, acted_on=names[:50], actor=actor, shown=shown, **texts)


@pytest.mark.parametrize("text", ["", " ", "x" * 4000, "🔑" * 1024, '"\\' * 900, "\n\t", "arn:aws:s3:::"])
def test_hostile_texts_keep_to_the_model(text: str) -> None:
    """Whoever makes the call chooses names, agents and resources, and must not choose whether there is a finding."""
    hit = hostile(ALERTS["kms-key-deletion-scheduled"].sample, text)
    finding = asff_finding(Finding(hit), PRODUCT, ACCOUNT, RUNBOOK)

    assert faults(finding) == []
    assert len(json.dumps(finding)) < MAX_BYTES


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ({"Title": "x" * 257}, ".Title has 257 characters of 256"),
        ({"Description": ""}, ".Description is ''"),
        ({"AwsAccountId": "11112222"}, ".AwsAccountId has 8 characters of 12"),
        ({"Resources": [{"Type": "Other", "Id": "x"}] * 33}, ".Resources has 33 items of 32"),
        ({"Resources": [{"Type": "Other"}]}, 'Missing required parameter in Resources[0]: "Id"'),
        ({"ProductFields": {f"x{n}": "x" for n in range(51)}}, ".ProductFields has 51 pairs of 50"),
        ({"ProductFields": {"x": "x" * 2049}}, ".ProductFields.x's value is too long"),
        ({"Remediation": {"Recommendation": {"Text": "x" * 513}}}, ".Text has 513 characters of 512"),
        ({"RecordState": "RESOLVED"}, ".RecordState is 'RESOLVED'"),
        ({"FindingProviderFields": {"Severity": {"Label": "SEVERE"}}}, ".Label is 'SEVERE'"),
        ({"Sevrity": {}}, "Unknown parameter"),
    ],
)
def test_check_bites(spoil: dict[str, Any], expected: str) -> None:
    """A check that takes everything proves nothing."""
    (finding,) = findings(ALERTS["kms-key-deletion-scheduled"])

    assert expected in "\n".join(faults({**finding, **spoil}))


def test_finding_says_who_what_where_and_how_to_undo_it() -> None:
    """What a person reads in Security Hub's console."""
    hit = ALERTS["kms-key-deletion-scheduled"].sample
    (finding,) = findings(ALERTS["kms-key-deletion-scheduled"])
    (key,) = finding["Resources"]

    assert hit.actor.name in finding["Title"]
    assert hit.account in finding["Title"]
    assert "ScheduleKeyDeletion" in finding["Description"]
    assert key["Type"] == "AwsKmsKey"
    assert key["Details"] == {"AwsKmsKey": {"KeyId": hit.resources[0].rpartition("/")[2], "AWSAccountId": hit.account}}
    assert finding["FindingProviderFields"]["Severity"] == {"Label": "HIGH", "Original": "high"}
    assert "Effects/Data Destruction" in finding["FindingProviderFields"]["Types"]
    recommendation = finding["Remediation"]["Recommendation"]
    assert hit.undo[0] in recommendation["Text"]
    assert recommendation["Url"] == RUNBOOK.replace("{rule}", hit.name)
    call = finding["Action"]["AwsApiCallAction"]
    assert (call["Api"], call["CallerType"]) == ("ScheduleKeyDeletion", "remoteIp")
    assert finding["FirstObservedAt"] == hit.event_time
    assert finding["CreatedAt"] == hit.seen_at


def test_no_command_is_cut() -> None:
    """Half a command is another command, and somebody will paste it."""
    hit = ALERTS["kms-key-deletion-scheduled"].sample
    long = replace(hit, undo=("aws kms cancel-key-deletion --key-id " + "x" * 600,))
    text = asff_finding(Finding(long), PRODUCT, ACCOUNT)["Remediation"]["Recommendation"]["Text"]

    assert text == f"Undo until {hit.undo_until}. `trailbell undo {hit.short_id}` prints the commands that undo it."


def test_act_without_resources_is_of_its_account() -> None:
    """A finding must have a resource; the account is the one that is always there."""
    (finding,) = findings(ALERTS["case-no-resources"])

    assert [one["Id"] for one in finding["Resources"]] == ["AWS::::Account:111122223333"]


def test_service_is_a_domain_and_no_address() -> None:
    """An address that is none is refused."""
    (finding,) = findings(ALERTS["case-service"])

    assert finding["Action"]["AwsApiCallAction"]["DomainDetails"] == {"Domain": "kms.amazonaws.com"}
