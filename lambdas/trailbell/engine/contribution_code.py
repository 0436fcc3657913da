"""Contributions as rows hold them: as a text of a few characters each, under names made of digests."""

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from trailbell.engine.correlation import Contribution, Correlation, CorrelationType


# Seconds from the beginning of the bucket, rule, identity; value. An event's id is AWS's own choice, a value may be
# an attacker's, who could look for two that are taken for one: eight bytes cost as many attempts as are worth little.
_PLAIN, _WITH_VALUE = struct.Struct(">IH6s"), struct.Struct(">IH6s8s")
_ALIAS = struct.Struct("6s6s")


def short_identity(identity: str) -> bytes:
    """What stands for the identity of an event, or of an episode that is counted."""
    return _digest(identity)[:6]


def short_value(value: Sequence[str]) -> bytes:
    """What stands for a value of value_count, or for several that are counted together."""
    return _digest(json.dumps(value))[:8]


def version_of(correlation: Correlation) -> str:
    """A digest of everything that decides: what an edited correlation counts begins anew."""
    decides = (
        correlation.kind,
        correlation.rules,
        correlation.group_paths,
        correlation.value_paths,
        correlation.timespan_seconds,
        correlation.threshold,
    )
    return _digest(json.dumps(decides)).hex()[:8]


def group_code(group: Sequence[str]) -> str:
    """What stands for a group. Its values may be an attacker's: two that are taken for one are out of reach."""
    return _digest(json.dumps(group)).hex()[:32]


def encoded(correlation: Correlation, start: int, contributions: Iterable[Contribution]) -> str:
    """Contributions to a bucket as text; identities and values are short ones."""
    return base64.b64encode(b"".join(_packed(correlation, start, contributions))).decode("ascii")


def decoded(correlation: Correlation, start: int, text: str) -> Iterator[Contribution]:
    """Read `encoded` back."""
    data = base64.b64decode(text)
    if correlation.kind is CorrelationType.VALUE_COUNT:
        for offset, rule, identity, value in _WITH_VALUE.iter_unpack(data):
            yield Contribution(start + offset, identity, rule, value)
    else:
        for offset, rule, identity in _PLAIN.iter_unpack(data):
            yield Contribution(start + offset, identity, rule)


def encoded_aliases(aliases: Mapping[bytes, bytes]) -> str:
    """Short identities, each followed by the one that it stands for, as text."""
    return base64.b64encode(b"".join(alias + identity for alias, identity in aliases.items())).decode("ascii")


def decoded_aliases(text: str) -> dict[bytes, bytes]:
    """Read `encoded_aliases` back."""
    return dict(_ALIAS.iter_unpack(base64.b64decode(text)))


def _packed(correlation: Correlation, start: int, contributions: Iterable[Contribution]) -> Iterator[bytes]:
    for one in contributions:
        if correlation.kind is CorrelationType.VALUE_COUNT:
            yield _WITH_VALUE.pack(one.time - start, one.rule, one.identity, one.value)
        else:
            yield _PLAIN.pack(one.time - start, one.rule, one.identity)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
