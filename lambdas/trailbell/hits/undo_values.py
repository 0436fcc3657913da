"""The values by which two records name the same thing, by the paths that `undone_by:` of a rule gives."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trailbell.cloudtrail.record import Record, names_of
from trailbell.facts.facts import Facts
from trailbell.hits.undo import is_section, place_values


_JOINED = "+"
_REMEMBERED = 1024  # paths that rules give
_COLONS_OF_ARN = 5
_ARN = "arn:"
_TYPE_ENDS = re.compile(r"[:/]+")
"""Between the type and the name: key/1234, log-group:main, parameter/prod/db."""

# Account ids, or all in whatever case; names of resources keep theirs: a patch group `All` is not `all`.
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html
_ACCOUNTS_OR_ALL = frozenset({"accountIdsToAdd", "accountIdsToRemove"})
_ALL = "all"

RESOURCE_TYPE = re.compile(r"[a-z0-9-]+:[a-z0-9-]+", re.ASCII)
"""Service and type as they stand in ARNs: ssm:parameter."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the paths that `+` joins.

    names: of members from the record's own on, None where the path is a place of a template.
    is_all: whether it holds account ids or all.
    """

    path: str
    names: tuple[str, ...] | None
    is_all: bool


def parts_of(path: str) -> list[str]:
    """The paths that `+` joins."""
    return [part.strip() for part in path.split(_JOINED)]


@functools.lru_cache(_REMEMBERED)
def _parts(path: str) -> tuple[_Part, ...]:
    return tuple(
        _Part(part, names_of(part) if is_section(part) else None, part.rpartition(".")[2] in _ACCOUNTS_OR_ALL)
        for part in parts_of(path)
    )


def joined_values(path: str, record: Record, facts: Facts, resource_type: str = "") -> list[str]:
    """The values of a path; of one with `+` a value for each of the one part that may have several. None if a part has
    none, or if more than one has several: which belongs to which is not said.

    resource_type: what the first part names, such as ssm:parameter, where a record may name it without its ARN.
    """
    named = _parts(path)
    first = named[0].names
    if first and record.fields.get(first[0]) is None:  # as of an act whose answer holds nothing
        return []
    if len(named) == 1:
        return _values(named[0], record, facts, resource_type)
    values = _values(named[0], record, facts, resource_type)
    parts = [values, *(_values(part, record, facts, "") for part in named[1:])]
    if not all(parts) or sum(len(values) > 1 for values in parts) > 1:
        return []
    count = max(map(len, parts))
    return ["\n".join(values[at if len(values) > 1 else 0] for values in parts) for at in range(count)]


def _values(part: _Part, record: Record, facts: Facts, resource_type: str) -> list[str]:
    """What a record holds in a place, each once. Unlike a step's, a path goes on in each item of a list."""
    names = part.names
    values = _scalars(record.fields, names) if names else place_values(part.path, record, facts)
    if not values:
        return values
    if len(values) == 1:
        return [_named(values[0], part, record.account, resource_type)]
    return [*dict.fromkeys([_named(value, part, record.account, resource_type) for value in values])]


def _scalars(fields: Any, names: Sequence[str]) -> list[str]:
    """The texts and numbers at the names of a path, in each item of a list on its way."""
    node = fields
    for name in names:  # mostly the way leads through objects alone, and to a text or nothing
        if not isinstance(node, dict):
            break
        node = node.get(name)
    else:
        if isinstance(node, str):
            return [node] if node else []
    if node is None:
        return []
    found = list[str]()
    _add_scalars(found, fields, names, 0)
    return found


def _add_scalars(found: list[str], node: Any, names: Sequence[str], at: int) -> None:
    """Add the texts and numbers below a node at the names from a position on."""
    while at < len(names) and isinstance(node, dict):
        node = node.get(names[at])
        at += 1
    if isinstance(node, list):
        for item in node:
            _add_scalars(found, item, names, at)
    elif at == len(names) and (
        (isinstance(node, str) and node) or (isinstance(node, int) and not isinstance(node, bool))
    ):
        found.append(str(node))


def _named(value: str, part: _Part, account: str, resource_type: str) -> str:
    """A name as both records may give it: of an ARN service, type and name, and of a bare name the same where its type
    is known. Else it is the name alone, which no ARN is equal to: an event data store and a dashboard may be called the
    same. What is another account's keeps its account: its trail `main` is not ours.
    """
    if value.startswith("arn:") and value.count(":") >= _COLONS_OF_ARN:
        _, _, service, _, owner, resource = value.split(":", _COLONS_OF_ARN)
        named = _ARN + service + ":" + _TYPE_ENDS.sub("/", resource, count=1).rstrip("/")
        return named if owner in ("", account) else f"{named} of {owner}"
    bare = value.strip("/")
    if part.is_all and bare.lower() == _ALL:
        return _ALL
    return f"{_ARN}{resource_type}/{bare}" if resource_type else bare
