"""The option --format of every command that has one."""

from collections.abc import Callable, Sequence

import click

from trailbell.cli.options.account import Command


def form_option(forms: Sequence[str]) -> Callable[[Command], Command]:
    """The option, which the command gets as `form`; the first of the forms is its default."""

    def decorate(command: Command) -> Command:
        return click.option(
            "--format",
            "form",
            type=click.Choice(forms),
            default=forms[0],
            show_default=True,
            help="How the output is written.",
        )(command)

    return decorate
