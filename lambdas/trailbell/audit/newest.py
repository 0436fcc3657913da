"""What is remembered of digests outside of the bucket (store/audits.py)."""

from datetime import datetime
from typing import Any

from trailbell.cloudtrail.digest_key import DigestKey, Trail
from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest digest of a chain that was audited."""

    trail: Trail
    backfill: bool
    end: datetime
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class AuditedDigest:
    """A digest that was audited. text: its key as it is; members: what was found, for its row."""

    key: DigestKey
    bucket: str
    text: str
    members: dict[str, Any]
