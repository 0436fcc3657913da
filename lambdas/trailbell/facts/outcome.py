"""A call's outcome: whether it had an effect, in four classes that rules and readers can rely on.

https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html (dry runs)
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from trailbell.cloudtrail.record import text


class Outcome(StrEnum):
    """success: it happened. denied: not allowed. dryrun: would have been allowed. failed: all else."""

    SUCCESS = "success"
    DENIED = "denied"
    DRYRUN = "dryrun"
    FAILED = "failed"


def outcome_of(fields: Mapping[str, Any]) -> Outcome:
    """Classify a record by its errorCode; no errorCode means success."""
    code = text(fields, "errorCode")
    if not code:
        return Outcome.SUCCESS
    if "AccessDenied" in code or code.endswith("UnauthorizedOperation"):
        return Outcome.DENIED
    if code.startswith("DryRunOperation"):
        return Outcome.DRYRUN
    return Outcome.FAILED
