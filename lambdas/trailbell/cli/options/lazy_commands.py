"""Commands that are imported when they are asked for, and say what they lack where an extra is not installed.

pySigma, boto3 and the rest take a second, which a shell that completes does not have.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click

from trailbell.cli.options.extras import missing_extra
from trailbell.errors import SettingsError


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of a group by name, for click; `places` says where each is: module:attribute."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places
        self._taken = dict[str, click.Command]()

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._taken:
            self._taken[name] = _imported(name, self._places[name])
        return self._taken[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._taken[name] = command

    def __delitem__(self, name: str) -> None:
        del self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self._places, *self._taken)))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _imported(name: str, place: str) -> click.Command:
    module, _, attribute = place.partition(":")
    try:
        command = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        advice = missing_extra(error)
        if not advice:
            raise
        return _lacking(name, advice)
    assert isinstance(command, click.Command)
    return command


def _lacking(name: str, advice: str) -> click.Command:
    """A command that takes whatever it is given and says what is not installed; in the help of its group, too."""

    @click.command(
        name,
        short_help=f"Not installed: {advice}",
        context_settings={"ignore_unknown_options": True},
        add_help_option=False,
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def lacking(arguments: tuple[str, ...]) -> None:
        raise SettingsError(advice)

    return lacking
