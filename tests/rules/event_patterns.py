"""What an EventBridge pattern matches, for the operators that ours have; an embedded AWS agrees (test_live.py)."""

import fnmatch
from collections.abc import Mapping
from typing import Any


Event = Mapping[str, Any]


def envelope(record: Event) -> dict[str, Any]:
    """The event that EventBridge makes of a record, in the account and Region that the record was made in."""
    source = str(record["eventSource"]).partition(".")[0]
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": record.get("recipientAccountId") or "111122223333",
        "time": record.get("eventTime") or "2026-09-01T09:14:07Z",
        "region": record.get("awsRegion") or "us-east-1",
        "resources": [],
        "detail": dict(record),
    }


def is_matched(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether a pattern, or a part of one, matches an event, or the same part of it."""
    if isinstance(event, list):
        return any(is_matched(pattern, element) for element in event)
    if not isinstance(event, Mapping):
        return False
    return all(_holds(name, wanted, event) for name, wanted in pattern.items())


def _holds(name: str, wanted: Any, event: Mapping[str, Any]) -> bool:
    if name == "$or":
        return any(is_matched(one, event) for one in wanted)
    if isinstance(wanted, Mapping):
        return is_matched(wanted, event.get(name))
    value = event.get(name)
    values = value if isinstance(value, list) else [value] if name in event else []
    return any(_allows(one, found) for one in wanted for found in values)


def _allows(wanted: Any, value: Any) -> bool:
    match wanted:
        case {"prefix": {"equals-ignore-case": str(text)}}:
            return isinstance(value, str) and value.lower().startswith(text.lower())
        case {"equals-ignore-case": str(text)}:
            return isinstance(value, str) and value.lower() == text.lower()
        case {"anything-but": list(texts)}:
            return value not in texts
        case {"wildcard": str(text)}:
            return isinstance(value, str) and fnmatch.fnmatchcase(value, text)
        case str() | bool():
            return type(value) is type(wanted) and bool(value == wanted)
    raise AssertionError(f"an operator that is not known here: {wanted!r}")
