"""How the lines of a mail are made: wrapped sentences, labelled rows, times in UTC and spans of time."""

import textwrap
from collections.abc import Iterator, Sequence

from trailbell.text.safe_text import one_line


_WIDTH = 80
_LABEL = 12
_MAX_VALUES = 5  # of one row


def wrapped(text: str, indent: str = "", first: str | None = None) -> list[str]:
    """A text as lines of at most 80 characters, unless a word is longer; `first` begins the first line."""
    lead = indent if first is None else first
    return textwrap.wrap(
        text, _WIDTH, initial_indent=lead, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def row(label: str, value: str, limit: int = 400, indent: str = "  ") -> Iterator[str]:
    """One labelled line, none for an empty value. The value may come from a record."""
    if value:
        yield f"{indent}{label:<{_LABEL}} {one_line(value, limit)}"


def rows(
    label: str, values: Sequence[tuple[str, int]], total: int, limit: int = 400, indent: str = "  "
) -> Iterator[str]:
    """A labelled line for each value that `total` hits have: with its count, unless all of them have the same."""
    named = [(value, count) for value, count in values if value]
    for value, count in named[:_MAX_VALUES]:
        yield from row(label, one_line(value, limit) + counted(count, total), limit + 40, indent)
        label = ""
    if len(named) > _MAX_VALUES:
        yield from row("", f"... and {len(named) - _MAX_VALUES} more", limit, indent)


def counted(count: int, total: int) -> str:
    """How many of `total` hits something is true for, nothing if it is true for all: ", 3 times"."""
    return "" if count == total else f", {times(count)}"


def times(count: int) -> str:
    """A number of acts in words: once, 3 times."""
    return "once" if count == 1 else f"{count} times"


def utc(time: str) -> str:
    """An ISO 8601 time with Z as people read it."""
    return time.replace("T", " ").replace("Z", " UTC")


def span(seconds: int) -> str:
    """4 min 50 s: the two largest units."""
    units = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")]
    shown = [f"{amount} {unit}" for amount, unit in units if amount]
    return " ".join(shown[:2]) or "0 s"
