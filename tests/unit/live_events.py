"""Live events for tests: a record as EventBridge brings it."""

from typing import Any

from trailbell.rulebook.cases import BASE_RECORD


ACCOUNT = "111122223333"


def record(**members: Any) -> dict[str, Any]:
    """The record of a disabled key."""
    disabled = {"eventSource": "kms.amazonaws.com", "eventName": "DisableKey", "eventID": "e-1", "readOnly": False}
    return {**BASE_RECORD, **disabled, **members}


def envelope(detail: Any, **members: Any) -> dict[str, Any]:
    """What EventBridge sends to a queue: its nine members, some of them given."""
    source = detail.get("eventSource") if isinstance(detail, dict) else None
    service = source.partition(".")[0] if isinstance(source, str) else "kms"
    return {
        "version": "0",
        "id": "6b1f7c9e-0000-4000-8000-000000000001",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": ACCOUNT,
        "time": "2026-09-01T09:14:08Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
        **members,
    }
