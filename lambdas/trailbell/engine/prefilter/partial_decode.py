"""Partial decoding: of a record only those members are decoded that some rule looks at.

msgspec decodes a block of records into structs of just these members (partial records). Whatever does not fit, a
member of another type than documented or anything it reads more strictly than Python's json, makes it refuse the
block, which is then parsed in full. No rule is decided here, so none can be missed.
https://jcristharif.com/msgspec/structs.html
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
_MAX_ASKED = 64  # of a member: Raw keeps its block in memory, so it is copied


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
        """Let go of the record that was asked about last: it holds the text of its whole block."""
        self._last_decoded = None, None

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

    def ask_json(self, members: Sequence[str], ask: Callable[..., Any]) -> Callable[[Any], Any]:
        """A function from a partial record to what is answered for the JSON of some members, or members of those: b""
        for what is missing or null; a string as it is; None for what is not at hand. For the same as in the record
        before, if it is short, it is not asked again. The answer is None where an object is something else.
        """
        attributes = list[str]()
        for member in members:
            head, *below = member.split(".")[:2]
            if head not in self._scalars:
                self._decode_from_now(head)
            if below and not (head in self._inner and below[0] in self._inner_types[head]):
                return lambda partial: None
            attributes.append(".".join(map(attribute_of, (head, *below))))
        values_of = attrgetter(*attributes)
        last: Any = None
        answer: Any = None

        def ask_about(partial: Any) -> Any:
            nonlocal last, answer
            try:
                values = values_of(partial)
            except AttributeError:  # an object is something else
                return None
            if values == last:
                return answer
            json = [*map(_json_of, values)]
            answer, last = ask(*json), None
            if all(text is not None and len(text) <= _MAX_ASKED for text in json):
                last = tuple([value.copy() if type(value) is Raw else value for value in values])
            return answer

        return ask_about

    def memo_key(self, paths: Sequence[str], *, by_text: bool = False) -> Callable[[Any], Any] | None:
        """A function from a partial record to a key under which the values of these fields may be remembered.

        Two records with equal keys have equal values there. The key is cheaper to get than the values: mostly it
        is one call of operator.attrgetter, and what was not decoded stays so. None where only decoding a member
        could tell, unless its text may be the key. The function raises AttributeError for a record in which an object
        is something else.
        """
        attributes, texts = list[str](), dict[str, set[bytes]]()
        for path in paths:
            head, _, rest = path.partition(".")
            if head not in self._scalars:
                self._decode_from_now(head)
            if head in self._inner:
                for attribute, below in self._attributes_in(head, rest):
                    if below:
                        texts.setdefault(attribute, set()).add(_ending(below[-1]))
                    else:
                        attributes.append(attribute)
            elif head in self._scalars or self._types[head] is Any:
                attributes.append(attribute_of(head))
            elif by_text:
                texts.setdefault(attribute_of(head), set()).add(b"")  # all of it tells
            else:
                return None
        if texts:
            return _key_with_texts(attributes, [_telling(*one) for one in texts.items()])
        return attrgetter(*attributes) if attributes else None

    def _attributes_in(self, head: str, rest: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Where a path may lead in an object that is decoded as a struct: the attribute, and the names below it, none
        where it holds the value itself.
        """
        types = self._inner_types[head]  # without names that hold dots, where only a text is asked for
        for name, below in _routes(tuple(rest.split("."))):
            if name in types:
                left = () if types[name] is Any else below
                yield f"{attribute_of(head)}.{attribute_of(name)}", left

    def lack(self, paths: Sequence[str]) -> Callable[[Any], bool] | None:
        """Whether a partial record has no value at any of these paths, if that can be told without decoding a member;
        False where only that could tell. None where it never can.
        """
        endings = dict[str, set[bytes]]()
        for path in paths:
            head, _, rest = path.partition(".")
            if head in self._scalars or head in self._inner or self._types.get(head) is Any or not rest:
                return None
            self._decode_from_now(head)
            endings.setdefault(attribute_of(head), set()).add(_ending(rest.rpartition(".")[2]))
        if len(endings) != 1:
            return None
        (attribute, below), decoded = endings.popitem(), self
        telling = _telling(attribute, below)
        get = attrgetter(attribute)
        return lambda partial: get(partial) is not decoded._last_decoded[0] and telling(partial) is UNSET

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


def _ending(name: str) -> bytes:
    """How the name of a member ends in JSON, if nothing in it is escaped: names may hold dots."""
    return name.encode() + b'"'


def _key_with_texts(attributes: Sequence[str], texts: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A function from a partial record to the values of some attributes, and what tells of some texts."""
    if len(texts) == 1 and attributes:
        get, telling = attrgetter(*attributes), texts[0]
        if len(attributes) == 1:
            return lambda partial: (get(partial), telling(partial))
        return lambda partial: (*get(partial), telling(partial))
    parts: tuple[Callable[[Any], Any], ...] = (*map(attrgetter, attributes), *texts)
    return lambda partial: tuple([part(partial) for part in parts])


def _telling(attribute: str, endings: Iterable[bytes]) -> Callable[[Any], Any]:
    """A function from a partial record to what tells of members below one that is left as text: UNSET if there are
    none with names that end so, else the text; or what the member is instead.
    """
    get = attrgetter(attribute)
    if b"" in endings:
        return lambda partial: bytes(value) if type(value := get(partial)) is Raw else value
    first, *others = sorted(endings)

    def telling(partial: Any) -> Any:
        value = get(partial)
        if type(value) is not Raw:
            return value
        text = bytes(value)
        if first in text or b"\\" in text:
            return text
        for ending in others:
            if ending in text:
                return text
        return UNSET

    return telling


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
