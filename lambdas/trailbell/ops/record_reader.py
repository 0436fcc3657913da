"""The record of a hit, fetched from where it stands in the trail bucket."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

from trailbell.aws.trail_bucket import S3TrailBucket
from trailbell.cloudtrail.logfile import MalformedRecord, read_records
from trailbell.cloudtrail.notification import ObjectRef
from trailbell.errors import LogFileError
from trailbell.hits.hit import Place


def fetch_record(s3: Any, place: Place) -> Mapping[str, Any]:
    """The record at a place. Raises LogFileError where it cannot be had, and what botocore raises."""
    pieces = S3TrailBucket(s3).read(ObjectRef(place.bucket, place.key))
    found = next(islice(read_records(pieces), place.index, None), None)
    if found is None:
        raise LogFileError(f"the log file has no record {place.index}: it was replaced since")
    if isinstance(found, MalformedRecord):
        raise LogFileError(f"record {place.index} of the log file is broken: {found.reason}")
    return found
