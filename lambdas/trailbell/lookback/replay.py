"""A replay sends history through the deployed queue: notifications for log files that are in the bucket already.

Its messages look like S3's own. Where hits are to be kept without notifying anybody, they say so in a member of their
own (`"trailbell": {"notify": false}`, read by cloudtrail/notification.py), and the hits' rows are of the kind "quiet".

The rule that keeps this safe: **a quiet row never stops the notification of a true delivery.** If S3's own
notification comes after a quiet replay of the same log file, the hit's row is written once more, as a hit, and
notified (store/hit_table.py). The other way round, a replay never changes a row that is there.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote_plus

from trailbell.cloudtrail.notification import ObjectRef


# US dollars in us-east-1, arm64, November 2026; other regions cost up to half as much again.
# https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/sqs/pricing/ https://aws.amazon.com/s3/pricing/
# https://aws.amazon.com/dynamodb/pricing/on-demand/
_GET = 0.40 / 1e6
_SQS = 0.40 / 1e6
_INVOCATION = 0.20 / 1e6
_GB_SECOND = 0.0000133334
_WRITE = 0.625 / 1e6

_BATCH = 10  # messages of one request to SQS, log files of one invocation
_MEMORY_GB = 1.0
# A processor takes 0.04 s for a megabyte; a gigabyte of Lambda is about half a processor, shared with others.
# The objects of a batch wait for S3 side by side, and then for DynamoDB.
_SECONDS_A_BATCH = 0.2
_SECONDS_A_MB = 0.1
_WRITES_A_HIT = 7


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a replay will take: log files, their size in bytes, seconds at the rate asked for, and US dollars.

    dollars: without what hits cost, which nobody knows before: `dollars_a_million_hits`.
    """

    files: int
    size: int
    seconds: float
    dollars: float
    dollars_a_million_hits: float = 1e6 * _WRITES_A_HIT * _WRITE


def estimate(sizes: Iterable[int], files_a_second: float) -> Estimate:
    """Estimate a replay of log files of these sizes (bytes, gzipped)."""
    files, size = 0, 0
    for one in sizes:
        files, size = files + 1, size + one
    batches = files / _BATCH
    duration = batches * _SECONDS_A_BATCH + size / 1e6 * _SECONDS_A_MB
    requests = files * _GET + batches * (3 * _SQS + _INVOCATION)
    return Estimate(files, size, files / files_a_second, requests + duration * _MEMORY_GB * _GB_SECOND)


def replay_message(ref: ObjectRef, *, notify: bool) -> str:
    """The message for a log file, as S3 would send it, and whether to notify anybody of its hits."""
    entry = {"key": quote_plus(ref.key, safe="/"), "size": ref.size}
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": ref.bucket}, "object": entry},
    }
    message = {"Records": [record], "trailbell": {"replay": True, "notify": notify}}
    return json.dumps(message, separators=(",", ":"))
