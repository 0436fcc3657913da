"""Of most records only a few members are ever looked at: their header, decoded without the rest.

msgspec decodes a block of records into structs of just the members that a rulebook's rules mention; whatever
does not fit (a member of another type than documented, anything it reads more strictly than Python's json)
makes it refuse the block, which is then read the plain way. Nothing is decided here, so nothing can be missed.
https://jcristharif.com/msgspec/structs.html
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from trailalert.core.record import text
from trailalert.core.values import find


class NotUnderstoodError(Exception):
    """A block or record that is not decoded like this; the plain way must read it."""


_MAX_MEMBERS = 40  # of a record; CloudTrail documents 31
_MAX_INNER = 16  # a struct's members are looked up one by one

Finder = Callable[[Any], list[Any]]
"""From a header to the values of a field."""


class HeaderLayout:
    """Which members of a record are decoded, and how the fields rules mention are found among them.

    key:   members that are texts or booleans, always decoded: with other types in them a block is refused.
    paths: fields that may be asked for; those `knows` denies cannot be found in headers.
    """

    def __init__(self, key: Sequence[str], paths: Iterable[str]) -> None:
        deeper: dict[str, set[str]] = {}
        for path in sorted(paths):
            head, _, rest = path.partition(".")
            if head not in key and (head in deeper or len(deeper) < _MAX_MEMBERS):
                deeper.setdefault(head, set()).add(rest)
        self._inner = {head: _inner_struct(head, rests) for head, rests in deeper.items() if _fits(rests)}
        self._heads = frozenset(deeper)
        self._decode_raw = msgspec.json.Decoder().decode
        scalar: Any = str | bool | UnsetType | None
        members = [(attribute_of(name), scalar, UNSET) for name in key]
        members += [(attribute_of(head), self._type_of(head, rests), UNSET) for head, rests in deeper.items()]
        names = {attribute_of(name): name for name in (*key, *deeper)}
        header = msgspec.defstruct("Header", members, rename=names, gc=False, kw_only=True)
        self._decode = msgspec.json.Decoder(list[header]).decode  # type: ignore[valid-type] # made at run time

    def knows(self, path: str) -> bool:
        """Whether a field can be found in headers."""
        return path.partition(".")[0] in self._heads

    def decode(self, block: bytes) -> list[Any]:
        """The headers of a block of records, `{…},{…}`. Raises NotUnderstoodError."""
        try:
            if not block.isascii():
                block.decode()  # msgspec does not look at the encoding of what it passes over
            return self._decode(b"[" + block + b"]")
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            raise NotUnderstoodError from None

    def finder(self, path: str) -> Finder:
        """A function from a header to a field's values, the same as core/values.py finds in the whole record."""
        head, _, rest = path.partition(".")
        attribute = attribute_of(head)
        if head in self._inner:
            return _inner_finder(attribute, self._inner[head], rest)
        if not rest:
            return lambda header: [] if (value := getattr(header, attribute)) is UNSET else [self._whole(value)]
        parts = tuple(rest.split("."))
        whole = self._whole

        def find_in_raw(header: Any) -> list[Any]:
            value = getattr(header, attribute)
            return [] if value is UNSET else list(find(whole(value), parts))

        return find_in_raw

    def text_finder(self, path: str) -> Callable[[Any], str]:
        """A function from a header to the text at a path of nested objects, "" where there is none.

        The same as core/record.py's `text`: it crosses no lists and takes dots for nothing but nesting.
        """
        head, _, rest = path.partition(".")
        attribute, inner = attribute_of(head), self._inner.get(head)
        parts = tuple(rest.split(".")) if rest else ()
        if inner is None:
            return lambda header: text(self._whole(getattr(header, attribute)), *parts)
        member, below = attribute_of(parts[0]), parts[1:]

        def find_text(header: Any) -> str:
            value = getattr(header, attribute)
            return text(getattr(value, member), *below) if type(value) is inner else ""

        return find_text

    def _whole(self, value: Any) -> Any:
        """A member that is decoded only when it is asked for."""
        if type(value) is not Raw:
            return value
        try:
            return self._decode_raw(value)
        except (ValueError, RecursionError):
            raise NotUnderstoodError from None

    def _type_of(self, head: str, rests: set[str]) -> Any:
        if head in self._inner:
            return self._inner[head] | list[Any] | str | int | float | bool | UnsetType | None
        return Any if rests == {""} else Raw | UnsetType


def _fits(rests: set[str]) -> bool:
    """Whether a member is decoded as a struct: nobody asks for it as a whole, and for few of its members."""
    return "" not in rests and len(_inner_names(rests)) <= _MAX_INNER


def _inner_names(rests: Iterable[str]) -> list[str]:
    """All names a member may have for a path to go through it: keys may hold dots."""
    splits = (".".join(parts[:taken]) for parts in (rest.split(".") for rest in rests) for taken in _counts(parts))
    return sorted(set(splits))


def _counts(parts: Sequence[str]) -> range:
    return range(1, len(parts) + 1)


def _inner_struct(head: str, rests: set[str]) -> Any:
    names = {attribute_of(name): name for name in _inner_names(rests)}
    members = [(attribute, Any, UNSET) for attribute in names]
    return msgspec.defstruct(head, members, rename=names, gc=False, kw_only=True)


def _inner_finder(attribute: str, inner: Any, rest: str) -> Finder:
    parts = tuple(rest.split("."))
    routes = [(attribute_of(".".join(parts[:taken])), parts[taken:]) for taken in _counts(parts)]

    def find_in_struct(header: Any) -> list[Any]:
        value = getattr(header, attribute)
        if type(value) is not inner:
            return [] if value is UNSET else list(find(value, parts))
        found: list[Any] = []
        for name, below in routes:
            member = getattr(value, name)
            if member is not UNSET:
                found += find(member, below)
        return found

    return find_in_struct


def attribute_of(name: str) -> str:
    """The attribute of a struct for a member of any name."""
    return "m_" + "".join(char if char.isalnum() and char.isascii() else f"_{ord(char):x}_" for char in name)
