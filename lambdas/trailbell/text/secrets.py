"""Secrets in a record's free text are not passed on: each is replaced by a word for what it was.

CloudTrail hides most secrets of a request, but writes a few responses in plain text (a session's stream URL, an
activation code). A hit holds none of those members. What remains is text that anybody may have written: user
agents, error messages, names. Access key ids are cut to their last four characters, as everywhere.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import functools
import re
from collections.abc import Callable

from trailbell.text.lazy_pattern import lazy_pattern
from trailbell.text.secret_members import GONE, SECRET_MEMBERS, names_secret


__all__ = ["GONE", "MAX_TEXT", "SECRET_MEMBERS", "is_uuid", "names_secret", "redacted", "redacted_name"]

MAX_TEXT = 16_384
"""Characters that are read; nobody shows more of one text."""

# Most ids are of this form, and nothing that is looked for has room in it: no sign but "-", no letter behind f.
_UUID = lazy_pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)

_MAX_REMEMBERED = 256
_MIN_BLOB = 32
_BLOB = lazy_pattern(rf"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{{{_MIN_BLOB},}}={{0,2}}")
_SECRET_KEY = lazy_pattern(r"[A-Za-z0-9+/]{40}")  # the form of a secret access key
_JOINTS = lazy_pattern(r"[/_+=-]")
_HEX = lazy_pattern(r"[0-9a-f]*")
_MIN_RANDOM = 28
_TURN = lazy_pattern(r"(?=[a-z][A-Z]|[A-Z][a-z]|[0-9][A-Za-z]|[A-Za-z][0-9])")


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID in small letters, which holds no secret, no link, and nothing that is unsafe to show."""
    return _UUID.fullmatch(text) is not None


def redacted(text: str) -> str:
    """The text, at most MAX_TEXT characters of it, without whatever looks like a secret. Linear in its length.

    ARNs, UUIDs, request ids, hashes in hex and the ids of keys and roles stay as they are. Applying it twice
    changes nothing more.
    """
    return _remembered(text) if len(text) <= _MAX_REMEMBERED else _redacted(text)


def _redacted(text: str) -> str:
    text = redacted_name(text)
    return text if len(text) < _MIN_BLOB or _UUID.fullmatch(text) else _BLOB.sub(_without_blob, text)


def redacted_name(text: str) -> str:
    """The same without the guess that a long random text is a secret: for ARNs, names and ids."""
    if len(text) < 8 or _UUID.fullmatch(text):
        return text
    text = text[:MAX_TEXT]
    for without in _searches():
        text = without(text)
    return text


_remembered = functools.lru_cache(1024)(_redacted)  # the same values occur in many records


@functools.cache
def _searches() -> tuple[Callable[[str], str], ...]:
    """Everything that is looked for, in this order: what ends where it says, what has a form, what has a name.

    Imported for the first text only: their patterns would be half of what a cold start without hits takes.
    """
    from trailbell.text.secret_commands import without_arguments
    from trailbell.text.secret_markup import without_marked_up
    from trailbell.text.secret_names import without_named
    from trailbell.text.secret_tokens import without_private_keys, without_tokens

    return without_private_keys, without_tokens, without_arguments, without_marked_up, without_named


def _without_blob(blob: re.Match[str]) -> str:
    """Random text turns between upper case, lower case and digits all the time; names, paths and UUIDs do not."""
    parts = [part for part in _JOINTS.split(blob[0]) if not _HEX.fullmatch(part)]
    text = "".join(parts)
    kinds = sum(any(map(test, text)) for test in (str.isupper, str.islower, str.isdigit))
    turns = len(_TURN.findall(text))
    if kinds < 3 or len(text) < _MIN_RANDOM:
        return blob[0]
    if _SECRET_KEY.fullmatch(blob[0]):
        return GONE if turns * 4 >= len(text) else blob[0]
    solid = len(text) >= 100 or max(map(len, parts)) >= 12
    return GONE if turns * 8 >= len(text) * 3 and solid else blob[0]
