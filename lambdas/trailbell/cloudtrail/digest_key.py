"""Keys of digest files, and the parts of a log file's key that a digest is compared with.

    [prefix/]AWSLogs/[organisation/]account/CloudTrail-Digest/region/yyyy/mm/dd/
        account_CloudTrail-Digest_region_trail_home_yyyymmddThhmmssZ[_backfill].json.gz

The stamp is the end of the period that the digest is about; `region` is where the events were delivered from, `home`
the trail's home region. A trail's name may hold "_" and look like a region, so a name is read from both its ends.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

import re
from datetime import UTC, datetime, timedelta

from trailbell.cloudtrail.object_key import split_root
from trailbell.lazy_dataclass import dataclass
from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.times import shifted


@dataclass(frozen=True, slots=True, order=True)
class Trail:
    """Whose digests: those of one account and region, by one trail of one home region."""

    account: str
    region: str
    trail: str
    home: str


@dataclass(frozen=True, slots=True)
class DigestKey:
    """A digest's key, taken apart. prefix: what stands before AWSLogs/. organisation: "" where there is none."""

    prefix: str
    organisation: str
    trail: Trail
    end: datetime
    backfill: bool


_DIGEST = lazy_pattern(
    r"AWSLogs/(?:(?P<organisation>o-[a-z0-9]+)/)?(?P<account>\d{12})/CloudTrail-Digest/(?P<region>[a-z0-9-]+)"
    r"/\d{4}/\d{2}/\d{2}/(?P=account)_CloudTrail-Digest_(?P=region)_(?P<trail>[A-Za-z0-9._-]+)_(?P<home>[a-z0-9-]+)"
    r"_(?P<stamp>\d{8}T\d{6}Z)(?P<backfill>_backfill)?\.json\.gz",
    re.ASCII,
)
_LOG_NAME = lazy_pattern(r"\d{12}_CloudTrail(?:-[A-Za-z]+)?_[a-z0-9-]+_(?P<stamp>\d{8}T\d{4})Z_[^/]*", re.ASCII)
_LOG_DAY = lazy_pattern(r"/CloudTrail(?:-[A-Za-z]+)?/[a-z0-9-]+/(?P<day>\d{4}/\d{2}/\d{2})/[^/]+$", re.ASCII)


def parse_digest_key(key: str) -> DigestKey | None:
    """A digest's key, taken apart; None for a text that is none, wherever it lies."""
    prefix, rest = split_root(key)
    parts = _DIGEST.fullmatch(rest)
    end = _moment(parts["stamp"], "%Y%m%dT%H%M%SZ") if parts else None
    if not parts or not end:
        return None
    trail = Trail(parts["account"], parts["region"], parts["trail"], parts["home"])
    return DigestKey(prefix, parts["organisation"] or "", trail, end, bool(parts["backfill"]))


def delivery_span(key: str) -> tuple[datetime, datetime] | None:
    """Between when and when a log file was delivered, by its key; None where the key does not say.

    The minute in its name is up to fifteen minutes before its delivery. Of a name that CloudTrail does not give, the
    day of its folder is known.
    """
    begin = named_minute(key)
    length = timedelta(0)
    if not begin:
        day = _LOG_DAY.search(key)
        begin, length = _moment(day["day"], "%Y/%m/%d") if day else None, timedelta(days=1)
    return (begin, shifted(begin, length + _NAMED_BEFORE)) if begin else None


def named_minute(key: str) -> datetime | None:
    """The minute in a log file's name; None where CloudTrail does not name it so."""
    named = _LOG_NAME.fullmatch(key.rpartition("/")[2])
    return _moment(named["stamp"], "%Y%m%dT%H%M") if named else None


_NAMED_BEFORE = timedelta(minutes=15)


def _moment(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
