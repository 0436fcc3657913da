"""A hit as a Detection Finding of the Open Cybersecurity Schema Framework, for lakes and SIEMs that speak it.

Version 1.6.0 of the schema, which is what AWS Security Hub speaks, with the profile `cloud`:
https://schema.ocsf.io/1.6.0/classes/detection_finding?profiles=cloud
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-ocsf.html

One finding an act: `finding_info.uid` stays the same from its creation (activity Create) through what follows (Update)
until it was undone (Close). What the schema has no place for stands in `unmapped`, under the names of the alert's JSON.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from trailbell.alerts.alert import Alert
from trailbell.alerts.finding import Finding, findings_of, sentence, undo_lines
from trailbell.alerts.links import EVENTS, links_of
from trailbell.alerts.ocsf_parts import api, attacks, evidence, resources
from trailbell.hits.follow_up import FollowUp, follow_up_document
from trailbell.hits.hit import Hit, hit_document
from trailbell.text.resource_name import named_resource
from trailbell.text.safe_text import one_line


VERSION = "1.6.0"

_CLASS = 2004
_ACTIVITIES = {1: "Create", 2: "Update", 3: "Close"}
_STATUSES = {1: "New", 3: "Suppressed", 4: "Resolved"}
_SEVERITIES = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}

# Members of a hit (hits/hit.py) that stand in members of the schema. All others stand in `unmapped`.
_MAPPED = frozenset(
    {
        *("account", "actor", "alsoIds", "errorCode", "errorMessage", "eventID", "eventName", "eventSource"),
        *("eventTime", "hitId", "level", "meaning", "name", "partition", "place", "references", "region", "requestID"),
        *("resources", "ruleId", "seenAt", "service", "sourceIPAddress", "title", "undo", "undoNote", "undoUntil"),
        *("userAgent", "format"),
    }
)

# What is cut where a finding is too large: entries of lists and characters of texts, in the members that can be large.
_LARGE = ("resources", "unmapped")
_ROOM = ((100, 2_048), (20, 512), (5, 128))


def ocsf_finding(hit: Hit, said: FollowUp | None = None, runbook: str = "") -> dict[str, Any]:
    """A hit as a finding, by itself; said: what followed; runbook: see alerts/links.py."""
    return _document(Finding(hit, said), runbook)


def ocsf_findings(alert: Alert) -> Iterator[dict[str, Any]]:
    """The findings of an alert, one for each hit, in their order; `metadata.correlation_uid` holds them together."""
    for finding in findings_of(alert):
        yield _document(finding, alert.runbook)


def ocsf_json(document: Mapping[str, Any], max_bytes: int) -> str:
    """A finding as JSON of at most so many bytes of UTF-8.

    Where that takes cutting, `metadata` says so (`is_truncated`) and how large it was (`untruncated_size`, in KB).
    No command is cut, for half a command is another one: `remediation` stays, those of an episode's acts go.
    """
    text = json.dumps(document, ensure_ascii=False)
    size = len(text.encode("utf-8"))
    for items, chars in _ROOM:
        if len(text.encode("utf-8")) <= max_bytes:
            break
        said = {"is_truncated": True, "untruncated_size": -(-size // 1024)}
        cut = {name: _cut(document[name], items, chars) for name in _LARGE if name in document}
        text = json.dumps({**document, **cut, "metadata": {**document["metadata"], **said}}, ensure_ascii=False)
    return text


def _document(finding: Finding, runbook: str) -> dict[str, Any]:
    hit = finding.hit
    activity = 3 if finding.is_closed else 2 if finding.is_update else 1
    severity_id, severity = _SEVERITIES[hit.level]
    episode = hit.episode
    document = {
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "category_uid": _CLASS // 1000,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Detection Finding",
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"Detection Finding: {_ACTIVITIES[activity]}",
        "time": _milliseconds(finding.updated_at),
        "start_time": _milliseconds(episode.first if episode else hit.event_time),
        "end_time": _milliseconds(episode.last if episode else hit.event_time),
        "count": episode.count if episode else 1,
        "severity_id": severity_id,
        "severity": severity,
        **_status(finding),
        "is_alert": hit.is_to_notify and not finding.is_closed,
        "message": sentence(hit, [named_resource(one) for one in hit.main_resources]),
        "metadata": _metadata(finding),
        "finding_info": _finding_info(finding),
        "cloud": {
            "provider": "AWS",
            "account": {"uid": hit.account, "type_id": 10, "type": "AWS Account"},
            "region": hit.region,
            "cloud_partition": hit.partition,
        },
        "api": api(hit),
        "evidences": [evidence(hit)],
        "resources": resources(hit),
        "remediation": _remediation(hit, runbook),
        "unmapped": _unmapped(finding),
    }
    return _filled(document)


def _status(finding: Finding) -> dict[str, Any]:
    hit, said = finding.hit, finding.said
    status = 4 if finding.is_closed else 3 if hit.muted_by else 1
    detail = f"muted by {hit.muted_by}" if hit.muted_by else ""
    if said:
        by = f" by {said.by} ({said.event_name})" if said.by else ""
        detail = f"{said.word or said.what}{by}, {said.at}" + (f". {said.note}" if said.note else "")
    return {"status_id": status, "status": _STATUSES[status], "status_detail": one_line(detail)}


def _metadata(finding: Finding) -> dict[str, Any]:
    return {
        "version": VERSION,
        "profiles": ["cloud"],
        "product": {"name": "trailbell", "vendor_name": "trailbell"},
        "uid": finding.message_uid,
        "correlation_uid": finding.alert_id,
        "log_provider": "CloudTrail",
        "original_time": finding.hit.event_time,
        "processed_time": _milliseconds(finding.hit.seen_at),
    }


def _finding_info(finding: Finding) -> dict[str, Any]:
    hit, episode = finding.hit, finding.hit.episode
    links = links_of(hit)
    others = [_rule(uid, name) for uid, name in zip(hit.also_ids, hit.also, strict=False)]
    return {
        "uid": finding.uid,
        "title": hit.title,
        "desc": hit.meaning,
        "created_time": _milliseconds(hit.seen_at),
        "modified_time": _milliseconds(finding.updated_at),
        "first_seen_time": _milliseconds(episode.first if episode else hit.event_time),
        "last_seen_time": _milliseconds(episode.last if episode else hit.event_time),
        "analytic": _rule(hit.rule_id, hit.name),
        "related_analytics": others,
        "attacks": attacks(hit),
        "data_sources": ["CloudTrail"],
        "src_url": next((links[label] for label in EVENTS if label in links), ""),
    }


def _rule(uid: str, name: str) -> dict[str, Any]:
    return {"type_id": 1, "type": "Rule", "uid": uid, "name": name}


def _remediation(hit: Hit, runbook: str) -> dict[str, Any]:
    """Only where there is something to do: the schema wants a description of it."""
    lines = undo_lines(hit)
    address = links_of(hit, runbook).get("runbook", "") if runbook else ""
    references = [*hit.references, *([address] if address else [])]
    return {"desc": "\n".join(lines), "references": references} if lines else {}


def _unmapped(finding: Finding) -> dict[str, Any]:
    rest = {name: value for name, value in hit_document(finding.hit).items() if name not in _MAPPED}
    actor = finding.hit.actor
    rest |= {"actorText": actor.text, "actorKey": actor.key, "actorKind": actor.kind, "keyHint": actor.key_hint}
    if finding.said:
        rest["followUp"] = follow_up_document(finding.said)
    return rest


def _milliseconds(moment: str) -> int:
    """An ISO 8601 time as OCSF counts it, since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _filled(value: Any) -> Any:
    """A value without its empty members, which say nothing; numbers and truth values are never empty."""
    if isinstance(value, str):  # most are
        return value
    if isinstance(value, dict):
        filled = {name: member if isinstance(member, str) else _filled(member) for name, member in value.items()}
        return {name: member for name, member in filled.items() if member or isinstance(member, int | float)}
    return [_filled(one) for one in value] if isinstance(value, list | tuple) else value


def _cut(value: Any, items: int, chars: int) -> Any:
    """A value with shorter lists and texts."""
    if isinstance(value, Mapping):
        return {name: _cut(member, items, chars) for name, member in value.items() if name != "undo"}
    if isinstance(value, list):
        return [_cut(one, items, chars) for one in value[:items]]
    return one_line(value, chars) if isinstance(value, str) else value
