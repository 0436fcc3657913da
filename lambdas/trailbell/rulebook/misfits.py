"""Where a value does not fit a schema of rulebook/members.py: each place, with what was meant.

Only the words of JSON Schema that those schemas use; a test compares the verdicts with a full validator's.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trailbell.rulebook.members import Schema
from trailbell.rulebook.misspellings import meant, question


Keys = tuple[str | int, ...]

_TYPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("text", lambda value: isinstance(value, str)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("a map", lambda value: isinstance(value, dict)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "integer": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "null": ("null", lambda value: value is None),
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """The keys that lead to the place, what is wrong there, and whether it is that something is missing."""

    keys: Keys
    problem: str
    missing: bool = False


def misfits(schema: Schema, value: Any, keys: Keys = ()) -> Iterator[Misfit]:
    """Every place of a value, read from YAML, that the schema does not allow."""
    types = schema.get("type", [])
    allowed = [types] if isinstance(types, str) else types
    if allowed and not any(_TYPES[name][1](value) for name in allowed):
        yield Misfit(keys, f"{_name(keys)} is {' or '.join(_TYPES[name][0] for name in allowed)}, not {_shown(value)}")
    elif isinstance(value, dict):
        yield from _members(schema, value, keys)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from misfits(schema.get("items", {}), item, (*keys, at))
    else:
        yield from _scalar(schema, value, keys)


def _members(schema: Schema, value: Mapping[Any, Any], keys: Keys) -> Iterator[Misfit]:
    known = schema.get("properties", {})
    own = [*schema.get("patternProperties", {})]
    takes_all = schema.get("additionalProperties", True)
    unknown = [name for name in value if name not in known and not any(re.search(one, str(name)) for one in own)]
    absent = [name for name in schema.get("required", []) if name not in value]
    if takes_all:  # a selection may have any name, but where `condition` is missing, `conditon` is it
        unknown = [name for name in unknown if meant(str(name), absent)]
    free = [name for name in known if name not in value]
    for name in unknown:
        yield Misfit((*keys, name), _unknown(str(name), keys, free, known))
    found = {meant(str(name), free) for name in unknown}
    for name in absent:
        if name not in found:
            yield Misfit(keys, f"{_has(keys)} no {name!r}: {_advice(known[name])}", missing=True)
    for name in value:
        if name in known:
            yield from misfits(known[name], value[name], (*keys, name))


def _unknown(name: str, keys: Keys, free: list[str], known: Mapping[str, Schema]) -> str:
    where = f" in {_name(keys)}" if keys else ""
    if meant(name, free):
        return f"unknown field {name!r}{where}{question(name, free)}"
    if meant(name, known):
        return f"unknown field {name!r}{where}: {meant(name, known)!r} is there already"
    return f"unknown field {name!r}{where}: nothing reads it; known are {', '.join(known)}, and your own as x_..."


def _scalar(schema: Schema, value: Any, keys: Keys) -> Iterator[Misfit]:
    if "enum" in schema and value not in schema["enum"]:
        words = [_word(one) for one in schema["enum"]]
        close = question(str(value), words)
        yield Misfit(keys, f"{_name(keys)} is {_one_of(words)}, not {_shown(value)}{close}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield Misfit(keys, f"{_name(keys)} is {_meaning(schema)}, not {_shown(value)}")
    if "minimum" in schema and value < schema["minimum"]:
        yield Misfit(keys, f"{_name(keys)} is at least {schema['minimum']}, not {_shown(value)}")
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield Misfit(keys, f"{_name(keys)} has {len(value)} characters, and at most {schema['maxLength']} are shown")
    if "minLength" in schema and len(value) < schema["minLength"]:
        yield Misfit(keys, f"{_name(keys)} is empty: {schema['description']}", missing=True)


def _name(keys: Keys) -> str:
    """`undo.steps`; an item of a list is named by the list."""
    return ".".join(key for key in keys if isinstance(key, str)) or "it"


def _has(keys: Keys) -> str:
    named = _name(keys)
    return "has" if named == "it" else f"{named} has"


def _advice(schema: Schema) -> str:
    if "enum" in schema:
        return f"write {_one_of([*map(_word, schema['enum'])])}"
    return str(schema["description"])


def _one_of(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _word(value: Any) -> str:
    """As YAML has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meaning(schema: Schema) -> str:
    """A description within a sentence."""
    text = str(schema["description"]).removesuffix(".")
    return text[0].lower() + text[1:]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
