"""A digest in place of a text that is too long or too odd to be part of a key: two that differ stay different."""

import hashlib


STAND_IN = "sha256-"
"""How such a digest begins."""


def stand_in(text: str, digits: int = 64) -> str:
    """The SHA-256 of a text (its lone surrogates included), in hexadecimal, cut to some digits."""
    return STAND_IN + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
