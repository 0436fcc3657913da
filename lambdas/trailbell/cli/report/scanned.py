"""What a page says of a scan: its hits, where they are from, and what is not in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from trailbell.cli.scan.run import Scan
from trailbell.lookback.report import NewestHits, pack_hits
from trailbell.text.counts import counted
from trailbell.text.safe_text import one_line


def scanned_document(kept: NewestHits, places: Sequence[str], result: Scan, now: datetime) -> dict[str, Any]:
    """The page's document (report_file.py)."""
    return {
        "made": f"{now:%Y-%m-%d %H:%M:%S} UTC",
        "source": source_of(places, result),
        "note": left_out_of(kept, result),
        **pack_hits(kept.newest_first()),
    }


def source_of(places: Sequence[str], result: Scan) -> str:
    """Where the hits are from."""
    where = ", ".join(one_line(place, 200) for place in places)
    partial = result.partial
    records = counted(result.counts.records_read - partial, "record")
    whole = f"{records} in {counted(result.files_read, 'log file')} of {where}"
    if not result.unreadable:
        return f"{whole}."
    more = f" but for {counted(partial, 'record')}" if partial else ""
    return f"{whole}, {len(result.unreadable)} could not be read{more}."


def left_out_of(kept: NewestHits, result: Scan) -> str:
    """Why there are fewer hits than the scan found, "" if there are not."""
    parts = []
    if kept.left_out:
        parts.append(f"Only the newest hits are here; {kept.left_out:,} older ones are not. ")
    if kept.again:
        parts.append(f"{kept.again:,} more hits are of records that were delivered again; each is here once. ")
    if result.outside:
        parts.append(f"{counted(result.outside, 'hit')} not asked for. ")
    return "".join(parts)
