"""Policy statements read by themselves: the second line, which also knows the Condition that moto passes over."""

import re
from collections.abc import Sequence
from typing import Any


Template = dict[str, Any]
Statement = dict[str, Any]

ROLES = ("Detector", "Notifier")


def listed(value: Any) -> list[Any]:
    """A value that a policy may hold bare or in a list, as a list."""
    return value if isinstance(value, list) else [value]


def granted(statements: Sequence[Statement], action: str, resource: str, leading_key: str = "") -> bool:
    """Whether Allow statements cover a call; the second line. Knows Allow, wildcards and dynamodb:LeadingKeys only."""
    return any(_covers(statement, action, resource, leading_key) for statement in statements)


def _covers(statement: Statement, action: str, resource: str, leading_key: str) -> bool:
    assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
    assert statement["Effect"] == "Allow"
    keys = listed(statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", "*"))
    return (
        action in listed(statement["Action"])
        and any(_like(pattern, resource) for pattern in listed(statement["Resource"]))
        and (not leading_key or any(_like(pattern, leading_key) for pattern in keys))
    )


def _like(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def less(statements: Sequence[Statement], action: str, resource: object) -> list[Statement]:
    """The statements without one action on one resource."""
    kept = []
    for statement in statements:
        if statement["Resource"] == resource:
            statement = {**statement, "Action": [one for one in listed(statement["Action"]) if one != action]}
        if statement["Action"]:
            kept.append(statement)
    return kept
