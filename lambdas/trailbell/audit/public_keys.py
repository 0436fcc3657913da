"""The public keys that digests are signed with: CloudTrail has its own pairs in each region and changes them.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
"""

import base64
import binascii
import hashlib
import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from trailbell.errors import SettingsError
from trailbell.lazy_dataclass import dataclass
from trailbell.text.times import parse_moment, shifted


_ROTATION = timedelta(hours=2)  # a digest just after a change is signed with a key not in force yet at its end
_AROUND = timedelta(hours=1)
_LATE = timedelta(hours=48)
_NO_BLANK = re.compile(r"\S")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as ListPublicKeys gives it; der: b"" where its value is no base64, or none is there."""

    fingerprint: str
    der: bytes

    @property
    def named_rightly(self) -> bool:
        """Whether its fingerprint is that of its value: the MD5 of the DER, as observed."""
        return hashlib.md5(self.der, usedforsecurity=False).hexdigest() == self.fingerprint


@dataclass(frozen=True, slots=True)
class Window:
    """When a key was in force that may have signed a digest."""

    since: datetime
    until: datetime


class Keys(Protocol):
    """Finds public keys."""

    def find(self, region: str, fingerprint: str, window: Window) -> Sequence[PublicKey]:
        """The keys of that fingerprint; none if there is none."""


class GivenKeys:
    """Keys from files; they name no region."""

    def __init__(self, keys: Sequence[PublicKey]) -> None:
        self._keys: dict[str, list[PublicKey]] = {}
        for key in dict.fromkeys(keys):
            self._keys.setdefault(key.fingerprint, []).append(key)

    def find(self, region: str, fingerprint: str, window: Window) -> Sequence[PublicKey]:
        """The keys of that fingerprint, of whatever region and time."""
        return self._keys.get(fingerprint.lower(), ())


def window_of(end: datetime, *, backfill: bool, generated: str) -> Window:
    """When the key of a digest was in force. generated: when a backfill digest was made, "" where that is unknown."""
    made = parse_moment(generated) if backfill else None
    if made:
        return Window(shifted(made, -_AROUND), shifted(made, _AROUND))
    return Window(shifted(end, -_AROUND), shifted(end, _LATE if backfill else _ROTATION))


def parse_public_keys(text: str, name: str) -> list[PublicKey]:
    """The keys in what `aws cloudtrail list-public-keys` prints: one answer, several one after the other, or any lists
    and objects of answers, such as one for each region. None where its lists are empty.

    Raises SettingsError, which names the file, for what is no such answer.
    """
    try:
        answers = list(_texts(text))
    except (ValueError, RecursionError):
        raise SettingsError(f"{name}: is no JSON: give what `aws cloudtrail list-public-keys` prints") from None
    found: list[PublicKey] = []
    is_answer = False
    for entry in _objects(answers):
        is_answer = is_answer or isinstance(entry.get("publickeylist"), list)
        if isinstance(entry.get("fingerprint"), str):
            found.append(PublicKey(entry["fingerprint"].lower(), _decoded(entry.get("value"))))
    if not found and not is_answer:
        raise SettingsError(f"{name}: holds no public keys: give what `aws cloudtrail list-public-keys` prints")
    return found


def _texts(text: str) -> Iterator[Any]:
    """Each of the JSON texts in a file that was appended to. Raises ValueError, RecursionError."""
    decoder, at = json.JSONDecoder(), 0
    while there := _NO_BLANK.search(text, at):
        found, at = decoder.raw_decode(text, there.start())
        yield found


def _objects(found: list[Any]) -> Iterator[dict[str, Any]]:
    """All objects at any depth, their names in lower case: they are written in either. Not recursive, as JSON nests
    deeper than calls do.
    """
    waiting = deque(found)
    while waiting:
        entry = waiting.popleft()
        if isinstance(entry, list):
            waiting.extend(entry)
        elif isinstance(entry, dict):
            waiting.extend(entry.values())
            yield {name.lower(): value for name, value in entry.items()}


def _decoded(value: object) -> bytes:
    if not isinstance(value, str):
        return b""
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
