"""What the ledger holds of a log file that was read (store/ledger.py)."""

from trailbell.cloudtrail.digest_key import delivery_span
from trailbell.cloudtrail.object_key import classify_key
from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import iso_time


@dataclass(frozen=True, slots=True)
class ReadLog:
    """A log file that was read to its end.

    sha256:   of its content, inflated, in hexadecimal; size: of the same, in bytes.
    read_at:  when, UTC, ISO 8601 with Z. repaired: it was asked for by the audit.
    """

    bucket: str
    key: str
    sha256: str
    size: int
    records: int
    read_at: str
    repaired: bool = False


@dataclass(frozen=True, slots=True)
class LedgerHour:
    """An account, a Region, and the hour in the names of its log files.

    text: yyyy-mm-ddThh; of log files with other names the day of their folder, yyyy-mm-dd.
    """

    account: str
    region: str
    text: str

    @classmethod
    def of(cls, key: str) -> "LedgerHour":
        """That of a log file, by its key."""
        place, span = classify_key(key), delivery_span(key)
        text = iso_time(span[0])[:13] if span else "-".join(key.split("/")[-4:-1])
        return cls(place.account, place.region, text)

    def __str__(self) -> str:
        return f"{self.account}#{self.region}#{self.text}"
