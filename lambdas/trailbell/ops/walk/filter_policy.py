"""A subscription's filter policy as SNS applies it to a message's attributes.

A policy of the scope MessageBody, and operators that are not known here, are not decided: None. Attributes of alerts
are single strings.
https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
https://docs.aws.amazon.com/sns/latest/dg/attribute-key-matching.html
https://docs.aws.amazon.com/sns/latest/dg/and-or-logic.html
"""

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any


Decision = bool | None


def accepts(policy: str, scope: str, attributes: Mapping[str, str]) -> Decision:
    """Whether a subscription with a filter policy (JSON, "" for none) gets a message; None where that is not known."""
    if not policy:
        return True
    if scope == "MessageBody":
        return None
    try:
        conditions = json.loads(policy)
    except ValueError:
        return None
    return _all_of(conditions, attributes) if isinstance(conditions, dict) else None


def is_about(policy: str, name: str) -> bool:
    """Whether a policy asks for one attribute alone: `kind` is what canaries have, and no alert."""
    try:
        conditions = json.loads(policy)
    except ValueError:
        return False
    return isinstance(conditions, dict) and conditions.keys() == {name}


def _all_of(conditions: Mapping[str, Any], attributes: Mapping[str, str]) -> Decision:
    decisions = []
    for name, wanted in conditions.items():
        if name == "$or" and isinstance(wanted, list):
            decisions.append(_any(_all_of(one, attributes) if isinstance(one, dict) else None for one in wanted))
        else:
            decisions.append(_one_of(wanted, attributes.get(name)))
    return False if False in decisions else None if None in decisions else True


def _one_of(wanted: Any, value: str | None) -> Decision:
    if not isinstance(wanted, list):
        return None
    return _any(_holds(one, value) for one in wanted)


def _any(decisions: Iterable[Decision]) -> Decision:
    found = list(decisions)
    return True if True in found else None if None in found else False


def _holds(condition: Any, value: str | None) -> Decision:
    """Whether one value of a policy takes an attribute's value; None stands for an attribute that is not there."""
    if isinstance(condition, dict) and len(condition) == 1:
        ((operator, operand),) = condition.items()
        if operator == "exists" and isinstance(operand, bool):
            return (value is not None) is operand
        if operator == "anything-but":
            return _anything_but(operand, value)
        if operator in _OPERATORS and isinstance(operand, str):
            return value is not None and _OPERATORS[operator](value, operand)
        return None
    if isinstance(condition, str):
        return value == condition
    return None if value is not None else False  # numbers, truth values and null are for attributes of other types


def _anything_but(operand: Any, value: str | None) -> Decision:
    if value is None:
        return False
    if isinstance(operand, dict):
        held = _holds(operand, value)
        return None if held is None else not held
    excluded = operand if isinstance(operand, list) else [operand]
    if not all(isinstance(one, str) for one in excluded):
        return None
    return value not in excluded


def _in_network(value: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(network)
    except ValueError:
        return False


def _wildcard(value: str, pattern: str) -> bool:
    """`*` alone is special in SNS; fnmatch knows more, which is taken as it is written."""
    plain = "".join(f"[{char}]" if char in "?[" else char for char in pattern)
    return fnmatchcase(value, plain)


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda value, operand: value.lower() == operand.lower(),
    "wildcard": _wildcard,
    "cidr": _in_network,
}
