"""An act of the examples, done again now to another key: theirs are all undone, and of such the clock reminds nobody;
and a second act on the same key would be gathered for an hour.
"""

import gzip
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trailbell.cli.local.shifted_files import answered_time
from trailbell.cli.scan.log_files import read_pieces
from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES
from trailbell.hits.hit import Hit
from trailbell.text.times import iso_time


_CALL = "ScheduleKeyDeletion"


def late_act(hits: Iterable[Hit], folder: Path, now: datetime) -> Path | None:
    """A log file below a folder with the first scheduled deletion of a key among some hits of local files, as if it
    had been done a minute ago to another one; None if there is none. Raises LogFileError where its log file is gone.
    """
    deletions = [hit for hit in hits if hit.event_name == _CALL and hit.undo_until and not hit.episode]
    if not deletions:
        return None
    before = min(deletions, key=lambda hit: hit.event_time)
    other_key = json.dumps(_record(before)).replace(before.resources[0].rpartition("/")[2], str(uuid.uuid4()))
    record = _again(json.loads(other_key), now.astimezone(UTC) - timedelta(minutes=1))
    name = f"{before.account}_CloudTrail_{before.region}_{now:%Y%m%dT%H%M}Z_{uuid.uuid4().hex[:16]}.json.gz"
    file = folder / f"AWSLogs/{before.account}/CloudTrail/{before.region}/{now:%Y/%m/%d}" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(gzip.compress(json.dumps({"Records": [record]}).encode()))
    return file


def _record(hit: Hit) -> dict[str, Any]:
    content = b"".join(inflate(read_pieces(Path(hit.place.key)), MAX_INFLATED_BYTES))
    record: dict[str, Any] = json.loads(content)["Records"][hit.place.index]
    return record


def _again(record: dict[str, Any], at: datetime) -> dict[str, Any]:
    """A record with ids of its own at another time; its deadline as long after it, as KMS answers it."""
    until = at + timedelta(days=record["requestParameters"]["pendingWindowInDays"])
    return {
        **record,
        "eventID": str(uuid.uuid4()),
        "requestID": str(uuid.uuid4()),
        "eventTime": iso_time(at),
        "responseElements": {**record["responseElements"], "deletionDate": answered_time(until)},
    }
