"""How long the newest canary took, by each source. That one is missing is said by the alarm CanaryMissing."""

from collections.abc import Iterator

from trailbell.ops.answers import MeasuredCanary
from trailbell.ops.checks.finding import Finding, fine


def canary_findings(newest: MeasuredCanary | None) -> Iterator[Finding]:
    """What was measured, and that it is no promise."""
    if newest:
        back = f"{newest.seconds} s from its act to its publication, seen {newest.seen} after it"
        yield fine("canary", f"That of {newest.name}: {back}. This is measured, and not promised.")
