"""Where things stand on a laptop: the checkout this command was installed from, and what it keeps there."""

from pathlib import Path

from trailbell.errors import SettingsError


_CHECKOUT = Path(__file__).resolve().parents[3]


def checkout(*needed: str) -> Path:
    """The root of the checkout. Raises SettingsError when it lacks what is needed there."""
    for name in needed:
        if not (_CHECKOUT / name).exists():
            message = f"{_CHECKOUT / name} is missing: run `make setup` in a checkout of trailbell"
            raise SettingsError(message)
    return _CHECKOUT


def default_rules() -> Path:
    """The rules that ship with the product."""
    return checkout("rules") / "rules"


def default_cases() -> Path:
    """The cases of the rules that ship with the product."""
    return checkout("tests/rules") / "tests" / "rules"
