"""Levels as people ask for them: `high`, `high+` for high and above, `low,critical` for either."""

from typing import TYPE_CHECKING

import click

from trailbell.engine.rulebook import Level


if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LevelsType(click.ParamType[tuple[str, ...]]):
    """Words of levels, weakest first."""

    name = "level[+]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words asked for; a usage error for one that is no level."""
        if isinstance(value, tuple):
            return value
        known = {level.word: level for level in Level}
        selection = set[Level]()
        for part in str(value).lower().split(","):
            word = part.strip().removesuffix("+")
            if word not in known:
                self.fail(
                    f"{part}: give {', '.join(known)}; with + for that and above, with commas for several", param, ctx
                )
            selection |= {
                level for level in Level if level == known[word] or (part.endswith("+") and level > known[word])
            }
        return tuple(level.word for level in sorted(selection))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        """Each level, and each with +."""
        from click.shell_completion import CompletionItem  # here, as only a shell that completes needs it

        words = [word for level in reversed(Level) for word in (level.word, level.word + "+")]
        return [CompletionItem(word) for word in words if word.startswith(incomplete.lower())]
