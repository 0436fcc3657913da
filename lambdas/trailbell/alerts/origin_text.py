"""Where a hit's record came from, and where it stands, in words."""

from trailbell.alerts.mail_lines import span, utc
from trailbell.hits.hit import Hit, seconds_between
from trailbell.text.safe_text import one_line


_MAX_FILE = 1200

LIVE, LOG_FILE, BOTH = "live", "log file", "live, log file"
"""What brought a record so far, in a word or two."""


def sources_text(hit: Hit) -> str:
    """What brought a hit's record so far: one of LIVE, LOG_FILE and BOTH."""
    if not hit.live:
        return LOG_FILE
    return BOTH if hit.place.is_known else LIVE


def seen_text(hit: Hit) -> str:
    """When which source brought the record: "seen live 3 s after the event; log file since 2026-09-01 09:18:57 UTC"; ""
    of a hit that only a log file brought."""
    if not hit.live:
        return ""
    filed = f"log file since {utc(hit.filed_at)}" if hit.filed_at else "no log file yet"
    return f"seen live {span(hit.delay)} after the event; {filed}"


def place_text(hit: Hit) -> str:
    """Where the record stands: in a log file, or in a live event, whose log file follows."""
    if hit.place.is_known:
        return f"record {hit.place.index} of {one_line(hit.place.file, _MAX_FILE)}"
    if hit.live:
        region = f" in {one_line(hit.live.region, 40)}" if hit.live.region else ""
        return f"record of a live event{region}; its log file follows in about five minutes"
    return "record of no log file"


def log_file_seconds(hit: Hit) -> int | None:
    """From the event to when its log file was read, None while only a live event has brought it."""
    read_at = hit.filed_at if hit.live else hit.seen_at
    return seconds_between(hit.event_time, read_at) if read_at else None
