"""What a newcomer reads first: the help of every command, in a terminal of 80 columns."""

import re
from collections import defaultdict
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from trailbell.cli.main import cli


WIDTH = 80
RARE = {"--event", "--format", "--to"}  # of an event or of a call; of each command's forms; of a time or an address


def commands(command: click.Command, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield names, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*names, name))


ALL = dict(commands(cli))


def options(command: click.Command) -> list[click.Option]:
    return [option for option in command.params if isinstance(option, click.Option)]


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_help_fits_and_is_whole(names: tuple[str, ...]) -> None:
    """A line that wraps is read twice, and an example that wraps cannot be copied; "..." hides what a command does."""
    result = CliRunner().invoke(cli, [*names, "--help"], prog_name="trailbell", terminal_width=WIDTH)

    assert result.exit_code == 0
    assert [line for line in result.output.splitlines() if len(line) > WIDTH] == []
    for inner in getattr(ALL[names], "commands", ()):
        (said,) = re.findall(rf"^  {inner}  +(\S.*)$", result.output, re.MULTILINE)
        assert not said.endswith("...")


def test_every_command_is_listed_once() -> None:
    """One that is in no section, or in two, is looked for in the wrong place."""
    output = CliRunner().invoke(cli, ["--help"], prog_name="trailbell", terminal_width=WIDTH).output
    listed = re.findall(r"^  ([a-z]+)  ", output, re.MULTILINE)

    assert sorted(listed) == sorted(cli.commands)


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_option_says_what_it_does(names: tuple[str, ...]) -> None:
    """An option without help is one that only its author gives; TEXT and RANGE say nothing of what to give."""
    for option in options(ALL[names]):
        metavar = "" if option.is_flag else option.make_metavar(click.Context(ALL[names]))

        assert option.help, option.opts
        assert "RANGE" not in metavar, option.opts
        assert metavar != "TEXT" or "--note" in option.opts, option.opts


def test_an_option_is_shown_alike_wherever_it_is() -> None:
    """Learned once, known everywhere."""
    shown: dict[str, set[str]] = defaultdict(set)
    for command in ALL.values():
        for option in options(command):
            for name in () if option.is_flag else option.opts:
                shown[name].add(option.make_metavar(click.Context(command)))

    assert {name for name, metavars in shown.items() if len(metavars) > 1} == RARE
