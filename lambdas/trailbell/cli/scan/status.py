"""Whether a scan read all that it was asked to read: the same answer for every command that scans."""

from collections.abc import Sequence
from pathlib import Path

from trailbell.cli.scan.log_sources import Sources
from trailbell.cli.scan.run import Scan


def read_all(places: Sequence[str], sources: Sources, result: Scan) -> bool:
    """Whether there was something to read, and nothing of it stayed unread.

    JSON of something else that lies in a folder is nobody's fault, unless there was nothing besides; whoever names it
    itself expects it to be read. A time in which no log file was delivered is an answer, too.
    """
    named = {str(Path(place)) for place in places}
    unread = result.unreadable or sources.unlisted or named.intersection(result.foreign)
    nothing = not result.files_read and (result.foreign or sources.passed_over or not sources.left_out_by_time)
    return not (unread or nothing)
