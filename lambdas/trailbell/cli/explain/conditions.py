"""A test of the rulebook in words, and what a record has in its place; both are one safe line."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from trailbell.engine.explanation import Part, Why
from trailbell.text.redaction import redacted_member, shown_record
from trailbell.text.safe_text import one_line
from trailbell.text.secrets import redacted


_MAX_TEXTS = 6
_MAX_TEXT = 120
_OPERATORS = {"eq": "", "lt": "below ", "lte": "at most ", "gt": "above ", "gte": "at least "}
_RELATIONS = {"eq": "is", "prefix": "begins with", "suffix": "ends with", "contains": "contains"}


def wanted_words(test: Sequence[Any]) -> str:
    """What a test wants: is one of kms.amazonaws.com, ssm.amazonaws.com."""
    kind, *arguments = test
    words = _WORDS.get(kind)
    return words(*arguments) if words else one_line(json.dumps(list(test)), _MAX_TEXT)


def has_words(part: Part, *, show_secrets: bool = False) -> str:
    """What the record has where a part looks, and why that is not what it wants: has "x": another value."""
    if part.kind == "keyword":
        near = part.near if show_secrets else redacted(part.near)
        return (
            ""
            if part.holds
            else "no value of the record is so" + (f", but for the case {_quoted(near)}" if near else "")
        )
    if not part.values_found:
        name = (
            f", but {one_line(part.near, _MAX_TEXT)}: a name is in its own case"
            if part.why is Why.OTHER_NAME_CASE
            else ""
        )
        return f"absent{name}"
    shown = ", ".join(shown_values(part, show_secrets=show_secrets)[:_MAX_TEXTS])
    more = f" and {part.values_found - _MAX_TEXTS} more" if part.values_found > _MAX_TEXTS else ""
    why = f": {part.why}" if part.why and part.why is not Why.PRESENT else ""
    return f"has {shown}{more}{why}"


def shown_values(part: Part, *, show_secrets: bool = False) -> list[str]:
    """What the record has, as text; secrets are replaced unless they are to be shown."""
    name = part.path.rpartition(".")[2]
    values: Iterable[Any] = part.values
    if show_secrets:
        return [_shown(shown_record({"value": value})["value"]) for value in values]
    return [_shown(redacted_member(name, value)) for value in values]


def _some(texts: Sequence[Any]) -> str:
    shown = ", ".join(_quoted(text) for text in texts[:_MAX_TEXTS])
    return shown + (f" and {len(texts) - _MAX_TEXTS} more" if len(texts) > _MAX_TEXTS else "")


def _quoted(text: Any) -> str:
    line = one_line(str(text), _MAX_TEXT)
    return line if line and " " not in line and "," not in line else f'"{line}"'


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return one_line(json.dumps(value, ensure_ascii=False, default=str), _MAX_TEXT)


def _relation(kind: str) -> Callable[..., str]:
    def words(text: str, cased: bool = False) -> str:
        return f"{_RELATIONS[kind]} {_quoted(text)}{_IN_CASE if cased else ''}"

    return words


def _one_of(texts: Sequence[str]) -> str:
    return f"is one of {_some(texts)}" if texts else "is one of none"


def _like(parts: Sequence[str | int], cased: bool = False) -> str:
    pattern = "".join(part if isinstance(part, str) else "*?"[part] for part in parts)
    return f"is like {_quoted(pattern)}{_IN_CASE if cased else ''}"


def _time_part(part: str, name: str, number: int) -> str:
    return f"is a time whose {part} is {_OPERATORS.get(name, name)}{number}"


def _pattern(pattern: str, flags: str = "") -> str:
    return f"matches the pattern {_quoted(pattern)}{f' (flags {flags})' if flags else ''}"


_IN_CASE = " (in this case)"
_WORDS: dict[str, Callable[..., str]] = {
    **{kind: _relation(kind) for kind in _RELATIONS},
    "in": _one_of,
    "glob": _like,
    "any": lambda: "has a value",
    "null": lambda: "is null or absent",
    "exists": lambda there: "is there" if there else "is absent",
    "number": lambda number: f"is {number}",
    "compare": lambda name, number: f"is {_OPERATORS.get(name, name)}{number}",
    "cidr": lambda network: f"is an address of {network}",
    "timepart": _time_part,
    "re": _pattern,
    "fieldref": lambda path, how: f"{_RELATIONS[how]} the value of {one_line(path, _MAX_TEXT)}",
}
