"""The rulebook of a construct: compiled from its rules and exceptions for its settings."""

from datetime import UTC, datetime
from pathlib import Path

from trailbell.engine.rulebook import Rulebook
from trailbell.rulebook.build import build_rulebook
from trailbell.rulebook.product import product_root

from .settings import Settings


def rulebook_of(settings: Settings, rules: Path | None, exceptions: Path | None) -> tuple[Rulebook, tuple[str, ...]]:
    """The rulebook, and a message for each exception that has expired.

    rules: default those that come with trailbell. exceptions: default none.
    Raises RuleError with every fault, one a line.
    """
    folders = rules or product_root() / "rules", exceptions
    today = datetime.now(UTC).date()
    return build_rulebook(*folders, settings.placeholders, today, settings.alert_on, settings.account_names)
