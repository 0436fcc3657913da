"""An object's key says what the object is: a log file, or one of the other things a trail bucket holds.

    [prefix/]AWSLogs/[organisation/]account/CloudTrail[-Digest|-Insight|…]/region/yyyy/mm/dd/name.json.gz

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class ObjectKind(StrEnum):
    """Why an object is read (LOG_FILE) or ignored (all others; the value is the name it is counted under)."""

    LOG_FILE = "log file"
    DIGEST = "digest"
    INSIGHT = "insight"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """A classified key: `text` is the key itself.

    account, region, organisation: "" where the key does not follow the layout.
    """

    text: str
    kind: ObjectKind
    account: str = ""
    region: str = ""
    organisation: str = ""


# Only the folders decide, never the file's name: a log file somebody copied under another name is
# still read. The prefix is free text and may itself contain "AWSLogs/", hence the last occurrence counts.
_LAYOUT = re.compile(
    r"(?:.*/)?AWSLogs/(?:(?P<organisation>o-[a-z0-9]+)/)?(?P<account>\d{12})"
    r"/(?P<folder>CloudTrail(?:-[A-Za-z]+)*)/(?P<region>[a-z0-9-]+)/\d{4}/\d{2}/\d{2}/[^/]+\.json(?:\.gz)?",
    re.ASCII | re.DOTALL,
)
_KINDS = {
    "CloudTrail": ObjectKind.LOG_FILE,
    "CloudTrail-Digest": ObjectKind.DIGEST,
    "CloudTrail-Insight": ObjectKind.INSIGHT,
}


def classify_key(key: str) -> ObjectKey:
    """Say what the object under a (decoded) key is: every text has an answer. Done once for each object."""
    parts = _LAYOUT.fullmatch(key)
    if not parts:
        return ObjectKey(key, ObjectKind.OTHER)
    kind = _KINDS.get(parts["folder"], ObjectKind.OTHER)
    return ObjectKey(key, kind, parts["account"], parts["region"], parts["organisation"] or "")
