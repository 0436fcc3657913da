"""Placeholders: names in rules (`|expand: '%trusted_accounts%'`) that the deployer's settings fill at synth."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailbell.cloudtrail.event_source import TWINS
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
    "trails": (r"[A-Za-z0-9._*-]{1,128}", "names of trails; * stands for any characters"),
    "trail_prefixes": (r"\S*", "key prefixes without a slash at either end"),
    "deployer_roles": (_ARN, "ARNs of IAM roles or users; * stands for any characters"),
}
NAMES = tuple(_KNOWN)
"""The settings that are placeholders, in the order of the documentation."""

STACK_NAME = "trailbell"
"""Of the alerting stack; every resource's name begins with it."""

DEPLOYER_ROLES = (
    "arn:*:iam::*:role/cdk-hnb659fds-deploy-role-*",
    "arn:*:iam::*:role/cdk-hnb659fds-cfn-exec-role-*",
)
"""What `cdk bootstrap` makes and `cdk deploy` works with, unless told otherwise.

https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
"""


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


def with_our_own(placeholders: Placeholders, settings: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The trail that is read, and this stack with its deployer, are among those the rules guard.

    settings: the others, by name, of which trail_bucket, trail_key_arn and trail_prefix are looked at. Of an
    existing trail the name is not known unless `trails` gives it, so each may be the one.
    """
    bucket = settings.get("trail_bucket") or ""
    ours: dict[str, tuple[str, ...]] = {
        "trail_buckets": (bucket,) if bucket else (),
        "trail_keys": (settings["trail_key_arn"],) if settings.get("trail_key_arn") else (),
        "own_resources": (STACK_NAME,),
        "trail_prefixes": (settings.get("trail_prefix") or "",),
    }
    instead = {"trails": ("*",) if bucket else (STACK_NAME,), "deployer_roles": DEPLOYER_ROLES}
    values = {name: placeholders.get(name, ()) for name in NAMES}
    for name, own in ours.items():
        values[name] = tuple(dict.fromkeys((*values[name], *own)))
    return values | {name: values[name] or default for name, default in instead.items()}


def known_operations(rules: Path) -> dict[str, tuple[str, ...]]:
    """`operations_<service>` → every operation that coverage.csv classes for that event source; none without it.

    Raises RuleError if coverage.csv lacks columns or cannot be read.
    """
    found: dict[str, list[str]] = {}
    for source, operation in _classed(rules):
        service = source.partition(".")[0].replace("-", "_")
        found.setdefault(f"operations_{service}", []).append(operation)
    return {name: tuple(operations) for name, operations in found.items()}


def watched_sources(rules: Path) -> frozenset[str]:
    """The event sources whose operations coverage.csv classes; none without it. Raises as known_operations does."""
    classed = frozenset(source for source, _ in _classed(rules))
    return classed | {twin for source, twin in TWINS.items() if source in classed}


def coverage_folder(rules: Path) -> Path | None:
    """Where coverage.csv stands: the folder of the rules or one of the two above it."""
    folders = (rules, *rules.resolve().parents)[:3]
    return next((folder for folder in folders if (folder / "coverage.csv").is_file()), None)


def _classed(rules: Path) -> Iterator[tuple[str, str]]:
    folder = coverage_folder(rules)
    if folder is None:
        return
    coverage = folder / "coverage.csv"
    try:
        with coverage.open(encoding="utf-8", newline="") as stream:
            table = csv.DictReader(stream, restval="")
            if not {"eventSource", "operation"} <= set(table.fieldnames or ()):
                raise RuleError(f"{coverage}: needs the columns eventSource and operation")
            for row in table:
                yield row["eventSource"], row["operation"]
    except (csv.Error, UnicodeDecodeError) as error:
        raise RuleError(f"{coverage}: is no table of operations: {error}") from None
