"""How the lines of a mail are made: wrapped sentences, labelled rows, times in UTC and spans of time."""

import textwrap
from collections.abc import Iterator

from trailbell.text.safe_text import one_line


_WIDTH = 80
_LABEL = 12


def wrapped(text: str, indent: str = "", first: str | None = None) -> list[str]:
    """A text as lines of at most 80 characters, unless a word is longer; `first` begins the first line."""
    lead = indent if first is None else first
    return textwrap.wrap(
        text, _WIDTH, initial_indent=lead, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def row(label: str, value: str, limit: int = 400) -> Iterator[str]:
    """One labelled line, none for an empty value. The value may come from a record."""
    if value:
        yield f"  {label:<{_LABEL}} {one_line(value, limit)}"


def utc(time: str) -> str:
    """An ISO 8601 time with Z as people read it."""
    return time.replace("T", " ").replace("Z", " UTC")


def span(seconds: int) -> str:
    """4 min 50 s: the two largest units."""
    units = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    shown = [f"{amount} {unit}" for amount, unit in units if amount]
    return " ".join(shown[:2]) or "0 s"
