"""Log files wherever they are: folders and files of this machine, and s3:// addresses, as one list."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from trailbell.aws.errors import aws_errors
from trailbell.cli.options.aws_errors import explain
from trailbell.cli.scan.log_files import find_log_files
from trailbell.cli.scan.standard_input import STANDARD_INPUT, StandardInput
from trailbell.cli.scan.work import Source
from trailbell.cloudtrail.object_key import other_folder
from trailbell.cloudtrail.selection import Selection
from trailbell.errors import SettingsError
from trailbell.text.safe_text import one_line


_S3 = "s3://"


class LogPlace(click.ParamType[str]):
    """A path that exists, s3://bucket/prefix, or - for standard input."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as given, once it is known to be one of both."""
        text = str(value)
        if text == STANDARD_INPUT:
            return text
        if text.startswith(_S3):
            if not split_address(text)[0]:
                self.fail(f"{text}: names no bucket", param, ctx)
        elif not os.path.exists(text):
            self.fail(f"Path {text!r} does not exist.", param, ctx)
        return text


@dataclass(slots=True)
class Sources:
    """Log files in their order; how much else was there, by kind; folders that were not looked into, or refused.

    passed_over: what was named itself and is no log file, with its kind. left_out_by_time: whether a folder was.
    """

    files: list[Source] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    passed_folders: set[str] = field(default_factory=set)
    unlisted: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    left_out_by_time: bool = False


@dataclass(frozen=True, slots=True)
class _Noting(Selection):
    """A selection that notes the first folder which it leaves out for its day."""

    too_far: list[str] = field(default_factory=list)

    def may_hold(self, folder: str) -> bool:
        """As Selection."""
        held = Selection.may_hold(self, folder)
        if not (held or self.too_far) and Selection(self.accounts, self.regions).may_hold(folder):
            self.too_far.append(folder)
        return held


def find_sources(places: Sequence[str], selection: Selection, clients: Callable[[str], Any]) -> Sources:
    """Every log file at the places that may hold what is wanted, each once. Raises SettingsError when S3 refuses."""
    sources = Sources()
    noting = _Noting(selection.accounts, selection.regions, selection.since, selection.until)
    if STANDARD_INPUT in places:
        sources.files.append(StandardInput())
    local = [Path(place) for place in places if place != STANDARD_INPUT and not place.startswith(_S3)]
    _add_local(local, noting, sources)
    remote: dict[Source, None] = {}
    for place in places:
        if place.startswith(_S3):
            from trailbell.ops.log_listing import Passed, list_log_files  # here, as it lists with threads

            passed = Passed()
            bucket, prefix = split_address(place)
            try:
                remote.update(dict.fromkeys(list_log_files(clients("s3"), bucket, prefix, noting, passed)))
            except aws_errors() as error:
                raise SettingsError(f"{place}: {explain(error)}") from error
            sources.passed_folders |= passed.folders
            for kind, count in passed.objects.items():
                sources.ignored[kind] = sources.ignored.get(kind, 0) + count
    sources.files += remote
    sources.left_out_by_time = bool(noting.too_far)
    return sources


def split_address(address: str) -> tuple[str, str]:
    """The bucket and the prefix of an s3:// address; a prefix that is no log file's key ends with a "/"."""
    bucket, _, prefix = address.removeprefix(_S3).partition("/")
    is_folder = prefix and not prefix.endswith(("/", ".json", ".gz"))
    return bucket, prefix + "/" if is_folder else prefix


def _add_local(paths: Iterable[Path], selection: Selection, sources: Sources) -> None:
    found = find_log_files(paths, selection)
    sources.files += found.files
    sources.unlisted += found.unlisted
    for kind, files in found.ignored.items():
        for file in files:
            label = one_line(other_folder(file.as_posix()), 40) or kind
            sources.ignored[label] = sources.ignored.get(label, 0) + 1
            if file.resolve() in found.named:
                sources.passed_over.append(f"{file}: passed over: by its name it is of kind {label}, no log file")
