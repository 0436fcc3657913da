"""Where things stand on a laptop: in the checkout this command runs from, or inside an installed wheel."""

from functools import cache
from pathlib import Path

from trailbell.engine.rulebook import Rulebook, load_rulebook
from trailbell.errors import SettingsError
from trailbell.rulebook.product import CHECKOUT, SHIPPED, is_installed


def checkout(*needed: str) -> Path:
    """The root of the checkout. Raises SettingsError in an installed wheel, and where it lacks what is needed there."""
    if is_installed():
        raise SettingsError("this needs a checkout of trailbell: it is not part of the installed package")
    for name in needed:
        if not (CHECKOUT / name).exists():
            message = f"{CHECKOUT / name} is missing: run `make setup` in a checkout of trailbell"
            raise SettingsError(message)
    return CHECKOUT


def default_rules() -> Path:
    """The rules that ship with the product."""
    return _product("rules")


def default_cases() -> Path:
    """The cases of the rules that ship with the product."""
    return _product("tests/rules")


def default_exceptions() -> Path:
    """The deployer's exceptions; an installed wheel has none, and the folder does not exist."""
    return (SHIPPED if is_installed() else checkout()) / "exceptions"


@cache
def compiled_rulebook() -> Rulebook | None:
    """The product's rules compiled with the default settings, as the wheel carries them; None in a checkout.

    It loads without pySigma. A checkout compiles its rules each time, as somebody may have changed them.
    """
    return load_rulebook((SHIPPED / "rulebook.json").read_text(encoding="utf-8")) if is_installed() else None


def _product(name: str) -> Path:
    return (SHIPPED if is_installed() else checkout(name)) / name
