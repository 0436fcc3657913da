"""Of most records only a few members are ever looked at: their header, decoded without the rest.

msgspec decodes a block of records into structs of just the members that a rulebook's rules mention; whatever
does not fit (a member of another type than documented, anything it reads more strictly than Python's json)
makes it refuse the block, which is then read the plain way. Nothing is decided here, so nothing can be missed.
https://jcristharif.com/msgspec/structs.html
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from trailbell.cloudtrail.record import text
from trailbell.engine.fields import find


class NotUnderstoodError(Exception):
    """A block or record that is not decoded like this; the plain way must read it."""


class LayoutGrownError(Exception):
    """A member is asked for that was not decoded so far; from now on it is, so the block is to be read again."""


_MAX_MEMBERS = 40  # of a record; CloudTrail documents 31
_MAX_INNER = 16  # a struct's members are looked up one by one

_ORDER = (
    *("eventVersion", "userIdentity", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress"),
    *("userAgent", "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData"),
    *("requestID", "eventID", "readOnly", "resources", "eventType", "apiVersion", "managementEvent"),
    *("recipientAccountId", "sharedEventID", "vpcEndpointId", "eventCategory", "tlsDetails"),
)
"""Members of a record as CloudTrail writes them."""

_WHOLE = (list, str)

Finder = Callable[[Any], list[Any]]
"""From a header to the values of a field."""


class PartialLayout:
    """Which members of a record are decoded, and how the fields rules mention are found among them.

    key:   members that are texts or booleans, always decoded: with other types in them a block is refused.
    paths: fields that may be asked for; those `knows` denies cannot be found in headers. The member one stands
           in is decoded from the first time on that a function for it is asked for, which raises LayoutGrownError.
    """

    def __init__(self, key: Sequence[str], paths: Iterable[str]) -> None:
        deeper: dict[str, set[str]] = {}
        for path in sorted(paths):
            head, _, rest = path.partition(".")
            if head not in key and (head in deeper or len(deeper) < _MAX_MEMBERS):
                deeper.setdefault(head, set()).add(rest)
        self._inner_types = {head: types for head, rests in deeper.items() if (types := _inner_types(rests))}
        self._inner = {head: _inner_struct(head, types) for head, types in self._inner_types.items()}
        self._types = {head: self._type_of(head, rests) for head, rests in deeper.items()}
        self._key = tuple(key)
        self._selection: set[str] = set()
        self._decode = self._decoder()
        self._decode_raw = msgspec.json.Decoder().decode
        self._decoded: tuple[Any, Any] = None, None

    def knows(self, path: str) -> bool:
        """Whether a field can be found in headers."""
        return path.partition(".")[0] in self._types

    def decode(self, records: bytes) -> list[Any]:
        """The headers of a list of records. Raises NotUnderstoodError."""
        try:
            if not records.isascii():
                records.decode()  # msgspec does not look at the encoding of what it passes over
            return self._decode(records)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            raise NotUnderstoodError from None

    def finder(self, path: str) -> Finder:
        """A function from a header to a field's values, the same as engine/fields.py finds in the whole record."""
        head, _, rest = path.partition(".")
        self._want(head)
        attribute, parts, whole = attribute_of(head), tuple(rest.split(".")) if rest else (), self._whole
        if head in self._inner:
            return self._inner_finder(attribute, self._inner[head], parts)

        def find_in_member(header: Any) -> list[Any]:
            value = getattr(header, attribute)
            return [] if value is UNSET else list(find(whole(value), parts))

        return find_in_member

    def text_finder(self, path: str) -> Callable[[Any], str]:
        """A function from a header to the text at a path of nested objects, "" where there is none.

        The same as cloudtrail/record.py's `text`: it crosses no lists and takes dots for nothing but nesting.
        """
        head, *parts = path.split(".")
        self._want(head)
        attribute, inner, whole = attribute_of(head), self._inner.get(head), self._whole
        if inner is None:
            return lambda header: text(whole(getattr(header, attribute)), *parts)
        member, *below = parts
        name = attribute_of(member)

        def find_text(header: Any) -> str:
            value = getattr(header, attribute)
            found = getattr(value, name) if type(value) is inner else ""
            return found if type(found) is str and not below else text(whole(found), *below)

        return find_text

    def member_finder(self, path: str) -> Callable[[Any], Any]:
        """A function from a header to the member that a path begins with: a list or a text, None for anything else."""
        head = path.partition(".")[0]
        self._want(head)
        attribute, whole = attribute_of(head), self._whole

        def find_member(header: Any) -> Any:
            value = whole(getattr(header, attribute))
            return value if type(value) in _WHOLE else None

        return find_member

    def getter(self, paths: Sequence[str]) -> Callable[[Any], Any] | None:
        """The quickest way to something that decides the values of fields and can be remembered, None if there is none.

        It raises AttributeError for a header whose members are not the objects they mostly are.
        """
        attributes, undecoded = [], False
        for path in paths:
            head, _, rest = path.partition(".")
            self._want(head)
            if head in self._inner:
                names = [name for name, _ in _routes(tuple(rest.split(".")))]
                undecoded = undecoded or any(self._inner_types[head][name] is not Any for name in names)
                attributes += [f"{attribute_of(head)}.{attribute_of(name)}" for name in names]
            elif self._types[head] is Any:
                attributes.append(attribute_of(head))
            else:
                return None
        get = attrgetter(*attributes)
        if not undecoded:
            return get
        return lambda header: tuple([bytes(value) if type(value) is Raw else value for value in get(header)])

    def _inner_finder(self, attribute: str, inner: Any, parts: tuple[str, ...]) -> Finder:
        routes = [(attribute_of(name), below) for name, below in _routes(parts)]
        whole = self._whole

        def find_in_struct(header: Any) -> list[Any]:
            value = getattr(header, attribute)
            if type(value) is not inner:
                return [] if value is UNSET else list(find(value, parts))
            found: list[Any] = []
            for name, below in routes:
                member = getattr(value, name)
                if member is not UNSET:
                    found += find(whole(member), below)
            return found

        return find_in_struct

    def _whole(self, value: Any) -> Any:
        """A member that is decoded only when it is asked for, and once if it is asked for in a row."""
        if type(value) is not Raw:
            return value
        if self._decoded[0] is not value:
            try:
                self._decoded = value, self._decode_raw(value)
            except (ValueError, RecursionError):
                raise NotUnderstoodError from None
        return self._decoded[1]

    def _want(self, head: str) -> None:
        if head not in self._selection:
            self._selection.add(head)
            self._decode = self._decoder()
            raise LayoutGrownError

    def _decoder(self) -> Callable[[bytes], list[Any]]:
        """What decodes the members that are wanted, in the order they come: so each is found at the first look."""
        scalar: Any = str | bool | UnsetType | None
        types = {name: self._types.get(name, scalar) for name in (*self._key, *self._selection)}
        written = {name: at for at, name in enumerate(_ORDER)}
        names = {attribute_of(name): name for name in sorted(types, key=lambda name: written.get(name, len(written)))}
        members = [(attribute, types[name], UNSET) for attribute, name in names.items()]
        header = msgspec.defstruct("Header", members, rename=names, gc=False, kw_only=True)
        return msgspec.json.Decoder(list[header]).decode  # type: ignore[valid-type] # made at run time

    def _type_of(self, head: str, rests: set[str]) -> Any:
        if head in self._inner:
            return self._inner[head] | list[Any] | str | int | float | bool | UnsetType | None
        return Any if rests == {""} else Raw | UnsetType


def _inner_types(rests: Iterable[str]) -> dict[str, Any]:
    """The names a member may have for a path to go through it, and how it is decoded: objects only when asked for.

    None if it is not decoded as a struct: somebody asks for it as a whole, or for too many of its members.
    """
    types: dict[str, Any] = {}
    for rest in sorted(rests):
        for name, below in _routes(tuple(rest.split("."))):
            types[name] = Raw | UnsetType if below else types.get(name, Any)
    return types if "" not in types and len(types) <= _MAX_INNER else {}


def _routes(parts: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """The ways into a path: keys may hold dots."""
    return [(".".join(parts[:taken]), parts[taken:]) for taken in range(1, len(parts) + 1)]


def _inner_struct(head: str, types: dict[str, Any]) -> Any:
    members = [(attribute_of(name), kind, UNSET) for name, kind in types.items()]
    return msgspec.defstruct(head, members, rename={attribute_of(name): name for name in types}, gc=False, kw_only=True)


def attribute_of(name: str) -> str:
    """The attribute of a struct for a member of any name."""
    return "m_" + "".join(char if char.isalnum() and char.isascii() else f"_{ord(char):x}_" for char in name)
