"""Whether the stack is whole: its status, and what CloudFormation's own drift detection says."""

from collections.abc import Iterator, Sequence

from trailbell.ops.answers import Answer
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, WARNING, Finding, fine, found
from trailbell.text.safe_text import one_line


_CHECK = "stack"


def stack_findings(stack: str, status: str) -> Iterator[Finding]:
    """What the stack's status says.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
    """
    if status.startswith("DELETE_"):
        yield found(PROBLEM, _CHECK, "stack.deleted", status=status)
    elif status.endswith("_FAILED"):
        yield found(PROBLEM, _CHECK, "stack.failed", stack=stack, status=status)
    elif status.endswith("_IN_PROGRESS"):
        yield found(WARNING, _CHECK, "stack.changing", status=status)
    elif "ROLLBACK" in status:
        yield found(WARNING, _CHECK, "stack.rolled-back", status=status)
    elif status:
        yield fine(_CHECK, f"CloudFormation says {status}.")


def drift_findings(drifts: Sequence[Answer], reason: str = "") -> Iterator[Finding]:
    """What CloudFormation found to differ, resource by resource; `reason` is why it could not finish."""
    changed = [entry for entry in drifts if entry.get("StackResourceDriftStatus") in ("MODIFIED", "DELETED")]
    for entry in changed:
        paths = [str(difference.get("PropertyPath")) for difference in entry.get("PropertyDifferences", ())]
        names = {"resource": entry["LogicalResourceId"], "paths": one_line(", ".join(paths) or "all of it", 300)}
        yield found(PROBLEM, "drift", "stack.drifted", **names)
    if reason:
        yield found(UNKNOWN, "drift", "stack.drift-unknown", reason=one_line(reason, 300))
    elif not changed:
        yield fine("drift", "CloudFormation finds no resource changed.")
