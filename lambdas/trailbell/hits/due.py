"""Something to do at a time: what the clock finds in a due row (store/due.py)."""

from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Due:
    """due_at: when, UTC, ISO 8601 with Z, to the second; kind: which task does it; id: what it is about.

    written: by which writing of its row it was found, "" for one that is still to be written.
    """

    due_at: str
    kind: str
    id: str
    written: str = ""
