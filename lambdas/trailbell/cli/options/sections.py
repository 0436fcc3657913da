"""A group that lists its commands by what they are for, in an order of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import click


_OTHERS = "Others"
_BESIDE_A_NAME = 6  # the columns that click's list needs around a name


class Sections(click.Group):
    """sections: the names of commands under the words above them; those in none come last."""

    def __init__(self, *arguments: Any, sections: Mapping[str, Sequence[str]], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list for each section."""
        names = self.list_commands(ctx)
        placed = {name for section in self._sections.values() for name in section}
        others = [name for name in names if name not in placed]
        limit = formatter.width - _BESIDE_A_NAME - max(map(len, names))
        for title, section in {**self._sections, _OTHERS: others}.items():
            # All names of a column begin alike in all sections.
            rows = [(name.ljust(max(map(len, names))), self._what(ctx, name, limit)) for name in section]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def _what(self, ctx: click.Context, name: str, limit: int) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(limit) if command else ""
