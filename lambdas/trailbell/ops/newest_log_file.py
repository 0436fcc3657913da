"""When the newest log file of an account and Region came, by listing the trail bucket: read-only and bounded."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from trailbell.ops.answers import Answer
from trailbell.ops.deployed_stack import DeployedStack


_MAX_PAGES = 5  # of a thousand log files: a listing is bounded
_RECENT = timedelta(minutes=90)


def newest_log_file(
    s3: Any, stack: DeployedStack, prefix: str, *, organisation: bool, now: datetime
) -> datetime | None:
    """When the newest log file of the stack's account and region came, today's or yesterday's; else None.

    `prefix` stands before AWSLogs/. A file's name begins with its account, region and minute, so that the
    last hour is listed without the day before it; at most fifteen calls.
    """
    bucket, root = stack.output("TrailBucket"), f"{prefix}/AWSLogs/" if prefix else "AWSLogs/"
    for folder in _account_folders(s3, bucket, root, stack.account, organisation=organisation):
        for after, day in _listings(folder, stack.account, stack.region, now):
            times = [entry["LastModified"] for entry in _list(s3, bucket, day, after)]
            if times:
                return max(times).astimezone(UTC)
    return None


def _account_folders(s3: Any, bucket: str, root: str, account: str, *, organisation: bool) -> list[str]:
    if not organisation:
        return [f"{root}{account}/"]
    answer = s3.list_objects_v2(Bucket=bucket, Prefix=f"{root}o-", Delimiter="/", MaxKeys=5)
    return [f"{entry['Prefix']}{account}/" for entry in answer.get("CommonPrefixes", ())]


def _listings(folder: str, account: str, region: str, now: datetime) -> Iterator[tuple[str, str]]:
    """Where to look, newest first: after which key, under which prefix."""
    recent, yesterday = now - _RECENT, now - timedelta(days=1)
    days = [f"{folder}CloudTrail/{region}/{moment:%Y/%m/%d}/" for moment in (now, yesterday)]
    if recent.date() == now.date():
        yield f"{days[0]}{account}_CloudTrail_{region}_{recent:%Y%m%dT%H%M}Z", days[0]
    yield from (("", day) for day in days)


def _list(s3: Any, bucket: str, prefix: str, after: str) -> Iterator[Answer]:
    start = {"StartAfter": after} if after else {}
    bounded = {"MaxItems": _MAX_PAGES * 1000}
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, PaginationConfig=bounded, **start
    )
    for page in pages:
        yield from page.get("Contents", ())
