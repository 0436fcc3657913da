"""When a setting as AWS answers it is the one that a template declares: the same thing can be written in many ways."""

import json
import re
from collections.abc import Mapping
from typing import Any

from trailbell.ops.references import ANY


_ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")


def is_same(declared: Any, live: Any) -> bool:
    """Whether two values mean the same: order, numbers as text, JSON as text and empty members make no difference."""
    return _equal(_plain(declared), _plain(live))


def _equal(declared: Any, live: Any) -> bool:
    if declared == ANY:
        return True
    if isinstance(declared, str) and ANY in declared:
        pattern = ".*".join(map(re.escape, declared.split(ANY)))
        return isinstance(live, str) and re.fullmatch(pattern, live, re.DOTALL) is not None
    if isinstance(declared, dict) and isinstance(live, dict):
        return declared.keys() == live.keys() and all(_equal(value, live[key]) for key, value in declared.items())
    if isinstance(declared, list) and isinstance(live, list):
        return len(declared) == len(live) and _is_paired(declared, live)
    return bool(declared == live)


def _is_paired(declared: list[Any], live: list[Any]) -> bool:
    """Whether each declared member has one live member for itself; those that equal more than one choose last."""
    waiting = list(live)
    for member in sorted(declared, key=lambda member: repr(ANY)[1:-1] in repr(member)):
        found = next((other for other in waiting if _equal(member, other)), None)
        if found is None:
            return False
        waiting.remove(found)
    return True


def _plain(value: Any) -> Any:
    """One way to write a value: no empty members, JSON parsed, a list of one as that one, numbers as text."""
    match value:
        case str():
            return _from_text(value)
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:g}" if float(value).is_integer() is False else str(int(value))
        case Mapping():
            members = {str(key): _plain(member) for key, member in value.items()}
            return {key: member for key, member in members.items() if member is not None} or None
        case list() | tuple():
            found = [member for member in map(_plain, value) if member is not None]
            return found[0] if len(found) == 1 else found or None
    return value


def _from_text(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return _plain(json.loads(text))
        except ValueError:
            return text
    try:
        return _plain(float(text)) if re.fullmatch(r"-?\d{1,15}(\.\d+)?", text) else text or None
    except OverflowError:
        return text


def statement(value: Mapping[str, Any]) -> dict[str, Any]:
    """A statement of a policy in one way to write it: its Sid left out, principals and actions as AWS compares them."""
    found = {key: member for key, member in value.items() if key != "Sid"}
    for name in ("Action", "NotAction"):
        if name in found:
            given = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [str(action).lower() for action in given]
    for name in ("Principal", "NotPrincipal"):
        if name in found:
            found[name] = _principal(found[name])
    return found


def _principal(value: Any) -> Any:
    """ "*" is every principal of AWS, and an account's number is its root.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if value == "*":
        return {"AWS": "*"}
    if not isinstance(value, Mapping):
        return value
    accounts = value.get("AWS")
    given = accounts if isinstance(accounts, list) else [accounts]
    plain = [found[1] if (found := _ROOT.fullmatch(str(name))) else name for name in given]
    return {**value, "AWS": plain} if "AWS" in value else value
