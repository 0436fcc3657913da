"""Placeholders: names in rules (`|expand: '%trusted_accounts%'`) that the deployer's settings fill at synth."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailbell.errors import RuleError, SettingsError


Placeholders = Mapping[str, tuple[str, ...]]

_ACCOUNT = r"[0-9]{12}"
_ARN = r"arn:[^\s]+"

# Name → what each value looks like, and the words for it.
_KNOWN = {
    "trusted_accounts": (_ACCOUNT, "account ids of 12 digits"),
    "trail_buckets": (r"[a-z0-9.-]{3,63}", "bucket names"),
    "trail_keys": (_ARN, "ARNs of KMS keys"),
    "home_regions": (r"[a-z]{2,}(?:-[a-z]+)+-[0-9]", "regions such as eu-west-1"),
    "automation_roles": (_ARN, "ARNs of IAM roles; * stands for any characters"),
    "own_resources": (r"\S{3,}", "names or parts of names of the alerting stack's own resources"),
}
NAMES = tuple(_KNOWN)
"""The settings that are placeholders, in the order of the documentation."""


def read_placeholder(name: str, raw: Any) -> tuple[str, ...]:
    """One setting's values: a list, or text separated by commas. Raises ValueError saying what is allowed."""
    pattern, words = _KNOWN[name]
    values = [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else raw
    if not isinstance(values, list) or not all(isinstance(one, str) and re.fullmatch(pattern, one) for one in values):
        raise ValueError(f"a list of {words} (as text, in quotes)")
    return tuple(dict.fromkeys(values))


def read_placeholders(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Every placeholder setting, empty where none is given. Raises SettingsError with all faults."""
    values: dict[str, tuple[str, ...]] = {}
    faults = []
    for name in NAMES:
        try:
            values[name] = read_placeholder(name, given.get(name, []))
        except ValueError as fault:
            faults.append(f"setting {name} is {given[name]!r}; allowed: {fault}")
    if faults:
        raise SettingsError("\n".join(faults))
    return values


def known_operations(rules: Path) -> dict[str, tuple[str, ...]]:
    """`operations_<service>` → every operation that coverage.csv classes for that event source; none without it.

    coverage.csv is looked for in the folder of the rules and the two above it. Raises RuleError if it lacks columns
    or cannot be read.
    """
    folders = (rules, *rules.resolve().parents)[:3]
    coverage = next((folder / "coverage.csv" for folder in folders if (folder / "coverage.csv").is_file()), None)
    if not coverage:
        return {}
    found: dict[str, list[str]] = {}
    try:
        for row in _rows(coverage):
            service = row["eventSource"].partition(".")[0].replace("-", "_")
            found.setdefault(f"operations_{service}", []).append(row["operation"])
    except (csv.Error, UnicodeDecodeError) as error:
        raise RuleError(f"{coverage}: is no table of operations: {error}") from None
    return {name: tuple(operations) for name, operations in found.items()}


def _rows(coverage: Path) -> Iterator[dict[str, str]]:
    with coverage.open(encoding="utf-8", newline="") as stream:
        table = csv.DictReader(stream, restval="")
        if not {"eventSource", "operation"} <= set(table.fieldnames or ()):
            raise RuleError(f"{coverage}: needs the columns eventSource and operation")
        yield from table
