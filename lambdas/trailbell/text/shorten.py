"""Names cut to a width so that those which differ still do."""

import hashlib

from trailbell.text.safe_text import ascii_line


_CUT = ".."
_TAG = 4  # characters: two cut names have the same once in a million
_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_LONGEST = 1024


def end_kept(name: str, room: int) -> str:
    """A name in at most `room` characters of ASCII, its end whole: what tells resources apart stands there."""
    line = ascii_line(name, _LONGEST)
    if len(line) <= room:
        return line
    kept = max(room - len(_CUT), 1)
    head = kept // 4 if room >= 12 else 0
    return line[:head] + _CUT + line[len(line) - kept + head :]


def start_kept(text: str, room: int) -> str:
    """A text in at most `room` characters of ASCII, its start whole."""
    return ascii_line(text, room, _CUT)


def tagged(name: str, key: str, room: int, *, cut: bool = False) -> str:
    """A name in at most `room` characters of ASCII; one that loses any gets a tag of its key (deploy-pr~k3f9).

    So two that begin alike, or are written in letters that ASCII does not have, are still two.
    cut: it has lost some before.
    """
    line = ascii_line(name, _LONGEST)
    if line == name and len(line) <= room and not cut:
        return line
    digest = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:4])
    tag = "".join(_LETTERS[(digest >> (5 * at)) & 31] for at in range(_TAG))
    return f"{line[: max(room - _TAG - 1, 0)]}~{tag}"


def tagged_length(name: str) -> int:
    """How long `tagged` makes a name that there is room for."""
    line = ascii_line(name, _LONGEST)
    return len(line) + (0 if line == name else _TAG + 1)
