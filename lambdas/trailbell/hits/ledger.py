"""What the ledger holds of a log file that was read (store/ledger.py)."""

from dataclasses import dataclass


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
