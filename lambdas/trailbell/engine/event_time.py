"""The time of any event, exact: RFC 3339 text to seconds and back.

Not datetime: it keeps six digits of a fraction, and two events apart in the seventh would be one.
"""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction


_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

Seconds = int | Fraction
"""Since 1970, UTC; whole where the text is."""


def seconds_of(text: object) -> Seconds | None:
    """The time that a text says; without a zone it is UTC. None for what is no time."""
    parts = _TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not parts:
        return None
    day, clock, fraction, zone = parts.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if not zone or zone in 'Zz' else zone}")
        whole = (moment.astimezone(UTC) - _EPOCH) // _SECOND
        part = Fraction(int(fraction), 10 ** len(fraction)) if fraction else 0
    except (ValueError, OverflowError):  # no day of the calendar, no time of the day; no year that has four digits
        return None
    return whole + part if part else whole


def time_text(seconds: Seconds) -> str:
    """RFC 3339 in UTC with Z, with as many digits of a fraction as there are."""
    whole, rest = divmod(Fraction(seconds), 1)
    digits = ""
    while rest:  # ends: fractions are of powers of ten
        digit, rest = divmod(rest * 10, 1)
        digits += str(digit)
    text = (_EPOCH + whole * _SECOND).isoformat().removesuffix("+00:00")
    return f"{text}.{digits}Z" if digits else f"{text}Z"
