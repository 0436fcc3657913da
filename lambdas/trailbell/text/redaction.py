"""A record as people may see it: all its members, with secrets replaced (text/secrets.py)."""

from collections.abc import Mapping
from typing import Any

from trailbell.text.safe_text import one_line
from trailbell.text.secrets import GONE, SECRET_MEMBERS, redacted


_MAX_TEXT = 4096
_MAX_DEPTH = 50  # no request of AWS is half as deep
_PLAIN = str.maketrans("", "", "-_")


def redacted_record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a record in which secrets are `[redacted]` and all text is harmless to show.

    A member that holds secrets loses its whole content, but an encryption context keeps its names: they tell which
    data a key protected. Access key ids keep their last four characters.
    """
    return {one_line(name): _member(name, value) for name, value in fields.items()}


def shown_record(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with nothing left out, made harmless to show."""
    return {one_line(name): _harmless(value) for name, value in fields.items()}


def _member(name: str, value: Any, depth: int = 0) -> Any:
    plain = name.translate(_PLAIN).lower()
    if plain in SECRET_MEMBERS and value not in (None, "", {}, []):
        if isinstance(value, Mapping) and plain in ("encryptioncontext", "credentials"):
            return {
                one_line(inner): _member(inner, each) if inner == "accessKeyId" else GONE
                for inner, each in value.items()
            }
        return GONE
    return _value(value, depth)


def _value(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, Mapping):
        return {one_line(name): _member(name, inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_value(inner, depth + 1) for inner in value]
    return one_line(redacted(value), _MAX_TEXT) if isinstance(value, str) else value


def _harmless(value: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return "[nested too deeply]"
    if isinstance(value, Mapping):
        return {one_line(name): _harmless(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_harmless(inner, depth + 1) for inner in value]
    return one_line(value, _MAX_TEXT * 16) if isinstance(value, str) else value
