"""Rules decided in the plainest way: every rule tried on every event, every test written as its definition reads.

Slow, and shares no line with the matcher: what both say is what the rules mean (rules/README.md).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from trailbell.engine.rulebook import Rule


def matching_names(rules: Sequence[Rule], event: dict[str, Any], facts: dict[str, Any]) -> set[str]:
    """The names of the rules that match the event."""
    return {rule.name for rule in rules if _holds(rule.detection, event, {"facts": facts})}


def _holds(node: Sequence[Any], event: Any, derived: Any) -> bool:
    kind, *rest = node
    if kind == "and":
        return all(_holds(part, event, derived) for part in rest[0])
    if kind == "or":
        return any(_holds(part, event, derived) for part in rest[0])
    if kind == "not":
        return not _holds(rest[0], event, derived)
    if kind == "field":
        path, (test, *given) = rest
        return _TESTS[test](_values(path, event, derived), given, (event, derived))
    raise AssertionError(f"no shipped rule has {kind}")


def _values(path: str, event: Any, derived: Any) -> list[Any]:
    return list(_find(derived if path.startswith("facts.") else event, path))


def _find(node: Any, path: str) -> Iterator[Any]:
    if isinstance(node, list):
        for one in node:
            yield from _find(one, path)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == path:
                yield value
            elif path.startswith(f"{key}."):
                yield from _find(value, path[len(key) + 1 :])


def _flat(values: list[Any]) -> list[Any]:
    return [one for value in values for one in (_flat(value) if isinstance(value, list) else [value])]


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _leaves(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return [leaf for value in node.values() for leaf in _leaves(value)]
    if isinstance(node, list):
        return [leaf for value in node for leaf in _leaves(value)]
    return [] if node is None else [node]


def _texts(values: list[Any], *, inside: bool = False) -> list[str]:
    found = []
    for value in _flat(values):
        if inside and isinstance(value, dict):
            found += [_text(leaf) for leaf in _leaves(value)]
            found.append(json.dumps(value, separators=(",", ":"), ensure_ascii=False))
        else:
            found.append(_text(value))
    return [text for text in found if text is not None]


def _relation(decide: Callable[[str, str], bool], *, inside: bool = False) -> Any:
    def test(values: list[Any], given: list[Any], roots: Any) -> bool:
        text, cased = given[0], len(given) > 1 and given[1]
        return any(decide(found if cased else found.lower(), text) for found in _texts(values, inside=inside))

    return test


def _glob(values: list[Any], given: list[Any], roots: Any) -> bool:
    parts, cased = given[0], len(given) > 1 and given[1]
    pattern = "".join(re.escape(part) if isinstance(part, str) else {0: ".*", 1: "."}[part] for part in parts)
    inside = bool(parts) and parts[0] == 0 and parts[-1] == 0
    return any(
        re.fullmatch(pattern, found if cased else found.lower(), re.DOTALL) is not None
        for found in _texts(values, inside=inside)
    )


def _compare(values: list[Any], given: list[Any], roots: Any) -> bool:
    name, number = given
    found = []
    for value in _flat(values):
        if isinstance(value, str) and len(value) <= 64 and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value, re.ASCII):
            found.append(float(value) if "." in value else int(value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append(value)
    decide = {"eq": "__eq__", "lt": "__lt__", "lte": "__le__", "gt": "__gt__", "gte": "__ge__"}[name]
    return any(getattr(value, decide)(number) is True for value in found)


def _fieldref(values: list[Any], given: list[Any], roots: Any) -> bool:
    path, how = given
    others = _texts(_values(path, *roots))
    return any(_RELATIONS[how](a.lower(), b.lower()) for a in _texts(values) for b in others)


_RELATIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda value, text: value == text,
    "prefix": lambda value, text: value[: len(text)] == text,
    "suffix": lambda value, text: text == "" or value[-len(text) :] == text,
    "contains": lambda value, text: value.find(text) >= 0,
}


def _re(values: list[Any], given: list[Any], roots: Any) -> bool:
    """Python's own engine: it says the same, but that in RE2 `$` is the end of the text alone."""
    pattern, flags = given
    search = re.compile((f"(?{flags})" if flags else "") + pattern.replace("$", r"\Z")).search
    return any(search(text) for text in _texts(values, inside=True))


_TESTS: dict[str, Callable[[list[Any], list[Any], Any], bool]] = {
    "eq": _relation(_RELATIONS["eq"]),
    "prefix": _relation(_RELATIONS["prefix"]),
    "suffix": _relation(_RELATIONS["suffix"]),
    "contains": _relation(_RELATIONS["contains"], inside=True),
    "re": _re,
    "in": lambda values, given, roots: any(text.lower() in given[0] for text in _texts(values)),
    "glob": _glob,
    "any": lambda values, given, roots: [value for value in _flat(values) if value is not None] != [],
    "null": lambda values, given, roots: values == [] or None in values,
    "exists": lambda values, given, roots: (values != []) == given[0],
    "compare": _compare,
    "fieldref": _fieldref,
}
