"""`trailbell doctor --fire`: a canary goes through the whole chain, and one waits for it."""

from typing import Any

import click

from trailbell.flows.canary import broken_link
from trailbell.ops.canary import FiredCanary


_MINUTES = 20  # CloudTrail delivers within about five, which AWS does not promise


def fire(canary: FiredCanary, seconds: float = _MINUTES * 60) -> bool:
    """Wait for a canary and say on standard error how far it is; whether it came back."""
    click.echo(f"canary {canary.name} is on its way; CloudTrail takes about five minutes", err=True)
    seen, steps = set[str](), dict[str, Any]()
    for steps in canary.steps(seconds):
        for step in ("sent", "detected", "published", "returned"):
            if step in steps and step not in seen:
                seen.add(step)
                click.echo(f"  {step:<10} {steps[step]['at']}", err=True)
    if "returned" in steps:
        click.echo(f"back: {steps['returned']['seconds']} s from the act to its publication")
        return True
    click.echo(broken_link(canary.name, steps), nl=False)
    return False
