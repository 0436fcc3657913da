"""Written fields: what is in them is made of texts of the record, so what a rule searches for must stand in its JSON.

A value of such a field is made of parts between colons and slashes, as an ARN is. Each part is a text of the record
or a part of one, or a word that is known beforehand, or a number. So a record can be passed over by its text, before
it is parsed: where rules ask for names of few things, nearly all.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from trailbell.engine.condition import Node, conjuncts


Written = Mapping[str, AbstractSet[str]]
"""Paths of written fields, each with the words (in small letters) that may be in it without being in the record."""

_BETWEEN_PARTS = re.compile(r"[:/]")
_PLAIN = re.compile(r"[a-z0-9_.+=,@-]*[a-z_][a-z0-9_.+=,@-]*")  # that JSON escapes, if at all, as \u; and no number
_ESCAPE = b"\\u"


def words_needed(node: Node, written: Written) -> frozenset[bytes] | None:
    """Words in small letters, one of which must stand in a record for a condition to hold; None if none need to."""
    for part in conjuncts(node):
        words = _words_of(part, written)
        if words is not None:
            return words
    return None


def may_stand(words: AbstractSet[bytes], text: bytes) -> bool:
    """Whether one of some words may stand in a JSON text, in any case and however it is written."""
    if not text.isascii() or _ESCAPE in text:
        return True
    small = text.lower()
    return any(word in small for word in words)


def _words_of(node: Node, written: Written) -> frozenset[bytes] | None:
    match node:
        case ["field", path, ["eq" | "contains" | "prefix" | "suffix", text, *_]] if path in written:
            return _one_of([text], written[path])
        case ["field", path, ["in", texts]] if path in written:
            return _one_of(texts, written[path])
        case ["or", parts]:
            found = [words_needed(part, written) for part in parts]
            return None if None in found else frozenset().union(*filter(None, found))
    return None


def _one_of(texts: Sequence[str], known: AbstractSet[str]) -> frozenset[bytes] | None:
    """The longest part of each text; None where one may be found without standing in the record."""
    words = [max(_BETWEEN_PARTS.split(text.lower()), key=len) for text in texts]
    if not all(_PLAIN.fullmatch(word) and not any(word in one for one in known) for word in words):
        return None
    return frozenset(word.encode() for word in words)
