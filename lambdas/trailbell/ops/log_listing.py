"""The log files of a trail bucket: folders are discovered level by level, and only those asked for are listed.

One region's folder of one account at a time, several at once, in the order of their keys.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from trailbell.cloudtrail.notification import ObjectRef
from trailbell.cloudtrail.object_key import ObjectKind, classify_file, is_in_account, is_read, trail_levels
from trailbell.cloudtrail.selection import Selection


_AT_ONCE = 8  # below the ten connections a client keeps
_REGION = 3  # levels below AWSLogs/ down to a region's folder
_DAY = 6


class Passed:
    """What was passed over: objects by kind, and folders of other things that were not even listed."""

    def __init__(self) -> None:
        self.objects: dict[ObjectKind, int] = {}
        self.folders: set[str] = set()


def list_log_files(client: Any, bucket: str, prefix: str, selection: Selection, passed: Passed) -> Iterator[ObjectRef]:
    """The log files below a prefix that may hold what is wanted, by key. Raises what botocore raises.

    prefix: anything from "" to a single key; a folder is completed by its "/".
    """
    for ref in list_folders(client, bucket, prefix, selection, is_read, passed.folders):
        if _is_log_file(ref, passed):
            yield ref


def list_folders(
    client: Any, bucket: str, prefix: str, selection: Selection, wanted: Callable[[str], bool], passed: set[str]
) -> Iterator[ObjectRef]:
    """The objects below a prefix: in an account's folder only those of the folders wanted; the others are `passed`."""
    folders: list[str] = []
    loose: list[ObjectRef] = []
    _discover(client, bucket, prefix, selection, wanted, passed, folders, loose)
    yield from loose
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for part in threads.map(lambda folder: _below(client, bucket, folder, selection), folders):
            yield from part


def _discover(
    client: Any,
    bucket: str,
    prefix: str,
    selection: Selection,
    wanted: Callable[[str], bool],
    passed: set[str],
    folders: list[str],
    loose: list[ObjectRef],
) -> None:
    """Descend to the regions' folders; objects that lie beside folders on the way are `loose`."""
    if len(trail_levels(prefix)) >= _REGION and prefix.endswith("/"):
        folders.append(prefix)
        return
    inner, objects = _list(client, bucket, prefix, delimiter=True)
    loose += objects
    for folder in inner:
        parent, _, name = folder.rstrip("/").rpartition("/")
        if is_in_account(parent) and not wanted(name):
            passed.add(name)
        elif selection.may_hold(folder):
            _discover(client, bucket, folder, selection, wanted, passed, folders, loose)


def _below(client: Any, bucket: str, folder: str, selection: Selection) -> list[ObjectRef]:
    """The objects of a region's folder, in the days that are near enough; all at once where none is excluded."""
    everything = selection.since is None and selection.until is None
    if everything or len(trail_levels(folder)) >= _DAY:
        return _list(client, bucket, folder, delimiter=False)[1]
    inner, objects = _list(client, bucket, folder, delimiter=True)
    for deeper in inner:
        if selection.may_hold(deeper):
            objects += _below(client, bucket, deeper, selection)
    return objects


def _list(client: Any, bucket: str, prefix: str, *, delimiter: bool) -> tuple[list[str], list[ObjectRef]]:
    """Folders and objects under a prefix."""
    folders: list[str] = []
    objects: list[ObjectRef] = []
    split = {"Delimiter": "/"} if delimiter else {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **split):
        folders += [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
        objects += [
            ObjectRef(bucket, entry["Key"], size=entry["Size"])
            for entry in page.get("Contents", ())
            if not entry["Key"].endswith("/")
        ]
    return folders, objects


def _is_log_file(ref: ObjectRef, passed: Passed) -> bool:
    """As on a disk; what is none is counted."""
    kind = classify_file(ref.key)
    if kind is not ObjectKind.LOG_FILE:
        passed.objects[kind] = passed.objects.get(kind, 0) + 1
    return kind is ObjectKind.LOG_FILE
