"""Where the product's own files are: in the checkout this package runs from, or inside an installed wheel.

A wheel carries what commands read in `shipped/`, laid out like a checkout (setup.py).
"""

from pathlib import Path


_PACKAGE = Path(__file__).resolve().parents[1]

SOURCES = _PACKAGE.parent
"""The folder that holds the package."""

CHECKOUT = SOURCES.parent
"""The root of the checkout; of no use in an installed wheel."""

SHIPPED = _PACKAGE / "shipped"
"""The wheel's copy of rules/, tests/rules/, docs/schema/ and the functions' lock, and rulebook.json."""


def is_installed() -> bool:
    """Whether this is an installed wheel; an editable install is a checkout."""
    return SHIPPED.is_dir()


def product_root() -> Path:
    """The folder below which rules/, tests/rules/ and docs/schema/ are."""
    return SHIPPED if is_installed() else CHECKOUT
