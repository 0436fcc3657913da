"""`trailbell doctor --fire`: a canary goes through the whole chain, and one waits for it."""

from typing import Any

import click

from trailbell.flows.canary import broken_link
from trailbell.hits.canary import SEEN_IN_FILE, SEEN_LIVE, seen, seen_after
from trailbell.ops.canary import FiredCanary


_MINUTES = 20  # CloudTrail delivers within about five, which AWS does not promise
_STEPS = ("sent", SEEN_LIVE, SEEN_IN_FILE, "detected", "published", "returned")


def fire(canary: FiredCanary, seconds: float = _MINUTES * 60) -> bool:
    """Wait for a canary and say on standard error how far it is; whether it came back, by a log file, too."""
    click.echo(
        f"canary {canary.name} is on its way; a log file takes about five minutes, a live event usually seconds:"
        " AWS promises neither",
        err=True,
    )
    told, steps = set[str](), dict[str, Any]()
    for steps in canary.steps(seconds):
        for step in _STEPS:
            if step in steps and step not in told:
                told.add(step)
                click.echo(f"  {step:<18} {steps[step]['at']}", err=True)
    if "returned" not in steps:
        click.echo(broken_link(canary.name, steps), nl=False)
        return False
    measured = f"; seen {words} after it" if (words := seen_after(steps)) else ""
    click.echo(f"back: {steps['returned']['seconds']} s from the act to its publication{measured}")
    if seen(steps, SEEN_LIVE) and not seen(steps, SEEN_IN_FILE):
        click.echo("its log file has not been read: nothing stands behind what comes live; see trailbell doctor")
        return False
    return True
