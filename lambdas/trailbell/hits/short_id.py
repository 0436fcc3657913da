"""A hit's short id: eight characters that people can read out and type, found in the table without a row of their own.

It follows from the hit's identity and day alone, so that every version, row and message of an act has the same:

    13 bits   the day (since 1970, again from 0 after 22 years)
    2 bits    in which of the day's partitions its pointer is
    the rest  the SHA-256 of the identity: 25 bits in eight characters, 5 more with each that is added

Of 1,000 hits of a day one shares its eight characters with another with a probability of 7 in a million (1,000 / 2^27),
and some two do on one day in 270. Whoever is asked for them then lists both, with the characters that tell them apart.
The alphabet is Crockford's, without letters that look like digits or spell words: https://www.crockford.com/base32.html
"""

import functools
import hashlib
import re
import zlib
from datetime import date, timedelta

from trailbell.lazy_dataclass import dataclass


SHORT = 8
LONGEST = 24

SHARDS = 4
"""Partitions of a day's pointers, of which the short id names one: keys are forever, and so is their number."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple([first + second for first in _ALPHABET for second in _ALPHABET])
_WRITTEN_FOR = str.maketrans("oil", "011")
_FORM = re.compile(rf"[{_ALPHABET}]{{{SHORT},{LONGEST}}}", re.ASCII)

_DAY_BITS, _SHARD_BITS = 13, 2
_DIGEST_BITS = 128  # of the hash: more than the longest has room for
_DAYS = 1 << _DAY_BITS
_FIRST = date(1970, 1, 1)
_DAYS_REMEMBERED = 64

Identity = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class ShortId:
    """A short id that somebody gave: its characters as we write them, and where the hit's pointer is."""

    text: str
    shard: int

    def days(self, now: date) -> list[date]:
        """The days it may be of, newest first: one every 22 years, from 1970 (where a record without a time is) until
        tomorrow, as clocks differ. A hit of any other time, which AWS never writes, is found by its whole id."""
        code = _number(self.text) >> (5 * len(self.text) - _DAY_BITS)
        tomorrow = (now - _FIRST).days + 1
        return [_FIRST + timedelta(days=number) for number in reversed(range(code, tomorrow + 1, _DAYS))]


def short_id(identity: Identity, event_time: str, length: int = SHORT) -> str:
    """The short id of the hit of an identity and an event time (ISO 8601), with `length` characters of it."""
    hashed = hashlib.sha256("/".join(identity).encode("utf-8", "surrogatepass")).digest()
    place = (_day_of(event_time[:10]) << _SHARD_BITS) | shard_of(identity[1])
    if length == SHORT:  # as nearly always: of the hash it has 25 bits, and two characters are made at a time
        first, last = (place << 5) | (hashed[0] >> 3), int.from_bytes(hashed[:4]) >> 7
        return _PAIRS[first >> 10] + _PAIRS[first & 1023] + _PAIRS[(last >> 10) & 1023] + _PAIRS[last & 1023]
    digest = int.from_bytes(hashed[: _DIGEST_BITS // 8])
    bits = _DAY_BITS + _SHARD_BITS + _DIGEST_BITS
    number = ((place << _DIGEST_BITS) | digest) >> (bits - 5 * length)
    return "".join([_ALPHABET[(number >> at) & 31] for at in range(5 * (length - 1), -1, -5)])


def read_short_id(text: str) -> ShortId | None:
    """The short id that a text is, in whichever case and with l, i and o for the digits they look like, or None."""
    plain = text.lower().translate(_WRITTEN_FOR)
    if not _FORM.fullmatch(plain):
        return None
    shard = (_number(plain) >> (5 * len(plain) - _DAY_BITS - _SHARD_BITS)) & (SHARDS - 1)
    return ShortId(plain, shard)


def shard_of(event_id: str) -> int:
    """In which of a day's partitions the pointer of a hit is."""
    return zlib.crc32(event_id.encode()) % SHARDS


@functools.lru_cache(_DAYS_REMEMBERED)
def _day_of(day: str) -> int:
    try:
        return (date.fromisoformat(day) - _FIRST).days % _DAYS
    except ValueError:  # a row that somebody else wrote
        return 0


def _number(text: str) -> int:
    return sum(_ALPHABET.index(char) << (5 * at) for at, char in enumerate(reversed(text)))
