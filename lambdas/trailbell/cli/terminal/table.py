"""Tables that fit the terminal they are printed on, all in one way; in a pipe each column is as wide as what it holds.

What gives way where there is no room, in this order: dates lose their year and seconds, levels are abbreviated; names
of rules and actors are cut in their middle, as far as they can still be told, and sentences are broken into lines;
date, state and level are left out, which is said below; at last a row takes several lines, and all of it is there,
whole. The answer (call, resource, account) is always whole.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


GAP = 2
_SHORT_LEVELS = {"informational": "info", "critical": "crit", "medium": "med"}
_DATE = re.compile(r"\d{4}-(\d\d-\d\d \d\d:\d\d):\d\d")
_TIMES = ("time", "first", "last", "when")
_GIVING_WAY = ("time", "state", "level")
_CUT = {"rule": 20, "name": 20, "actor": 28, "person": 28}
"""Columns whose cells are cut in the middle, and to how few characters at least."""
_WHOLE = frozenset(
    "id call resource account region count alerts muted undo index ruleId indices level state day days status verdict"
    " digests chain records rules file".split()
)
"""Columns whose cells are neither cut nor broken; all others, but times and those that are cut, hold sentences."""
_PEOPLE = ("actor", "person")
"""Columns whose cells end with what says most: who it was behind a role."""
_SENTENCE = 18
_ELLIPSIS = "…"


class Cell(NamedTuple):
    """A cell's text, and how it looks on a terminal: words such as "bold red"."""

    text: str
    style: str = ""


Row = Sequence[str | Cell]
Paint = Callable[[str, str], str]
"""From a text and its style to what the terminal is given."""


def _width(text: str) -> int:
    """How many columns of a terminal a text takes: some letters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # here, as it has tables of all characters

    return cell_len(text)


@dataclass(slots=True)
class _Column:
    name: str
    cells: list[Cell]
    width: int = 0
    natural: int = 0

    @property
    def kind(self) -> str:
        """time, or the name itself."""
        first = self.name.partition(" ")[0]
        return "time" if first in _TIMES else self.name

    @property
    def is_sentence(self) -> bool:
        return self.kind != "time" and self.kind not in _CUT and self.kind not in _WHOLE

    def measure(self, steady: Mapping[str, int]) -> None:
        longest = max((_width(cell.text) for cell in self.cells), default=0)
        self.width = self.natural = max(steady.get(self.kind, longest), _width(self.name))

    def shorten(self) -> None:
        """A date without year and seconds; an abbreviated level."""
        if self.kind == "time":
            self.cells = [cell._replace(text=_DATE.sub(r"\1", cell.text)) for cell in self.cells]
        elif self.kind == "level":
            self.cells = [cell._replace(text=_SHORT_LEVELS.get(cell.text, cell.text)) for cell in self.cells]


def table_lines(
    columns: Sequence[str],
    rows: Iterable[Row],
    width: int | None,
    paint: Paint,
    *,
    head: bool = True,
    steady: Mapping[str, int] | None = None,
) -> tuple[list[str], list[str]]:
    """The lines of a table, and the names of the columns that are left out for want of room.

    width: the terminal's, None for a pipe. steady: widths of columns that hold whatever stands in them, for a table
    that is printed piece by piece.
    """
    cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    laid = [_Column(name, [row[at] for row in cells]) for at, name in enumerate(columns)]
    for column in laid:
        column.measure(steady or {})
    bands, left_out = ([laid], []) if width is None else _fitted(laid, width, steady or {})
    lines = _band_lines(bands, [Cell(column.name, "bold") for column in laid], laid, paint) if head else []
    for number in range(len(cells)):
        lines += _band_lines(bands, [column.cells[number] for column in laid], laid, paint)
    return lines, left_out


def _fitted(laid: list[_Column], width: int, steady: Mapping[str, int]) -> tuple[list[list[_Column]], list[str]]:
    """The columns of each line of a row, with their widths, and what is left out."""
    whole = [column.cells for column in laid]
    if _missing(laid, width) > 0:
        for column in laid:
            column.shorten()
            column.measure({name: least for name, least in steady.items() if name not in ("time", "level")})
    _narrow(laid, width)
    shown = list(laid)
    for kind in _GIVING_WAY:
        if _missing(shown, width) > 0:
            shown = [column for column in shown if column.kind != kind]
    if _missing(shown, width) <= 0:
        return [shown], [column.name for column in laid if column not in shown]
    for column, cells in zip(laid, whole, strict=True):
        column.cells = cells
        column.measure(steady)
    return _in_bands(laid, width), []


def _missing(columns: Sequence[_Column], width: int) -> int:
    return sum(column.width + GAP for column in columns) - GAP - width


def _narrow(columns: Sequence[_Column], width: int) -> None:
    """Take what is missing from the widest columns that can give, down to what can still be read."""
    giving = [column for column in columns if column.kind in _CUT or column.is_sentence]
    while (missing := _missing(columns, width)) > 0:
        wide = [(column.width - _least(column), column) for column in giving]
        spare, widest = max(wide, key=lambda entry: (entry[0], entry[1].width), default=(0, None))
        if spare <= 0 or widest is None:
            return
        second = max((room for room, column in wide if column is not widest), default=0)
        widest.width -= max(min(missing, spare, spare - second), 1)


def _least(column: _Column) -> int:
    return max(_CUT.get(column.kind, _SENTENCE), _width(column.name))


def _in_bands(laid: Sequence[_Column], width: int) -> list[list[_Column]]:
    """Columns over several lines, each as full as it gets; what is wider than a line is broken."""
    bands: list[list[_Column]] = [[]]
    for column in laid:
        room = width - GAP * bool(len(bands) > 1 or bands[0])
        column.width = min(column.natural, room)
        if bands[-1] and _missing([*bands[-1], column], width - (GAP if len(bands) > 1 else 0)) > 0:
            bands.append([])
        bands[-1].append(column)
    return bands


def _band_lines(
    bands: Sequence[Sequence[_Column]], row: Sequence[Cell], laid: Sequence[_Column], paint: Paint
) -> list[str]:
    """A row's lines; those of its second band on are indented."""
    of = dict(zip(map(id, laid), row, strict=True))
    lines = []
    for number, band in enumerate(bands):
        parts = [(column, of[id(column)].style, _broken(column, of[id(column)].text)) for column in band]
        for at in range(max((len(texts) for _, _, texts in parts), default=0)):
            pieces = []
            for place, (column, style, texts) in enumerate(parts):
                text = texts[at] if at < len(texts) else ""
                padding = "" if place == len(parts) - 1 else " " * (column.width - _width(text) + GAP)
                pieces.append((paint(text, style) if text else "") + padding)
            lines.append((" " * GAP * bool(number) + "".join(pieces)).rstrip(" "))
    return lines


def _broken(column: _Column, text: str) -> list[str]:
    """A cell's lines, none wider than its column."""
    if _width(text) <= column.width:
        return [text]
    if column.kind in _CUT:
        tail = (column.width - 1) * 2 // 3 if column.kind in _PEOPLE else (column.width - 1) // 2
        return [text[: _fitting(text, column.width - 1 - tail)].rstrip() + _ELLIPSIS + _end(text, tail)]
    if text.isascii():
        import textwrap  # here, as most cells fit

        return textwrap.wrap(text, max(column.width, 1), break_on_hyphens=False)
    lines = []
    while text:
        taken = _fitting(text, column.width)
        lines.append(text[:taken])
        text = text[taken:]
    return lines


def _end(text: str, width: int) -> str:
    return text[len(text) - _fitting(text[::-1], width) :]


def _fitting(text: str, width: int) -> int:
    """How many characters fit, at least one."""
    used = 0
    for number, char in enumerate(text):
        used += _width(char)
        if used > width:
            return max(number, 1)
    return len(text)
