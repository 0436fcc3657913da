"""What standard output is: a terminal of some width that takes colours, or a pipe."""

import os
import sys

import click

from trailbell.cli.terminal.table import Paint


_LEAST_WIDTH = 20
_USUAL_WIDTH = 80


def terminal_width() -> int | None:
    """The terminal's columns ($COLUMNS wins), None for a pipe or a file, where nothing is to be cut."""
    if not sys.stdout.isatty():
        return None
    given = os.environ.get("COLUMNS", "")
    try:
        return max(int(given) if given.isdecimal() else os.get_terminal_size(sys.stdout.fileno()).columns, _LEAST_WIDTH)
    except OSError:
        return _USUAL_WIDTH


def painter() -> Paint:
    """Colours for a terminal; none in a pipe, with NO_COLOR (https://no-color.org), or on a terminal without any."""
    takes = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return _painted if takes else lambda text, style: text


def _painted(text: str, style: str) -> str:
    words = style.split()
    colour = next((word for word in words if word not in ("bold", "dim")), None)
    return click.style(text, fg=colour, bold="bold" in words, dim="dim" in words) if words else text
