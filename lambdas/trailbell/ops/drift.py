"""CloudFormation's own drift detection: it reads all resources with the caller's permissions, and keeps the result."""

import time
from collections.abc import Callable
from typing import Any

from trailbell.ops.answers import Answer


_ATTEMPTS = 60
_PAUSE_SECONDS = 5.0


def detect_drift(
    cloudformation: Any, stack: str, pause: Callable[[float], None] = time.sleep
) -> tuple[list[Answer], str]:
    """The resources' drifts, and why the detection did not finish ("" if it did); at most five minutes."""
    detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    for _ in range(_ATTEMPTS):
        found = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if found["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        pause(_PAUSE_SECONDS)
    reason = "" if found["DetectionStatus"] == "DETECTION_COMPLETE" else found.get("DetectionStatusReason")
    return _drifts(cloudformation, stack), reason if reason is not None else found["DetectionStatus"]


def _drifts(cloudformation: Any, stack: str) -> list[Answer]:
    drifts: list[Answer] = []
    more: dict[str, str] = {}
    while True:
        answer = cloudformation.describe_stack_resource_drifts(StackName=stack, **more)
        drifts += answer["StackResourceDrifts"]
        if not answer.get("NextToken"):
            return drifts
        more = {"NextToken": answer["NextToken"]}
