"""The values by which two records name the same thing, by the paths that `undone_by:` of a rule gives."""

from collections.abc import Iterator, Sequence
from typing import Any

from trailbell.cloudtrail.record import Record
from trailbell.facts.facts import Facts
from trailbell.hits.undo import is_section, place_values


_JOINED = "+"
_COLONS_OF_ARN = 5


def parts_of(path: str) -> list[str]:
    """The paths that `+` joins."""
    return [part.strip() for part in path.split(_JOINED)]


def joined_values(path: str, record: Record, facts: Facts) -> list[str]:
    """The values of a path; of one with `+` a value for each of the one part that may have several. None if a part has
    none, or if more than one has several: which belongs to which is not said.
    """
    parts = [
        [*dict.fromkeys(_bare(value, record.account) for value in _values(part, record, facts))]
        for part in parts_of(path)
    ]
    if not all(parts) or sum(len(values) > 1 for values in parts) > 1:
        return []
    count = max(map(len, parts))
    return ["\n".join(values[at if len(values) > 1 else 0] for values in parts) for at in range(count)]


def _values(path: str, record: Record, facts: Facts) -> list[str]:
    """What a record holds in a place. Unlike a step's, a path goes on in each item of a list."""
    if not is_section(path):
        return place_values(path, record, facts)
    return [*_scalars(record.fields, path.split("."))]


def _scalars(node: Any, names: Sequence[str]) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _scalars(item, names)
    elif names:
        if isinstance(node, dict):
            yield from _scalars(node.get(names[0]), names[1:])
    elif (isinstance(node, str) and node) or (isinstance(node, int) and not isinstance(node, bool)):
        yield str(node)


def _bare(value: str, account: str) -> str:
    """A name as both records may give it: of an ARN what follows the resource's type, else the whole. What is another
    account's keeps its account: its trail `main` is not ours.
    """
    if value.startswith("arn:") and value.count(":") >= _COLONS_OF_ARN:
        *_, owner, resource = value.split(":", _COLONS_OF_ARN)
        bare = resource.partition("/")[2] or resource.partition(":")[2] or resource
        value = bare if owner in ("", account) else f"{owner}:{bare}"
    return value.strip("/")
