"""Partial decoding: of a record only those members are decoded that some rule looks at.

msgspec decodes a block of records into structs of just these members (partial records). Whatever does not fit, a
member of another type than documented or anything it reads more strictly than Python's json, makes it refuse the
block, which is then parsed in full. No rule is decided here, so none can be missed.
https://jcristharif.com/msgspec/structs.html
"""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from trailbell.engine.fields import Finder, find, text_at


class NotUnderstoodError(Exception):
    """A block or record that cannot be decoded partially; it must be parsed in full."""


class LayoutGrownError(Exception):
    """A member is asked for that was not decoded so far. From now on it is: decode the block again."""


_MAX_MEMBERS = 40  # that can be decoded of a record
_MAX_INNER = 16  # of an object that is decoded as a struct, whose members msgspec compares one by one
_WHOLE = (list, str)
_TEXTS = frozenset((str, Raw, UnsetType))


class PartialLayout:
    """Which members of a record are decoded, and how the fields that rules mention are found among them.

    scalars: members that are texts or booleans, always decoded: a block with other types in them is refused.
    paths:   fields that may be asked for; where `knows` says no, a field cannot be found in partial records. A
             member is decoded from the first time that a function for one of its fields is asked for, which raises
             LayoutGrownError.
    order:   the members in the order in which they are written: msgspec is fastest when it meets them so.
    texts:   members whose JSON may be asked for; they are kept as that, whatever else is asked of them.
    """

    def __init__(
        self, scalars: Sequence[str], paths: Iterable[str], order: Sequence[str] = (), texts: Iterable[str] = ()
    ) -> None:
        texts = frozenset(texts).difference(scalars)
        deeper: dict[str, set[str]] = {}
        for path in sorted(paths):
            head, _, rest = path.partition(".")
            if head not in scalars and (head in deeper or len(deeper) < _MAX_MEMBERS):
                deeper.setdefault(head, set()).add(rest)
        self._inner_types = {
            head: types for head, rests in deeper.items() if head not in texts and (types := _inner_types(rests))
        }
        self._inner = {head: _inner_struct(head, types) for head, types in self._inner_types.items()}
        self._types = {head: self._type_of(head, rests) for head, rests in deeper.items()}
        self._types |= dict.fromkeys(sorted(texts), Raw | UnsetType)
        self._scalars, self._order = tuple(scalars), order
        self._decoded_members: set[str] = set()
        self._decode = self._decoder()
        self._decode_raw = msgspec.json.Decoder().decode
        self._last_decoded: tuple[Any, Any] = None, None
        self._forget_keys: list[Callable[[], None]] = []

    def knows(self, path: str) -> bool:
        """Whether a field can be found in partial records."""
        return path.partition(".")[0] in self._types

    def decode(self, records: bytes) -> list[Any]:
        """The partial records of a list of records. Raises NotUnderstoodError."""
        try:
            if not records.isascii():
                records.decode()  # msgspec does not check the encoding of what it skips
            return self._decode(records)
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            raise NotUnderstoodError from None

    def forget_record(self) -> None:
        """Let go of the members that were decoded or compared last: they hold the text of their whole block."""
        self._last_decoded = None, None
        for forget in self._forget_keys:
            forget()

    def finder(self, path: str) -> Finder:
        """A function from a partial record to a field's values: what engine/fields.py finds in the whole record."""
        head, _, rest = path.partition(".")
        self._decode_from_now(head)
        attribute, parts, decoded = attribute_of(head), tuple(rest.split(".")) if rest else (), self._decoded
        if head in self._inner:
            return self._inner_finder(attribute, self._inner[head], parts)

        def find_in_member(partial: Any) -> list[Any]:
            value = getattr(partial, attribute)
            return [] if value is UNSET else list(find(decoded(value), parts))

        def find_member_of(partial: Any) -> list[Any]:
            value = getattr(partial, attribute)
            if value is UNSET:
                return []
            found = decoded(value)
            if type(found) is dict:  # as mostly: there is nothing to search
                return [found[rest]] if rest in found else []
            return list(find(found, parts))

        return find_member_of if len(parts) == 1 else find_in_member

    def text_finder(self, path: str) -> Callable[[Any], str]:
        """A function from a partial record to the text at a path: what engine/fields.py's `text_at` gives for it."""
        head, *parts = path.split(".")
        self._decode_from_now(head)
        attribute, inner, decoded = attribute_of(head), self._inner.get(head), self._decoded
        if inner is None:
            return lambda partial: text_at(decoded(getattr(partial, attribute)), *parts)
        member, *below = parts
        name = attribute_of(member)

        def find_text(partial: Any) -> str:
            value = getattr(partial, attribute)
            member = getattr(value, name) if type(value) is inner else ""
            return member if type(member) is str and not below else text_at(decoded(member), *below)

        return find_text

    def member_finder(self, path: str) -> Callable[[Any], Any]:
        """A function from a partial record to the list or text that a path begins with, None for anything else."""
        head = path.partition(".")[0]
        self._decode_from_now(head)
        attribute, decoded = attribute_of(head), self._decoded

        def find_member(partial: Any) -> Any:
            value = decoded(getattr(partial, attribute))
            return value if type(value) in _WHOLE else None

        return find_member

    def json_finder(self, members: Sequence[str]) -> Callable[[Any], list[bytes | str | None]]:
        """A function from a partial record to the JSON of some members: b"" for what is missing or null; a string as it
        is; None for what is not at hand.
        """
        for member in members:
            if member not in self._scalars:
                self._decode_from_now(member)
        values = attrgetter(*map(attribute_of, members))
        return lambda partial: [*map(_json_of, values(partial))]

    def memo_key(self, paths: Sequence[str]) -> Callable[[Any], Any] | None:
        """A function from a partial record to a key under which the values of these fields may be remembered.

        Two records with equal keys have equal values there. The key is cheaper to get than the values: mostly it
        is one call of operator.attrgetter, and what was not decoded stays so. None where only decoding a member
        could tell. The function raises AttributeError for a record in which an object is something else.
        """
        attributes, undecoded = [], False
        for path in paths:
            head, _, rest = path.partition(".")
            if head not in self._scalars:
                self._decode_from_now(head)
            if head in self._inner:
                types = self._inner_types[head]  # without names that hold dots, where only a text is asked for
                names = [name for name, _ in _routes(tuple(rest.split("."))) if name in types]
                undecoded = undecoded or any(types[name] is not Any for name in names)
                attributes += [f"{attribute_of(head)}.{attribute_of(name)}" for name in names]
            elif head in self._scalars or self._types[head] is Any:
                attributes.append(attribute_of(head))
            else:
                return None
        if not attributes:
            return None
        get = attrgetter(*attributes)
        if not undecoded:
            return get
        return self._key_of_texts(get)

    def _key_of_texts(self, get: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], tuple[Any, ...]]:
        """A key with the text of what was left undecoded, made once for records in a row that have the same there."""
        last: tuple[Any, ...] = ()
        key: tuple[Any, ...] = ()

        def key_of(partial: Any) -> tuple[Any, ...]:
            nonlocal last, key
            values = get(partial)
            if values != last:
                key = tuple([bytes(value) if type(value) is Raw else value for value in values])
                last = values if _TEXTS.issuperset(map(type, values)) else ()  # 1 equals True, and is not the same
            return key

        def forget() -> None:
            nonlocal last
            last = ()

        self._forget_keys.append(forget)
        return key_of

    def _inner_finder(self, attribute: str, inner: Any, parts: tuple[str, ...]) -> Finder:
        routes = [(attribute_of(name), below) for name, below in _routes(parts)]
        decoded = self._decoded

        def find_in_struct(partial: Any) -> list[Any]:
            value = getattr(partial, attribute)
            if type(value) is not inner:
                return [] if value is UNSET else list(find(value, parts))
            values: list[Any] = []
            for name, below in routes:
                member = getattr(value, name)
                if member is not UNSET:
                    values += find(decoded(member), below)
            return values

        return find_in_struct

    def _decoded(self, value: Any) -> Any:
        """A member's value. What was left as text is decoded now, once if it is asked for several times in a row."""
        if type(value) is not Raw:
            return value
        if self._last_decoded[0] is not value:
            try:
                self._last_decoded = value, self._decode_raw(value)
            except (ValueError, RecursionError):
                raise NotUnderstoodError from None
        return self._last_decoded[1]

    def _decode_from_now(self, head: str) -> None:
        if head not in self._decoded_members:
            self._decoded_members.add(head)
            self._decode = self._decoder()
            raise LayoutGrownError

    def _decoder(self) -> Callable[[bytes], list[Any]]:
        """A decoder of the members asked for so far."""
        scalar: Any = str | bool | UnsetType | None
        types = {name: self._types.get(name, scalar) for name in (*self._scalars, *self._decoded_members)}
        written = {name: at for at, name in enumerate(self._order)}
        names = {attribute_of(name): name for name in sorted(types, key=lambda name: written.get(name, len(written)))}
        members = [(attribute, types[name], UNSET) for attribute, name in names.items()]
        partial = msgspec.defstruct("PartialRecord", members, rename=names, gc=False, kw_only=True)
        return msgspec.json.Decoder(list[partial]).decode  # type: ignore[valid-type] # made at run time

    def _type_of(self, head: str, rests: set[str]) -> Any:
        if head in self._inner:
            return self._inner[head] | list[Any] | str | int | float | bool | UnsetType | None
        return Any if rests == {""} else Raw | UnsetType


def _json_of(value: Any) -> bytes | str | None:
    if value is UNSET or value is None:
        return b""
    if type(value) is Raw:
        text = bytes(value)
        return b"" if text == b"null" else text
    return value if type(value) is str else None


def _inner_types(rests: Iterable[str]) -> dict[str, Any]:
    """The members of an object that some path may go through, each with its type; deeper objects stay text at first.

    Empty if the object is not decoded as a struct: a rule looks at all of it, or at too many of its members.
    """
    types: dict[str, Any] = {}
    for rest in sorted(rests):
        for name, below in _routes(tuple(rest.split("."))):
            types[name] = Raw | UnsetType if below else types.get(name, Any)
    return types if "" not in types and len(types) <= _MAX_INNER else {}


def _routes(parts: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """How a path may be split into the name of a member and the path below it: names may hold dots."""
    return [(".".join(parts[:taken]), parts[taken:]) for taken in range(1, len(parts) + 1)]


def _inner_struct(head: str, types: dict[str, Any]) -> Any:
    members = [(attribute_of(name), kind, UNSET) for name, kind in types.items()]
    return msgspec.defstruct(head, members, rename={attribute_of(name): name for name in types}, gc=False, kw_only=True)


def attribute_of(name: str) -> str:
    """The name of a struct's attribute for a member of any name."""
    return "m_" + "".join(char if char.isalnum() and char.isascii() else f"_{ord(char):x}_" for char in name)
