"""The outline of a malformed record: enough to recognise it, and nothing that might be secret.

A record that cannot be parsed cannot be searched for secrets either, so it is not enough for a text to look harmless.
An outline has three things: members by which AWS names an event, if their values have exactly AWS's form; of other
members the names and kinds, if the text is JSON; and if it is not, its punctuation. The text itself stays in the
bucket, where whoever may read log files finds it by object and position.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.safe_text import one_line


MAX_OUTLINE = 1024
"""Characters of an outline."""

_MAX_PARSED = 256 * 1024  # CloudTrail's own limit for a record
_MAX_NAMES = 40
_MAX_NAME = 60

# Forms so narrow that no secret fits: a date, an account's number, the name of a service or an operation.
_FORMS = {
    "eventID": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "eventTime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "eventSource": r"[a-z0-9-]{1,40}\.amazonaws\.com",
    "eventName": r"[A-Z][A-Za-z]{1,40}(?:\d{4}_?\d\d_?\d\d)?",
    "awsRegion": r"[a-z]{2}(?:-[a-z]{1,10}){1,3}-\d",
    "recipientAccountId": r"\d{12}",
}
_MEMBER = lazy_pattern(rf'"({"|".join(_FORMS)})"\s*:\s*"([^"\\]{{1,80}})"', re.ASCII)
_NOT_PUNCTUATION = lazy_pattern(r"[^][{}:,\"]+")


def outline(content: bytes) -> str:
    """The outline of a malformed record's text (or of its start), one safe line of at most MAX_OUTLINE characters."""
    text = content[:_MAX_PARSED].decode("utf-8", "replace")
    try:
        shape = _shape(json.loads(text))
    except (ValueError, RecursionError):
        known = "".join(f"{name} {value}, " for name, value in _MEMBER.findall(text) if _fits(name, value))
        bare = "".join(text[: MAX_OUTLINE * 4].split())
        shape = f"{known}punctuation {_NOT_PUNCTUATION.sub('.', bare)}" if text else ""
    return one_line(shape, MAX_OUTLINE)


def _shape(value: Any) -> str:
    if not isinstance(value, Mapping):
        return _kind(value)
    shown = [
        f"{name} {member}" if _fits(name, member) else f"{one_line(name, _MAX_NAME)} ({_kind(member)})"
        for name, member in list(value.items())[:_MAX_NAMES]
    ]
    more = len(value) - len(shown)
    return ", ".join(shown) + (f", {more} more" if more else "")


def _fits(name: str, value: object) -> bool:
    return name in _FORMS and isinstance(value, str) and bool(re.fullmatch(_FORMS[name], value, re.ASCII))


def _kind(value: object) -> str:
    if isinstance(value, str):
        return f"text of {len(value)}"
    if isinstance(value, Mapping):
        return f"object of {len(value)}"
    if isinstance(value, list):
        return f"list of {len(value)}"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "number"
