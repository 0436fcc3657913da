"""A setting as a deployer gives it, in cdk.json or with `-c name=value`, and the ways to read one.

A reader takes what was given and returns the value, or raises ValueError whose message says what is allowed. It reads
text as well as JSON's types: the command line gives text only.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from trailbell.engine.rulebook import Level
from trailbell.lazy_dataclass import dataclass


LEVELS = tuple(level.word for level in Level)
"""Sigma's levels, weakest first."""

DEFAULT_LEVEL = Level.MEDIUM.word  # below that a hit is for asking, not for notifying

Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a channel.

    default:  as it stands in cdk.json.
    read:     what was given → the value; raises ValueError with what is allowed.
    about:    what it does, for docs/settings.md: Markdown, a line for each paragraph.
    examples: arguments of `npx cdk deploy`, such as "-c chat_topic=high".
    secret:   a refused value may be a secret that was given by mistake: the message does not repeat it.
    """

    name: str
    default: Any
    read: Reader
    about: str
    examples: tuple[str, ...]
    secret: bool = False


def matching(pattern: str, allowed: str) -> Callable[[Any], str]:
    """A reader of text that matches a pattern as a whole, or is empty."""

    def read(raw: Any) -> str:
        if not isinstance(raw, str) or (raw and not re.fullmatch(pattern, raw, re.ASCII)):
            raise ValueError(allowed)
        return raw

    return read


def one_of(*choices: str) -> Callable[[Any], str]:
    """A reader of one word of several."""

    def read(raw: Any) -> str:
        if raw not in choices:
            raise ValueError(" or ".join(choices))
        return str(raw)

    return read


def boolean(raw: Any) -> bool:
    """Read true or false."""
    words = {"true": True, "false": False}
    if isinstance(raw, bool) or str(raw).lower() in words:
        return raw if isinstance(raw, bool) else words[str(raw).lower()]
    raise ValueError("true or false")


def level(raw: Any) -> str:
    """Read the lowest level that a channel is to get."""
    if str(raw).lower() not in LEVELS:
        raise ValueError(f"the lowest level: {', '.join(LEVELS)}")
    return str(raw).lower()


def level_or_none(raw: Any) -> str:
    """Read a level; true and false stand for the usual one and for none, which is ""."""
    words = {"": "", "false": "", "true": DEFAULT_LEVEL} | {word: word for word in LEVELS}
    if str(raw).lower() not in words:
        raise ValueError(f"false, true ({DEFAULT_LEVEL} and above) or the lowest level: {', '.join(LEVELS)}")
    return words[str(raw).lower()]


def emails(raw: Any) -> dict[str, str]:
    """Read address → level from a map or a list; as text it is JSON, or addresses separated by commas."""
    if isinstance(raw, str):
        try:
            listed = [part.strip() for part in raw.split(",") if part.strip()]
            raw = json.loads(raw) if raw[:1] in "[{" and raw else listed
        except ValueError:
            raw = None
    if isinstance(raw, list):
        raw = {str(address): DEFAULT_LEVEL for address in raw}
    if not isinstance(raw, Mapping) or not all(_is_email(name) and word in LEVELS for name, word in raw.items()):
        raise ValueError(f'["ops@example.com"] or {{"ops@example.com": "high"}}, levels: {", ".join(LEVELS)}')
    return dict(raw)


def _is_email(address: object) -> bool:
    return isinstance(address, str) and bool(re.fullmatch(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+", address))
