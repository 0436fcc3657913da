"""Whether the trail logs, records every Region, signs and delivers, and whether log files come."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from trailbell.ops.answers import Trail, TrailStatus
from trailbell.ops.checks.finding import PROBLEM, UNKNOWN, WARNING, Finding, fine, found
from trailbell.text.safe_text import one_line


_LATE = timedelta(minutes=60)  # CloudTrail delivers about every five minutes where anything happens


def no_trail_finding(bucket: str, *, made_by_stack: bool) -> Finding:
    """What it means that no trail of the account writes into the bucket."""
    if made_by_stack:
        return found(PROBLEM, "trail", "trail.gone", bucket=bucket)
    return found(UNKNOWN, "trail", "trail.not-seen", bucket=bucket)


def trail_findings(trail: Trail, status: TrailStatus, now: datetime) -> Iterator[Finding]:
    """What a trail's settings and its status say."""
    check, where = f"trail {trail.name}", {"region": trail.home, "trail": trail.arn}
    if status.logging:
        yield fine(check, "The trail is logging.")
    else:
        yield found(PROBLEM, check, "trail.not-logging", **where)
    if trail.multi_region:
        yield fine(check, "It records all Regions.")
    else:
        yield found(PROBLEM, check, "trail.one-region", **where)
    if trail.validated:
        yield fine(check, "Log files are signed by digest files (validation is on).")
    else:
        yield found(WARNING, check, "trail.not-signed", **where)
    yield _delivery_finding(check, status, now)


def _delivery_finding(check: str, status: TrailStatus, now: datetime) -> Finding:
    if status.delivery_error:
        return found(PROBLEM, check, "trail.cannot-deliver", reason=one_line(status.delivery_error, 200))
    if status.delivered_at is None:
        return found(WARNING, check, "trail.not-delivered-yet")
    return _age_finding(check, "CloudTrail delivered last", now - status.delivered_at)


def log_file_finding(newest: datetime | None, now: datetime, account: str, region: str, *, trail_seen: bool) -> Finding:
    """How old the newest log file of an account and Region is. Without a trail to be seen, none proves nothing."""
    if newest:
        return _age_finding("log files", f"The newest log file of account {account}, {region} came", now - newest)
    state = PROBLEM if trail_seen else UNKNOWN
    return found(state, "log files", "trail.no-log-file", account=account, region=region)


def _age_finding(check: str, what: str, age: timedelta) -> Finding:
    minutes = max(int(age.total_seconds() // 60), 0)
    if age <= _LATE:
        return fine(check, f"{what} {minutes} min ago.")
    return found(WARNING, check, "trail.late", what=what, minutes=minutes)
