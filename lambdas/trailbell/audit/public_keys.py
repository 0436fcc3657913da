"""The public keys that digests are signed with: CloudTrail has its own pairs in each region and changes them.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from trailbell.errors import SettingsError


_ROTATION = timedelta(hours=2)  # a digest just after a change is signed with a key not in force yet at its end
_AROUND = timedelta(hours=1)
_LATE = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as ListPublicKeys gives it; der: b"" where its value is no base64."""

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
    made = _moment(generated) if backfill else None
    if made:
        return Window(made - _AROUND, made + _AROUND)
    return Window(end - _AROUND, end + (_LATE if backfill else _ROTATION))


def parse_public_keys(text: str, name: str) -> list[PublicKey]:
    """The keys in what `aws cloudtrail list-public-keys` prints; several answers may stand in a list.

    Raises SettingsError, which names the file, where there are none.
    """
    try:
        found = list(_keys(json.loads(text)))
    except (ValueError, RecursionError):
        raise SettingsError(f"{name}: is no JSON: give what `aws cloudtrail list-public-keys` prints") from None
    if not found:
        raise SettingsError(f"{name}: holds no public keys: give what `aws cloudtrail list-public-keys` prints")
    return found


def _keys(found: Any) -> Iterator[PublicKey]:
    """The keys anywhere in lists, or below PublicKeyList; names are written in either case."""
    if isinstance(found, list):
        for entry in found:
            yield from _keys(entry)
    elif isinstance(found, dict):
        entry = {name.lower(): value for name, value in found.items()}
        if isinstance(entry.get("fingerprint"), str) and isinstance(entry.get("value"), str):
            yield PublicKey(entry["fingerprint"].lower(), _decoded(entry["value"]))
        yield from _keys(entry.get("publickeylist"))


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
