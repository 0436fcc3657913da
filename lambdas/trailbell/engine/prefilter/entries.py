"""The entries of a JSON list as texts: cut, and not parsed."""

from collections.abc import Sequence

import msgspec


_decode = msgspec.json.Decoder(list[msgspec.Raw]).decode


def list_entries(text: bytes) -> Sequence[bytes] | None:
    """The text of each entry of a list; None for what is no list of valid JSON."""
    try:
        return [bytes(entry) for entry in _decode(text)]
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
