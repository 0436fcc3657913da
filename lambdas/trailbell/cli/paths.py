"""Where things stand on a laptop: in the checkout this command runs from, or inside an installed wheel.

A wheel carries what commands read in `shipped/`, laid out like a checkout (setup.py), and a compiled rulebook.
"""

from functools import cache
from pathlib import Path

from trailbell.engine.rulebook import Rulebook, load_rulebook
from trailbell.errors import SettingsError


_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]
_SHIPPED = _PACKAGE / "shipped"


def is_installed() -> bool:
    """Whether this is an installed wheel; an editable install is a checkout."""
    return _SHIPPED.is_dir()


def checkout(*needed: str) -> Path:
    """The root of the checkout. Raises SettingsError in an installed wheel, and where it lacks what is needed there."""
    if is_installed():
        raise SettingsError("this needs a checkout of trailbell: it is not part of the installed package")
    for name in needed:
        if not (_CHECKOUT / name).exists():
            message = f"{_CHECKOUT / name} is missing: run `make setup` in a checkout of trailbell"
            raise SettingsError(message)
    return _CHECKOUT


def product_root(*needed: str) -> Path:
    """The folder that holds rules/, tests/rules/ and docs/schema/: the checkout, or the wheel's copy of those."""
    return _SHIPPED if is_installed() else checkout(*needed)


def default_rules() -> Path:
    """The rules that ship with the product."""
    return product_root("rules") / "rules"


def default_cases() -> Path:
    """The cases of the rules that ship with the product."""
    return product_root("tests/rules") / "tests" / "rules"


def default_exceptions() -> Path:
    """The deployer's exceptions; an installed wheel has none, and the folder does not exist."""
    return product_root() / "exceptions"


@cache
def compiled_rulebook() -> Rulebook | None:
    """The product's rules compiled with the default settings, as the wheel carries them; None in a checkout.

    It loads without pySigma. A checkout compiles its rules each time, as somebody may have changed them.
    """
    return load_rulebook((_SHIPPED / "rulebook.json").read_text(encoding="utf-8")) if is_installed() else None
