"""What standard output is: a terminal of some width that takes colours, or a pipe."""

import os
import shutil
import sys

import click

from trailbell.cli.terminal.table import Paint


_LEAST_WIDTH = 20


def terminal_width() -> int | None:
    """The terminal's columns ($COLUMNS wins), None for a pipe or a file, where nothing is to be cut."""
    return max(shutil.get_terminal_size().columns, _LEAST_WIDTH) if sys.stdout.isatty() else None


def painter() -> Paint:
    """Colours for a terminal; none in a pipe, with NO_COLOR (https://no-color.org), or on a terminal without any."""
    takes = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return _painted if takes else lambda text, style: text


def _painted(text: str, style: str) -> str:
    words = style.split()
    colour = next((word for word in words if word not in ("bold", "dim")), None)
    return click.style(text, fg=colour, bold="bold" in words, dim="dim" in words) if words else text
