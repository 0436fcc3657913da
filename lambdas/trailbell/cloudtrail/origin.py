"""Where a record came from: a place in a log file, or a live event that brought it alone."""

from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is: bucket ("" for a local file), key or path, and position in the log file."""

    bucket: str
    key: str
    index: int

    @property
    def is_known(self) -> bool:
        """Whether there is a log file: of a record that only a live event has brought so far there is none yet."""
        return bool(self.key)

    @property
    def file(self) -> str:
        """The log file's s3:// address, or the path of a local one; "" where there is none yet."""
        return f"s3://{self.bucket}/{self.key}" if self.bucket else self.key


NO_PLACE = Place("", "", 0)
"""Of a record that stands in no log file, or in none that is known yet."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """The event that brought a record by itself, minutes before its log file.

    id:     EventBridge's own, of no meaning outside: not the eventID, and another one on each way it took.
    account, region: whose event bus it was put on; time: when, UTC, ISO 8601 with Z. "" for what it does not say.
    """

    id: str
    account: str
    region: str
    time: str = ""


Origin = Place | LiveEvent
"""Where a record came from."""
