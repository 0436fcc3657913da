"""Options that a command gets as one argument: a dataclass or named tuple with a field for each."""

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any


Command = Callable[..., Any]


def option_group(argument: str, kind: type, *options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """A decorator that adds options (or arguments), in this order, and passes them on as one `kind` by one name.

    kind: a dataclass or a named tuple, of which every field is the name of a parameter among the options.
    """
    names = getattr(kind, "_fields", None) or [field.name for field in fields(kind)]

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def command_with_group(*arguments: Any, **named: Any) -> Any:
            members = {name: named.pop(name) for name in names}
            return command(*arguments, **named, **{argument: kind(**members)})

        decorated: Command = command_with_group
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate
