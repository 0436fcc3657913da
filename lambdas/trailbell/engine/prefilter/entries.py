"""The entries of a JSON list as texts: cut, and not parsed."""

from collections.abc import Sequence

import msgspec


_decode = msgspec.json.Decoder(list[msgspec.Raw]).decode


def list_entries(text: bytes) -> Sequence[bytes] | None:
    """The text of each entry of a list, which `bytes` takes; None for what is no list of valid JSON."""
    try:
        return _decode(text)  # not copied: of a block few are wanted
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
