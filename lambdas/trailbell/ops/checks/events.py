"""Which management write events a trail does not record, by its event selectors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from trailbell.ops.answers import Answer, Trail
from trailbell.ops.checks.finding import PROBLEM, Finding, fine, found


_KMS = "kms.amazonaws.com"
_PROBES = (_KMS, "cloudhsm.amazonaws.com", "ssm.amazonaws.com", "cloudtrail.amazonaws.com", "iotfleethub.amazonaws.com")
_SELECT_ALL = '[{"ReadWriteType":"All","IncludeManagementEvents":true}]'


def event_findings(trail: Trail, classic: Sequence[Answer], advanced: Sequence[Answer]) -> Iterator[Finding]:
    """What a trail's event selectors leave out."""
    check = f"events {trail.name}"
    faults = selector_faults(classic, advanced)
    for fault in faults:
        values = {"fault": fault, "region": trail.home, "trail": trail.arn, "selectors": _SELECT_ALL}
        yield found(PROBLEM, check, "events.not-recorded", **values)
    if not faults:
        yield fine(check, "It records management write events, those of KMS among them.")


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
        return ["No event selector includes management events: nothing that rules look for is recorded."]
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
