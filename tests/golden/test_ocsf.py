"""Findings of OCSF keep to the schema that OCSF publishes, as the package ocsf-json-schema holds it for each version.

The package turns schema.ocsf.io's own export of a version into JSON Schema: types, enumerations, required members,
patterns, and no member that the schema does not name.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import fastjsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchema, OcsfJsonSchemaEmbedded, get_ocsf_schema

from tests.golden.alerts import awkward_alerts, correlation_alerts, matching_hits, rule_alerts
from trailbell.alerts import ocsf
from trailbell.alerts.alert import Alert
from trailbell.alerts.ocsf import VERSION, ocsf_finding, ocsf_findings, ocsf_json
from trailbell.hits.hit import Hit, hit_document


Document = dict[str, Any]
SCHEMA = OcsfJsonSchemaEmbedded(OcsfJsonSchema(get_ocsf_schema(VERSION))).get_class_schema(
    "detection_finding", ["cloud"]
)
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}  # fastjsonschema's last; nothing newer is used
# It also takes each dollar in a pattern for the end of the text; one stands among the characters of mail addresses.
VALIDATE = fastjsonschema.compile({**json.loads(json.dumps(SCHEMA).replace("!#$%", r"!#\\x24%")), **DRAFT_7})


def alerts() -> Iterator[tuple[str, Alert]]:
    yield from ((rule.name, alert) for rule, alert in rule_alerts())
    yield from ((rule.name, alert) for rule, alert in correlation_alerts())
    yield from ((f"case-{name}", alert) for name, _, alert in awkward_alerts())


ALERTS = dict(alerts())
FINDINGS = {name: [json.loads(json.dumps(one)) for one in ocsf_findings(alert)] for name, alert in ALERTS.items()}
UNDONE = FINDINGS["case-undone"][0]


@pytest.mark.parametrize("name", FINDINGS)
def test_finding_keeps_to_the_published_schema(name: str) -> None:
    """A lake that validates must not throw a finding away."""
    assert len(FINDINGS[name]) == len(ALERTS[name].hits)
    for finding in FINDINGS[name]:
        VALIDATE(finding)
        assert finding["metadata"]["version"] == VERSION == SCHEMA["$id"].split("/")[4]


def test_every_matching_case_is_a_finding() -> None:
    """What `scan` finds is more than what the first cases show."""
    hits = list(matching_hits())
    assert len(hits) > 300
    for hit in hits:
        VALIDATE(json.loads(json.dumps(ocsf_finding(hit, runbook="https://runbooks.example.com/{rule}"))))


@pytest.mark.parametrize(
    "spoil",
    [
        {"severity_id": 42},
        {"class_uid": 2001},
        {"status_id": "4"},
        {"finding_info": {"title": "no uid"}},
        {"hit_id": "a member that OCSF does not know"},
        {"evidences": [{"src_endpoint": {"ip": "kms.amazonaws.com"}}]},
        {"resources": [{"type": "AWS::KMS::Key"}]},
        {"time": "2026-09-01T09:18:57Z"},
    ],
)
def test_check_bites(spoil: Document) -> None:
    """A check that takes everything proves nothing."""
    with pytest.raises(fastjsonschema.JsonSchemaException):
        VALIDATE({**UNDONE, **spoil})


def test_captions_are_the_schemas_own() -> None:
    """Each number comes with its word, and the schema says which word that is."""
    schema = get_ocsf_schema(VERSION)
    attributes = schema["classes"]["detection_finding"]["attributes"]
    for finding in (one for found in FINDINGS.values() for one in found):
        for number, word in (
            ("activity_id", "activity_name"),
            ("severity_id", "severity"),
            ("status_id", "status"),
            ("class_uid", "class_name"),
            ("category_uid", "category_name"),
            ("type_uid", "type_name"),
        ):
            assert attributes[number]["enum"][str(finding[number])]["caption"] == finding[word]
        assert finding["type_uid"] == finding["class_uid"] * 100 + finding["activity_id"]


def deprecated(schema: Document, value: Any, path: str = "") -> Iterator[str]:
    """Members of a finding that the schema calls deprecated."""
    if isinstance(value, list):
        for one in value:
            yield from deprecated(schema.get("items", {}), one, path)
    elif isinstance(value, dict):
        if reference := schema.get("$ref"):
            schema = SCHEMA["$defs"][reference.rpartition("/")[2]]
        for name, member in value.items():
            inner = schema.get("properties", {}).get(name, {})
            if inner.get("deprecated"):
                yield f"{path}.{name}"
            yield from deprecated(inner, member, f"{path}.{name}")


def test_nothing_deprecated_is_written() -> None:
    """What the schema is about to drop would be lost with the next version."""
    everything = [one for found in FINDINGS.values() for one in found]

    assert {path for finding in everything for path in deprecated(SCHEMA, finding)} == set()
    assert set(deprecated(SCHEMA, {"evidences": [{"actor": {"invoked_by": "x"}}]})) == {".evidences.actor.invoked_by"}


def test_life_of_a_finding() -> None:
    """Made by the alert, changed by what follows, closed by the undo: one uid, a message of its own each time."""
    created = next(ocsf_findings(replace(ALERTS["case-undone"], follow_ups=())))
    found = {name: FINDINGS[f"case-{name}"][0] for name in ("reminder", "answered", "undone")}

    assert {one["finding_info"]["uid"] for one in (created, *found.values())} == {created["finding_info"]["uid"]}
    assert len({one["metadata"]["uid"] for one in (created, *found.values())}) == 4
    assert (created["activity_name"], created["status"], created["is_alert"]) == ("Create", "New", True)
    assert {name: (one["activity_name"], one["status"]) for name, one in found.items()} == {
        "reminder": ("Update", "New"),
        "answered": ("Update", "New"),
        "undone": ("Close", "Resolved"),
    }
    assert found["undone"]["status_detail"].startswith("undone by role Admin, session alice@example.com (EnableKey)")
    assert not found["undone"]["is_alert"]


def test_stronger_verdict_is_of_the_same_finding() -> None:
    """Two findings of one act would be two incidents."""
    raised = ALERTS["case-raised"].sample
    before = ocsf_finding(replace(raised, kept_as="act", raised_from="", level="high"))
    after = ocsf_finding(raised)

    assert before["finding_info"]["uid"] == after["finding_info"]["uid"]
    assert (after["activity_name"], after["severity"]) == ("Update", "Critical")


def test_muted_hit_is_suppressed() -> None:
    """`scan` shows them; a lake must not ring for them."""
    finding = ocsf_finding(replace(ALERTS["case-undone"].sample, muted_by="planned"))

    assert (finding["status"], finding["status_detail"], finding["is_alert"]) == (
        "Suppressed",
        "muted by planned",
        False,
    )
    assert finding["unmapped"]["mutedBy"] == "planned"


def test_finding_says_who_what_where_and_how_to_undo_it() -> None:
    """The members that a SIEM's own rules read."""
    alert = ALERTS["kms-key-deletion-scheduled"]
    finding, hit = FINDINGS["kms-key-deletion-scheduled"][0], alert.sample

    assert finding["cloud"]["account"]["uid"] == hit.account
    assert finding["api"]["operation"] == "ScheduleKeyDeletion"
    (evidence,) = finding["evidences"]
    assert evidence["actor"]["user"]["uid"] == hit.actor.arn
    assert evidence["src_endpoint"]["ip"] == hit.source_ip
    assert evidence["data"]["key"] == hit.place.key
    (key,) = finding["resources"]
    assert (key["uid"], key["type"], key["role"]) == (hit.resources[0], "AWS::KMS::Key", "Target")
    assert hit.undo[0] in finding["remediation"]["desc"].split("\n")
    assert alert.runbook.replace("{rule}", hit.name) in finding["remediation"]["references"]
    attacks = finding["finding_info"]["attacks"]
    assert {"technique": {"uid": "T1485", "src_url": "https://attack.mitre.org/techniques/T1485/"}} in attacks
    assert {"tactic": {"uid": "TA0040", "name": "Impact"}} in attacks


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)
    elif value is not None:
        yield str(value)


def test_nothing_of_a_hit_is_lost() -> None:
    """What has no place in the schema stands in `unmapped`; what is left out of that stands in its own place."""
    as_numbers = {"seenAt", "format", "level", "service"}  # milliseconds; of rows; Critical; follows from the source
    as_parts = {"key", "kind", "credential", "session", "mfa", "console", "keyHint"}  # of the actor
    for hit in matching_hits():
        finding, document = ocsf_finding(hit), hit_document(hit)
        assert {name for name in document if name not in ocsf._MAPPED} <= set(finding["unmapped"])
        said = set(texts({name: member for name, member in finding.items() if name != "unmapped"}))
        said |= {line for text in said for line in text.split("\n")} | {hit.hit_id.rpartition("/")[2]}
        for name in ocsf._MAPPED - as_numbers & set(document):
            for text in texts(_without(document[name], as_parts)):
                assert text in said or f"Undo until {text}:" in said or text in str(finding["unmapped"]), (name, text)


def _without(value: Any, names: set[str]) -> Any:
    return {name: one for name, one in value.items() if name not in names} if isinstance(value, dict) else value


def large(hit: Hit, name: str) -> Hit:
    names = tuple(f"arn:aws:ssm:us-east-1:111122223333:document/{number}{name}" for number in range(60))
    return replace(hit, resources=names, acted_on=names[:40])


@pytest.mark.parametrize("name", ['"\\' * 900, "\U000e0001" * 1900, "🔑" * 1900, "x" * 2000, "\n" * 1900])
def test_large_finding_is_cut_and_says_so(name: str) -> None:
    """A bus refuses what is too large however often it is tried; a finding that lost something must say it."""
    hit = large(ALERTS["kms-key-deletion-scheduled"].sample, name)
    whole = ocsf_finding(hit)
    text = ocsf_json(whole, 64_000)

    assert len(text.encode()) <= 64_000 < len(json.dumps(whole, ensure_ascii=False).encode())
    finding = json.loads(text)
    VALIDATE(finding)
    assert finding["metadata"]["is_truncated"]
    size = len(json.dumps(whole, ensure_ascii=False).encode())
    assert size / 1024 <= finding["metadata"]["untruncated_size"] < size / 1024 + 1
    assert finding["remediation"] == json.loads(json.dumps(whole["remediation"]))
    assert finding["finding_info"] == json.loads(json.dumps(whole["finding_info"]))


def test_finding_that_fits_is_whole() -> None:
    """Nothing is said to be cut that is not."""
    for finding in FINDINGS.values():
        assert json.loads(ocsf_json(finding[0], 250_000)) == finding[0]
