"""A console for commands that draw while they work; tables are drawn without it (table.py)."""

from rich.console import Console

from trailbell.cli.terminal.screen import terminal_width


_PIPE_WIDTH = 100_000  # nothing is folded


def console() -> Console:
    """A console that honours NO_COLOR and does not fold lines in a pipe."""
    return Console(width=terminal_width() or _PIPE_WIDTH, highlight=False, markup=False)
