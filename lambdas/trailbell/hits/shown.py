"""What a rule shows of a record beside who and what: the telling parameters, redacted, as short texts.

A rule names them under `shows`: a label, and the path of a member of the record below requestParameters,
responseElements, additionalEventData or serviceEventDetails; a fact (`facts.external_accounts`); or what the policy in
the request says, `policy.allows` and `policy.denies`. Of several paths the first that has a value counts. What is
missing, or hidden by AWS, is not shown.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailbell.cloudtrail.record import Record, names_of
from trailbell.facts.policy_text import policy_allows, policy_denies
from trailbell.text.redaction import redacted_member
from trailbell.text.safe_text import one_line, unlinked
from trailbell.text.secrets import names_secret


if TYPE_CHECKING:  # a hit that is read from its row needs none
    from trailbell.facts.facts import Facts


Shows = tuple[tuple[str, tuple[str, ...]], ...]
Shown = tuple[tuple[str, str], ...]

SECTIONS = frozenset({"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"})
POLICY = frozenset({"policy.allows", "policy.denies"})

MAX_SHOWN = 12
"""Rows of a hit."""

_MAX_VALUE = 300
_MAX_LABEL = 24
_MAX_ITEMS = 20
_MAX_LAYERS = 8
_MAX_JSON = 16_384
_NESTED = (dict, list)
_HIDDEN = ("HIDDEN_DUE_TO_SECURITY_REASONS", "Value hidden due to security reasons.", "[redacted]")


def unknown_show(path: str, facts: Sequence[str]) -> bool:
    """Whether nothing can ever be shown of a path, or it may hold a secret. facts: the names of those that exist."""
    head, _, rest = path.partition(".")
    if head in SECTIONS:
        return not rest or names_secret(rest)
    return path not in POLICY and path not in facts


def shown_of(shows: Shows, record: Record, facts: "Facts", known: Mapping[str, Any] | None = None) -> Shown:
    """Label and value of each that the record has, at most MAX_SHOWN. Total: odd records show less.

    known: what rules see of the facts, where it was made already.
    """
    if not shows:
        return ()
    if known is None:
        known = facts.fields()
    found = [(label, text) for label, paths in shows if (text := _first_text(paths, record, known))]
    return tuple([(_label(label), value) for label, value in found[:MAX_SHOWN]])


@lru_cache(1024)  # those that rules give
def _label(given: str) -> str:
    return one_line(given, _MAX_LABEL)


def _first_text(paths: Sequence[str], record: Record, facts: Mapping[str, Any]) -> str:
    """What is shown of the first path that has anything to show; "" if none has."""
    for path in paths:
        names = names_of(path)
        if path in POLICY:
            value: Any = "; ".join(policy_allows(record) if names[-1] == "allows" else policy_denies(record))
        elif names[0] == "facts":
            value = _walk(facts, names[1:])
        else:
            value = _walk(record.fields, names)
            if value is None:
                continue
            value = redacted_member(names[-1], _read(value))
        if text := one_line(unlinked(_text(value)), _MAX_VALUE):
            return text
    return ""


def _walk(value: Any, names: Sequence[str]) -> Any:
    """The value at a path; of a list the values of its items, a single one alone."""
    for at, name in enumerate(names):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list):
            items = [_walk(item, names[at:]) for item in value[:_MAX_ITEMS]]
            items = [item for item in items if item not in (None, "", [])]
            return (items[0] if len(items) == 1 else items) if items else None
        else:
            return None
    return value


def _read(value: Any) -> Any:
    """A text on one line; what is JSON in a text as the value that it is."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    if line[:1] in ("{", "[") and len(line) <= _MAX_JSON:
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            return line
    return line


def _text(value: Any, layer: int = 0) -> str:
    """A value as a reader writes it: no braces, no quotes."""
    if layer > _MAX_LAYERS:
        return "..."
    if isinstance(value, str):
        return "" if (text := " ".join(value.split())) in _HIDDEN else text
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):  # not Mapping, as JSON's objects are dicts
        parts = [(name, _text(inner, layer + 1)) for name, inner in list(value.items())[:_MAX_ITEMS]]
        return ", ".join([f"{name} {inner}" for name, inner in parts if inner]) if value else "none"
    if isinstance(value, list):
        if not value:
            return "none"
        joint = "; " if any(isinstance(item, _NESTED) for item in value) else ", "
        more = [f"... and {len(value) - _MAX_ITEMS} more"] if len(value) > _MAX_ITEMS else []
        return joint.join([*filter(None, [_text(item, layer + 1) for item in value[:_MAX_ITEMS]]), *more])
    text = " ".join(str(value).split())
    return "" if text in _HIDDEN else text
