"""Fields: how a rule's field name finds values in an event, and what text a value is compared as.

Where Sigma does not say, this module decides (rules/README.md, "What a field finds").
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary


Finder = Callable[[Any], list[Any]]
"""From an event, or whatever else holds its fields, to the values of one field."""


def compile_path(path: str, *, dotted_root: bool = True) -> Finder:
    """A function from an event to all values at a dotted path; no value means the field is missing.

    A path crosses lists (any element) and takes keys that themselves hold dots (every split is tried).
    dotted_root: whether members of the event itself may hold dots; where they never do, less is tried.
    """
    head, *rest = path.split(".")
    parts = tuple(rest)
    if not parts:
        return lambda event: [event[path]] if isinstance(event, dict) and path in event else []
    if dotted_root:
        return lambda event: list(find(event, (head, *parts)))
    find_below = _below(head, parts)
    return lambda event: find_below((event,))


def compile_path_in(path: str, position: int) -> Finder:
    """The same for one of several events, by its position, none of whose own members holds a dot."""
    head, *parts = path.split(".")
    if parts:
        return _below(head, tuple(parts), position)
    find_member = compile_path(path)
    return lambda events: find_member(events[position])


class Way(NamedTuple):
    """How a path leads through objects, from a member of one of several events whose own name holds no dot.

    steps: names on the way, each with the names that hold dots and would lead on as well; last: the name at its end.
    """

    position: int
    head: str
    steps: tuple[tuple[str, tuple[str, ...]], ...]
    last: str


def way_of(find_values: Finder) -> Way | None:
    """The way of a finder that `compile_path_in` has made; None where it has none."""
    return _WAYS.get(find_values)


_WAYS: WeakKeyDictionary[Finder, Way] = WeakKeyDictionary()


def _below(head: str, parts: tuple[str, ...], position: int = 0) -> Finder:
    """Finds, in one of several events, the values below a member whose own name holds no dot. Mostly the way leads
    through objects alone, by names without dots, and it takes no search.
    """
    joined = [tuple(".".join(parts[at:end]) for end in range(at + 2, len(parts) + 1)) for at in range(len(parts) - 1)]
    steps, last = tuple(zip(parts[:-1], joined, strict=True)), parts[-1]

    def find_below(events: Any) -> list[Any]:
        event = events[position]
        if not isinstance(event, dict) or head not in event:
            return []
        node = event[head]
        for name, dotted in steps:
            if not (isinstance(node, dict) and node.keys().isdisjoint(dotted)):
                return list(find(event[head], parts))
            if name not in node:
                return []
            node = node[name]
        if isinstance(node, dict):
            return [node[last]] if last in node else []
        return list(find(node, (last,)))

    _WAYS[find_below] = Way(position, head, steps, last)
    return find_below


def find(node: object, parts: tuple[str, ...]) -> Iterator[Any]:
    """The values below a node at the parts of a path."""
    if not parts:
        yield node
    elif isinstance(node, list):
        for element in node:
            yield from find(element, parts)
    elif isinstance(node, dict):
        for taken in range(1, len(parts) + 1):
            key = ".".join(parts[:taken])
            if key in node:
                yield from find(node[key], parts[taken:])


def text_at(node: object, *parts: str) -> str:
    """The string at a path of nested objects, "" where there is none. It crosses no lists and joins no names."""
    for name in parts:
        if not isinstance(node, dict):
            return ""
        node = node.get(name)
    return node if isinstance(node, str) else ""


def members(values: list[Any]) -> Iterator[Any]:
    """The values themselves, lists replaced by their elements at any depth."""
    for value in values:
        if isinstance(value, list):
            yield from members(value)
        else:
            yield value


def leaves(node: object) -> Iterator[Any]:
    """Every scalar inside a value except null; keys are left out."""
    if isinstance(node, dict):
        for value in node.values():
            yield from leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from leaves(value)
    elif node is not None:
        yield node


def text_of(value: object) -> str | None:
    """A scalar as the text a rule compares with; None for null, objects and lists."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None


def json_text(value: object) -> str:
    """An object as compact JSON: what `contains` searches when a field holds no scalar."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
