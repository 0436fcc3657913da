"""Whether the deployed audit is green: every log file read as it was delivered, every digest there and signed."""

from collections.abc import Iterator, Sequence

from trailbell.audit.newest import Newest
from trailbell.ops.audited_days import DeployedDay
from trailbell.ops.checks.finding import PROBLEM, WARNING, Finding, fine, found


_CHECK = "audit"


def audit_findings(
    chains: Sequence[Newest], days: Sequence[DeployedDay], overdue: Sequence[Newest]
) -> Iterator[Finding]:
    """By the chains that were ever audited, the last days of each account and region, and the chains that stopped."""
    if not chains:
        yield found(WARNING, _CHECK, "audit.nothing")
        return
    red = [day for day in days if not day.is_green]
    if red:
        places = sorted({f"{day.account} {day.region}" for day in red})
        yield found(PROBLEM, _CHECK, "audit.not-green", count=len(red), places=", ".join(places[:5]))
    if overdue:
        places = sorted({f"{chain.trail.account} {chain.trail.region}" for chain in overdue})
        yield found(PROBLEM, _CHECK, "audit.overdue", count=len(overdue), places=", ".join(places[:5]))
    if not red and not overdue:
        listed, read = (sum(day.logs[name] for day in days) for name in ("listed", "read"))
        yield fine(_CHECK, f"{read:,} of {listed:,} log files that were listed were read, and all digests are valid.")
