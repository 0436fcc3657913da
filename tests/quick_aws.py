"""What each test with an AWS makes anew in boto3 and moto, made once in a process: it took longer than most tests."""

import json
import marshal
import os
from collections import defaultdict
from collections.abc import Callable
from copy import copy, deepcopy
from functools import cache
from typing import Any, ClassVar

import botocore.session
from botocore import useragent
from botocore.hooks import EVENT_ALIASES, EventAliaser
from botocore.loaders import JSONFileLoader, Loader


_load_file = JSONFileLoader.load_file
_begin_aliaser = EventAliaser.__init__


def quicken_boto3() -> None:
    """From now on, in this process, sessions share what botocore reads of its own folder, and what it calls its events.

    Sessions, clients and what tests do to them stay each test's own.
    """
    JSONFileLoader.load_file = _copy_of_file
    botocore.session.create_loader = _SharingLoader.of
    EventAliaser.__init__ = _begin_with_known_names
    useragent.sanitize_user_agent_string_component = cache(useragent.sanitize_user_agent_string_component)


# moto adds to what it is given, so whoever has a loader of their own gets a copy. marshal copies fastest.
@cache
def _marshalled(path: str) -> bytes:
    parsed = _load_file(JSONFileLoader(), path)
    return marshal.dumps(json.loads(json.dumps(parsed)))  # of plain maps: marshal knows no ordered ones


def _copy_of_file(loader: JSONFileLoader, path: str) -> Any:
    return marshal.loads(_marshalled(path))  # noqa: S302 (of what was marshalled above)


class _SharingLoader(Loader):  # type: ignore[misc] # botocore ships no types
    """What a session loads, kept for every other that looks into the same folders.

    What botocore changes of it, the paths of S3's calls, it changes alike for all; a test of the models themselves
    takes a loader of its own (tests/infra/test_models.py).
    """

    _kept: ClassVar = defaultdict[tuple[str, ...], dict[Any, Any]](dict)

    @classmethod
    def of(cls, paths: str | None = None) -> "_SharingLoader":
        """As botocore.loaders.create_loader: for folders beside its own."""
        extra = [os.path.expanduser(os.path.expandvars(path)) for path in paths.split(os.pathsep)] if paths else []
        return cls(extra_search_paths=extra)

    @property
    def _cache(self) -> dict[Any, Any]:
        return self._kept[tuple(self.search_paths)]

    @_cache.setter
    def _cache(self, empty: dict[Any, Any]) -> None:
        """A loader begins with an empty one."""


_NAMES: dict[str, str] = {}


def _begin_with_known_names(aliaser: Any, emitter: Any, event_aliases: dict[str, str] | None = None) -> None:
    _begin_aliaser(aliaser, emitter, event_aliases)
    if aliaser._event_aliases == EVENT_ALIASES:
        aliaser._alias_name_cache = _NAMES


def quicken_moto() -> None:
    """From now on, in this process, moto answers and orders rows as it keeps them, and knows what a service can do.

    Else it looks for each of the ten types that a value of DynamoDB's may have under every name that an object of its
    own might give it, sorts a table for each query by keys that it casts for each comparison, asks for a service's
    methods at each call, and copies a table with all that its stream ever held for each item of a transaction: three
    quarters of what a test with many rows takes.
    """
    from moto.core import responses, utils  # here, as whoever uses no moto should not import it
    from moto.core.serialize import BaseJSONSerializer
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import Table

    structure: Callable[..., None] = BaseJSONSerializer._serialize_type_structure

    def value_or_structure(serializer: Any, serialized: dict[str, Any], value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue" or type(value) is not dict or not key:
            structure(serializer, serialized, value, shape, key)
            return
        answered: dict[str, Any] = {}
        for kind, content in value.items():  # an unknown one is a KeyError
            serializer._serialize(answered, content, shape.members[kind], kind)
        serializer._default_serialize(serialized, answered, shape, key)

    update: Callable[..., Any] = DynamoDBBackend.update_item

    def update_a_copy(backend: Any, table_name: str, key: dict[str, Any], *more: Any, **given: Any) -> Any:
        """An update changes the row that it finds, which a copy of the table may share."""
        table = backend.get_table(table_name)
        hash_key, range_key = backend.get_keys_value(table, key)
        rows, at = (table.items[hash_key], range_key) if table.range_key_attr else (table.items, hash_key)
        if row := rows.get(at):
            rows[at] = deepcopy(row)
        return update(backend, table_name, key, *more, **given)

    patched = {
        (DynamoDBBackend, "update_item"): update_a_copy,
        (Table, "__deepcopy__"): _copy_of_table,
        (BaseJSONSerializer, "_serialize_type_structure"): value_or_structure,
        (Table, "all_items"): _rows_in_order,
        (responses, "method_names_from_class"): cache(utils.method_names_from_class),
    }
    for (owner, name), instead in patched.items():
        setattr(owner, name, instead)


def _copy_of_table(table: Any, _: object) -> Any:
    """A table to fall back on. It shares the rows: puts and deletes leave a row as it is, and updates take a copy."""
    copied = copy(table)
    copied.items = defaultdict(dict)
    copied.items.update({key: copy(rows) if table.range_key_attr else rows for key, rows in table.items.items()})
    if table.stream_shard:
        copied.stream_shard = copy(table.stream_shard)
        copied.stream_shard.items = [*table.stream_shard.items]
        copied.stream_shard.table = copied
    return copied


def _rows_in_order(table: Any) -> list[Any]:
    """A table's rows by their keys, each of which is cast once."""
    partitions = table.items.values()
    rows = [row for rows in partitions for row in rows.values()] if table.range_key_attr else [*partitions]
    return sorted(rows, key=lambda row: [key.cast_value for key in (row.hash_key, row.range_key) if key])
