"""Defaults of the user's own for `--profile`, `--stack` and `--tz`, from one TOML file.

    # ~/.config/trailbell/config.toml
    profile = "security-audit"
    stack = "trailbell-prod"
    tz = "Europe/Berlin"

The command line comes first, then the environment, then this file. It holds nothing else: a file that changed which
hits are asked for, or what is written, would make one command mean two things.
"""

import os
from pathlib import Path

from trailbell.cli.options.base_folders import base_folder
from trailbell.errors import SettingsError


PLACE = "TRAILBELL_CONFIG"
"""The variable that names another file."""

_NAMES = ("profile", "stack", "tz")


def config_file() -> Path:
    """Where the file is or would be: $TRAILBELL_CONFIG, or as the XDG base directories say (no relative paths)."""
    given = os.environ.get(PLACE, "")
    if given:
        return Path(given)
    return base_folder("XDG_CONFIG_HOME", ".config") / "config.toml"


def default_of(name: str) -> str:
    """What the file says of `profile`, `stack` or `tz`, "" for nothing or where there is no file.

    Raises SettingsError for a file that cannot be read, is no TOML, or says anything else.
    """
    path = config_file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if os.environ.get(PLACE):
            raise SettingsError(f"{path}, which {PLACE} names, does not exist") from None
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return _checked(path, text).get(name, "")


def _checked(path: Path, text: str) -> dict[str, str]:
    import tomllib  # here, as those who have no such file need it not

    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from None
    for name, value in given.items():
        if name not in _NAMES:
            raise SettingsError(f"{path}: {_unknown(name)}")
        if not isinstance(value, str) or not value:
            raise SettingsError(f'{path}: give {name} as text: {name} = "..."')
    return given


def _unknown(name: str) -> str:
    from difflib import get_close_matches  # here, for the same reason

    meant = get_close_matches(name, _NAMES, 1)
    return f"{name} is not known; " + (f"{meant[0]} was meant?" if meant else f"it takes {', '.join(_NAMES)}")
