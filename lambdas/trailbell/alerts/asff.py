"""A hit as a finding of AWS Security Hub, in the AWS Security Finding Format (ASFF), version 2018-10-08.

One finding an act, known by its `Id`. Each message states the finding anew; of two Security Hub keeps the one whose
`UpdatedAt` is later, so that duplicates and any order of arrival end in the same finding (alerts/finding.py).

An act that was undone is archived. `RecordState` is the finding provider's word and is set by BatchImportFindings, like
all else. `Workflow` is the customer's, for the state of their investigation: it is left alone, since an act that was
undone may still be investigated, and the operation that sets it (BatchUpdateFindings) would let us change every finding
of the account. Of what was replaced, stopped or answered the record stays active.
https://docs.aws.amazon.com/securityhub/latest/userguide/asff-top-level-attributes.html#asff-recordstate

Lengths are those of the API reference:
https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
"""

import json
from collections.abc import Iterator
from typing import Any

from trailbell.alerts.asff_parts import action, filled, resources
from trailbell.alerts.attack import tactics, techniques
from trailbell.alerts.finding import Finding, sentence, undo_lines
from trailbell.alerts.links import EVENTS, links_of
from trailbell.hits.hit import Hit
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


_MAX_ID = 512
_MAX_TITLE = 256
_MAX_DESCRIPTION = 1024
_MAX_RECOMMENDATION = 512
_MAX_TYPES = 50
_MAX_BYTES = 200_000  # of a finding, as JSON in ASCII, which is how it travels; AWS takes 240 KB
_MAX_FIELDS = 50
_MAX_FIELD_NAME = 128
# Resources, and characters of a resource's name and of a product field: AWS's own numbers, and what is cut to where
# that is too much, as only a forged record can make it.
_ROOM = ((32, 2048), (16, 512), (4, 128))

# Tactics that have a category of their own among TTPs, and what the others and some techniques come to.
# https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html
_TTPS = {
    "initial-access": "Initial Access",
    "execution": "Execution",
    "persistence": "Persistence",
    "privilege-escalation": "Privilege Escalation",
    "defense-evasion": "Defense Evasion",
    "credential-access": "Credential Access",
    "discovery": "Discovery",
    "lateral-movement": "Lateral Movement",
    "collection": "Collection",
    "command-and-control": "Command and Control",
}
_EFFECTS = {
    "T1485": "Data Destruction",
    "T1486": "Data Destruction",
    "T1490": "Data Destruction",
    "T1561": "Data Destruction",
    "T1489": "Denial of Service",
    "T1499": "Denial of Service",
    "T1531": "Denial of Service",
    "T1496": "Resource Consumption",
}
_OTHERWISE = "Unusual Behaviors/User"


def asff_finding(finding: Finding, product: str, account: str, runbook: str = "") -> dict[str, Any]:
    """A finding as BatchImportFindings takes it.

    product: the ARN of the account's default product; account: whose Security Hub it goes to. The act's own account
    stands in the resources: only a listed partner may import for accounts other than the one that calls.
    """
    for most, chars in _ROOM:
        document = _document(finding, product, account, runbook, most, chars)
        if len(json.dumps(document)) <= _MAX_BYTES:
            break
    return document


def _document(finding: Finding, product: str, account: str, runbook: str, most: int, chars: int) -> dict[str, Any]:
    hit = finding.hit
    document = {
        "SchemaVersion": "2018-10-08",
        "Id": one_line(f"trailbell/{finding.uid}", _MAX_ID),
        "ProductArn": product,
        "ProductName": "trailbell",
        "CompanyName": "trailbell",
        "GeneratorId": one_line(f"trailbell/{hit.name}", _MAX_ID),
        "AwsAccountId": account,
        "CreatedAt": hit.seen_at,
        "UpdatedAt": finding.updated_at,
        "FirstObservedAt": hit.episode.first if hit.episode else hit.event_time,
        "LastObservedAt": hit.episode.last if hit.episode else hit.event_time,
        "Title": _title(hit),
        "Description": _description(finding),
        "FindingProviderFields": {
            "Severity": {"Label": hit.severity.name, "Original": hit.level},
            "Types": list(_types(hit)),
        },
        "Resources": resources(hit, most, chars),
        "Remediation": _remediation(hit, runbook),
        "SourceUrl": next((address for label, address in links_of(hit).items() if label in EVENTS), ""),
        "Action": action(hit),
        "ProductFields": _product_fields(finding, most, chars),
        "RecordState": "ARCHIVED" if finding.is_closed else "ACTIVE",
    }
    return {name: value for name, value in document.items() if value}


def _title(hit: Hit) -> str:
    on = f": {named_resource(hit.main_resources[0])}" if hit.main_resources else ""
    by = f" by {hit.actor.name or hit.actor.text}, {hit.account}"
    return one_line(f"{hit.title}{on}", _MAX_TITLE - min(len(by), 120)) + one_line(by, 120)


def _description(finding: Finding) -> str:
    hit, said = finding.hit, finding.said
    after = ""
    if said:
        by = f" by {said.by} ({said.event_name})" if said.by else ""
        after = f"{(said.word or str(said.what)).capitalize()}{by}, {said.at}. " + (
            f"{said.note} " if said.note else ""
        )
    told = sentence(hit, [named_resource(one) for one in hit.main_resources])
    return one_line(" ".join(f"{after}{told} {hit.meaning}".split()), _MAX_DESCRIPTION)


def _types(hit: Hit) -> Iterator[str]:
    """Of the namespaces that Security Hub allows, by what the rule's tags say."""
    found = [f"TTPs/{_TTPS[slug]}" for slug in tactics(hit.tags) if slug in _TTPS]
    if "exfiltration" in tactics(hit.tags):
        found.append("Effects/Data Exfiltration")
    parents = (uid.partition(".")[0] for uid in techniques(hit.tags))
    found += [f"Effects/{_EFFECTS[uid]}" for uid in parents if uid in _EFFECTS]
    yield from list(dict.fromkeys(found or [_OTHERWISE]))[:_MAX_TYPES]


def _remediation(hit: Hit, runbook: str) -> dict[str, Any]:
    """The commands that undo it, where all of them fit; else the one that prints them. Half a command is another."""
    text = " ; ".join(undo_lines(hit))
    if len(text) > _MAX_RECOMMENDATION:
        deadline = f"Undo until {hit.undo_until}. " if hit.undo_until else ""
        text = f"{deadline}`trailbell undo {hit.short_id}` prints the commands that undo it."
    runbook_address = links_of(hit, runbook).get("runbook", "") if runbook else ""
    address = runbook_address or next((one for one in hit.references if one.startswith("https://")), "")
    recommendation = filled({"Text": text, "Url": address})
    return {"Recommendation": recommendation} if recommendation else {}


def _product_fields(finding: Finding, most: int, chars: int) -> dict[str, str]:
    """What the format has no place for, the most telling first: of many the first fifty fit."""
    hit, said = finding.hit, finding.said
    fields = {
        "shortId": hit.short_id,
        "hitId": hit.hit_id,
        "rule": hit.name,
        "ruleId": hit.rule_id,
        "account": hit.account,
        "region": hit.region,
        "actor": hit.actor.text,
        "actorArn": hit.actor.arn,
        "sourceIPAddress": hit.source_ip,
        "userAgent": hit.user_agent,
        "outcome": hit.outcome,
        "errorCode": hit.error_code,
        "errorMessage": hit.error_message,
        "undoUntil": hit.undo_until,
        "eventID": hit.event_id,
        "requestID": hit.request_id,
        "logFile": f"s3://{hit.place.bucket}/{hit.place.key}" if hit.place.bucket else "",
        "attack": ", ".join(techniques(hit.tags)),
        "also": ", ".join(hit.also),
        "levelNote": hit.level_note,
        "raisedFrom": hit.raised_from,
    }
    if said:
        fields |= {"followUp": said.word or said.what, "followUpAt": said.at, "followUpBy": said.by}
    if len(hit.resources) > most:
        fields["resources"] = f"{most} of {len(hit.resources)} are listed"
    fields |= {f"shown/{label}": value for label, value in hit.shown}
    kept = [(name, value) for name, value in fields.items() if value.strip()][:_MAX_FIELDS]
    return {one_line(f"trailbell/{name}", _MAX_FIELD_NAME): one_line(value, chars) for name, value in kept}
