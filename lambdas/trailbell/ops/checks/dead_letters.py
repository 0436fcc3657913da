"""Whether something waits in the dead-letter queues."""

from dataclasses import replace

from trailbell.ops.answers import Queue
from trailbell.ops.checks.finding import PROBLEM, Finding, fine, found


DEAD_LETTER_QUEUES = ("DeadLetters", "AlertDeadLetters")
"""By the stack's outputs, which name their alarms, too."""


def dead_letter_finding(output: str, queue: Queue) -> Finding:
    """Whether a dead-letter queue is empty; what its alarm says if it is not."""
    if not queue.waiting:
        return fine(output, "Empty.")
    finding = found(PROBLEM, output, f"alarm.{output}NotEmpty")
    return replace(finding, meaning=f"Messages that wait: {queue.waiting}. {finding.meaning}")
