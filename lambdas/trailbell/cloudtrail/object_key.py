"""A trail bucket's layout, and what of it is read: the one place that the functions, `s3://` and a disk follow.

    [prefix/]AWSLogs/[organisation/]account/folder/region/yyyy/mm/dd/name.json.gz

    folder                       what is in it, and why it is read or not
    CloudTrail                   management and data events: read
    CloudTrail-NetworkActivity   calls through VPC endpoints: read for those that an endpoint's policy denied, which
                                 stand nowhere else. The others repeat a management event; no rule alerts on them
                                 unless it asks for them (Record.repeats).
    CloudTrail-Aggregated        counts of data events by the minute, without caller or request: not read
    CloudTrail-Insight           rates that are unusual, no calls: not read
    CloudTrail-Digest            hashes of the log files: not read for hits
    all others                   what other services log: not read

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html
"""

import re
from enum import StrEnum

from trailbell.lazy_dataclass import dataclass


class ObjectKind(StrEnum):
    """Why an object is read (LOG_FILE) or ignored (all others; the value is the name it is counted under).

    FOREIGN: not the trail's own, whatever its key looks like; no key says that, it takes a TrailPlace.
    """

    LOG_FILE = "log file"
    DIGEST = "digest"
    INSIGHT = "insight"
    AGGREGATED = "aggregated"
    OTHER = "other"
    FOREIGN = "foreign"


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


@dataclass(frozen=True, slots=True)
class TrailPlace:
    """Where a trail writes: a bucket, and the prefix up to and with "AWSLogs/". Empty texts leave it open."""

    bucket: str = ""
    prefix: str = ""

    def holds(self, bucket: str, key: str) -> bool:
        """Whether an object is in this place; names are compared as they are, by case and byte."""
        return (not self.bucket or bucket == self.bucket) and key.startswith(self.prefix)


ANYWHERE = TrailPlace()


_FOLDERS = {
    "CloudTrail": ObjectKind.LOG_FILE,
    "CloudTrail-NetworkActivity": ObjectKind.LOG_FILE,
    "CloudTrail-Aggregated": ObjectKind.AGGREGATED,
    "CloudTrail-Insight": ObjectKind.INSIGHT,
    "CloudTrail-Digest": ObjectKind.DIGEST,
}
_OF_LOWER = {folder.lower(): kind for folder, kind in _FOLDERS.items()}
_SUFFIXES = (".json", ".gz")
ROOT = "AWSLogs/"

_ORGANISATION = re.compile(r"o-[a-z0-9]+", re.ASCII)
_LEVELS = (r"\d{12}", r"CloudTrail(?:-[A-Za-z]+)*", r"[a-z0-9-]+", r"\d{4}", r"\d{2}", r"\d{2}")
_ACCOUNT = re.compile(_LEVELS[0], re.ASCII)
_FILE_NAME = re.compile(
    rf"{_LEVELS[0]}_(?P<folder>{'|'.join(sorted(_FOLDERS, reverse=True))})_(?P<region>{_LEVELS[2]})_",
    re.ASCII | re.IGNORECASE,
)

# Only the folders decide, never the file's name: a log file somebody copied under another name is
# still read. The prefix is free text and may itself contain "AWSLogs/", hence the last occurrence counts.
_LAYOUT = re.compile(
    rf"(?:.*/)?AWSLogs/(?:(?P<organisation>o-[a-z0-9]+)/)?(?P<account>{_LEVELS[0]})"
    rf"/(?P<folder>{_LEVELS[1]})/(?P<region>{_LEVELS[2]})/\d{{4}}/\d{{2}}/\d{{2}}/[^/]+\.json(?:\.gz)?",
    re.ASCII | re.DOTALL,
)


def classify_key(key: str) -> ObjectKey:
    """Say what the object under a (decoded) key is: every text has an answer. Done once for each object."""
    parts = _LAYOUT.fullmatch(key)
    if not parts:
        return ObjectKey(key, ObjectKind.OTHER)
    kind = _FOLDERS.get(parts["folder"], ObjectKind.OTHER)
    return ObjectKey(key, kind, parts["account"], parts["region"], parts["organisation"] or "")


def classify_file(path: str) -> ObjectKind:
    """Say what a file is that somebody pointed at, on a disk or in a bucket: people keep copies in any folder.

    By the layout; where that is left, by its folder below an account; outside of it by the names CloudTrail gives,
    then by suffix.
    """
    kind = classify_key(path).kind
    if kind is not ObjectKind.OTHER:
        return kind
    below, name = _below(path), path.rpartition("/")[2]
    if len(below) > 2 and _ACCOUNT.fullmatch(below[0]):
        kind = _FOLDERS.get(below[1], ObjectKind.OTHER)
        if kind is not ObjectKind.LOG_FILE:
            return kind
    named = next((kind for folder, kind in _FOLDERS.items() if f"_{folder}_" in name), ObjectKind.LOG_FILE)
    return named if name.endswith(_SUFFIXES) else ObjectKind.OTHER


def other_folder(path: str) -> str:
    """The folder of an account in which another service keeps its files (Config, vpcflowlogs); "" elsewhere."""
    below = _below(path)
    is_other = len(below) > 2 and _ACCOUNT.fullmatch(below[0]) and below[1] not in _FOLDERS
    return below[1] if is_other else ""


def split_root(key: str) -> tuple[str, str]:
    """A key or path in what stands before its last AWSLogs/ and the rest; ("", key) where there is no such folder."""
    at = max(key.rfind(f"/{ROOT}") + 1, 0 if key.startswith(ROOT) else -1)
    return (key[:at], key[at:]) if key.startswith(ROOT, at) else ("", key)


def is_read(folder: str) -> bool:
    """Whether a folder of an account (its name alone) holds log files."""
    return _FOLDERS.get(folder) is ObjectKind.LOG_FILE


def is_audited(folder: str) -> bool:
    """Whether a folder of an account (its name alone) holds log files, or digests of them."""
    return _FOLDERS.get(folder) in (ObjectKind.LOG_FILE, ObjectKind.DIGEST)


def place_below(key: str) -> ObjectKey:
    """Whose a file is and of what kind, wherever it lies in an account's folder, also where CloudTrail writes nothing.

    As people and intruders move files: to any depth, in any case, with or without a region's folder. A name that only
    a digest has is one's in any folder. OTHER outside of an account, and in folders of other things.
    """
    below, name = _below(key), key.rpartition("/")[2]
    if len(below) < 2 or not _ACCOUNT.fullmatch(below[0]):
        return ObjectKey(key, ObjectKind.OTHER)
    named = _FILE_NAME.match(name)
    if named and _OF_LOWER[named["folder"].lower()] is ObjectKind.DIGEST:
        kind = ObjectKind.DIGEST
    elif len(below) > 2 and below[1].lower() in _OF_LOWER:
        kind = _OF_LOWER[below[1].lower()]
    else:
        kind = _OF_LOWER[named["folder"].lower()] if named else ObjectKind.OTHER
    in_folder = len(below) > 3 and re.fullmatch(_LEVELS[2], below[2], re.ASCII)
    region = below[2] if in_folder else named["region"] if named else ""
    return ObjectKey(key, kind, below[0], region)


def trail_levels(folder: str) -> tuple[str, ...]:
    """The levels of the layout below AWSLogs/ that a folder names: account, kind, region, year, month, day.

    Empty outside of the layout; cut where it is left. The organisation's level is passed over.
    """
    found = []
    for part, level in zip(_below(folder), _LEVELS, strict=False):
        if not re.fullmatch(level, part, re.ASCII):
            break
        found.append(part)
    return tuple(found)


def is_in_account(folder: str) -> bool:
    """Whether a folder is an account's own, the one that holds CloudTrail/ beside what other services write."""
    return len(trail_levels(folder)) == 1 and bool(_ACCOUNT.fullmatch(folder.rstrip("/").rpartition("/")[2]))


def _below(path: str) -> list[str]:
    """The parts of a path below the last AWSLogs/, without the organisation's; none outside of the layout."""
    parts = [part for part in path.split("/") if part]
    if "AWSLogs" not in parts:
        return []
    below = parts[len(parts) - parts[::-1].index("AWSLogs") :]
    return below[1:] if below and _ORGANISATION.fullmatch(below[0]) else below
