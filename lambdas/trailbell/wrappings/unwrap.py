"""Unwraps a file: layers off, archives open, envelopes open; what is left is written as one log file."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from trailbell.cloudtrail.object_key import ObjectKind, classify_file
from trailbell.cloudtrail.splitter import MAX_ENTRY_BYTES
from trailbell.errors import LogFileError
from trailbell.text.safe_text import one_line
from trailbell.wrappings.archives import is_tar, is_zip, tar_members, zip_members
from trailbell.wrappings.envelopes import Found, kind_of, records_in, values_in
from trailbell.wrappings.items import Items
from trailbell.wrappings.layers import peeled
from trailbell.wrappings.lines import csv_records, is_csv, is_lines, line_records, what_lines_are
from trailbell.wrappings.plain import may_be_other
from trailbell.wrappings.stream import Guard, Stream


_RECORD = b'{"eventVersion"'
_NO_RECORD = b"{}"
_TEXT = b'"'
_ITSELF: Found = [{"eventVersion": ""}]  # a record that was not looked into
_BLOCK = 96 * 1024
_HEAD = 512
_MOST_ARCHIVES = 3
_JUNK = ("__MACOSX/", "/._", ".DS_Store")
_MOST_NAMED = 3


class Unwrapping:
    """The unwrapping of one file. notes: takes what is passed over on the way; guard: counts what is read of it."""

    def __init__(self, notes: list[str], guard: Guard) -> None:
        self._notes = notes
        self._guard = guard

    def text(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text of a log file that holds all records; what is none of an entry is an entry without members.

        Raises LogFileError where the content breaks off, and at the end if there was no record.
        """
        block, size, separator = [b'{"Records":['], 0, b""
        try:
            for entry in self._entries(Stream(self._guard.check(pieces)), 0):
                block += (separator, entry)
                size += len(entry)
                separator = b","
                if size >= _BLOCK:
                    yield b"".join(block)
                    block, size = [], 0
        except LogFileError:
            if size:  # what was whole before that place counts
                yield b"".join(block)
            raise
        yield b"".join((*block, b"]}"))

    def _entries(self, stream: Stream, archives: int) -> Iterator[bytes]:
        stream = peeled(stream, self._guard)
        head = stream.peek(_HEAD)
        if not (is_zip(head) or is_tar(head)):
            stream.skip_blank()
            head = stream.peek(_HEAD)
        if is_zip(head) or is_tar(head):
            if archives == _MOST_ARCHIVES:
                raise LogFileError(f"log file is an archive in archives, more than {_MOST_ARCHIVES} deep")
            yield from self._members(stream, head, archives)
        elif not head:
            raise LogFileError("log file is empty")
        else:
            yield from _recorded(stream, head, self._guard)

    def _members(self, stream: Stream, head: bytes, archives: int) -> Iterator[bytes]:
        """The entries of all log files in an archive; what cannot be read is named at the end."""
        passed, unreadable, read = Counter[str](), list[str](), 0
        for name, member in zip_members(stream, self._guard) if is_zip(head) else tar_members(stream):
            kind = classify_file(name)
            if any(junk in f"/{name}" for junk in _JUNK):
                continue
            if kind not in (ObjectKind.LOG_FILE, ObjectKind.OTHER):
                passed[kind] += 1
                continue
            try:
                yield from self._entries(member, archives + 1)
                read += 1
            except LogFileError as error:
                if error.foreign:
                    named = f"not from CloudTrail ({one_line(name, 80)})"
                    passed[named if len(passed) < _MOST_NAMED else "others not from CloudTrail"] += 1
                else:
                    unreadable.append(f"{one_line(name, 200)}: {error}")
        if passed:
            found = ", ".join(f"{count} {kind}" for kind, count in sorted(passed.items()))
            self._notes.append(f"passed over in the archive: {found}")
        if unreadable:
            raise LogFileError(f"{len(unreadable)} files of the archive cannot be read, such as {unreadable[0]}")
        if not read:
            raise LogFileError("log file is an archive without a log file in it", foreign=True)


def _recorded(stream: Stream, head: bytes, guard: Guard) -> Iterator[bytes]:
    """The entries of a text. Raises LogFileError if none is a record, and says what it is."""
    waiting, found_any, first = 0, False, b""
    for found, text in _found(stream, head):
        if not first or first.startswith(_TEXT):
            first = text
        if not all(found):
            guard.passed(found.count(None))
        if not found_any and not any(found):
            waiting += len(found)
            continue
        found_any = True
        yield from [_NO_RECORD] * waiting
        waiting = 0
        if text and len(found) == 1 and (found[0] is not None or text.startswith(_TEXT)):
            yield text
        else:
            yield from map(_written, found)
    if not found_any:
        raise _no_record(head, first, waiting)


def _found(stream: Stream, head: bytes) -> Iterator[tuple[Found, bytes]]:
    """What each part of a text gives; of one that is itself a record its own text."""
    start = head.lstrip()[:1]
    if start in (b"{", b"[") and not is_lines(stream):
        yield from _items(stream)
    elif start not in (b"{", b"[") and is_csv(head):
        yield from csv_records(stream)
    else:
        yield from line_records(stream)


def _items(stream: Stream) -> Iterator[tuple[Found, bytes]]:
    for item in Items(iter(stream)):
        if not item.whole:
            yield [None], b""
        elif item.text.startswith(_RECORD) and not may_be_other(item.text):
            yield _ITSELF, item.text
        else:
            values = values_in(item.text.decode("utf-8", "replace"))
            found: Found = [None] if values is None else [one for value in values for one in records_in(value)]
            yield found, item.text if found == values or not any(found) else b""


def _written(record: Any) -> bytes:
    """A record as JSON; without members where there is none, or more of it than any record has."""
    text = json.dumps(record or {}, separators=(",", ":")).encode()
    return text if len(text) <= MAX_ENTRY_BYTES else _NO_RECORD


def _no_record(head: bytes, first: bytes, count: int) -> LogFileError:
    """The error for a text without a record."""
    start = head.lstrip()[:1]
    if start not in (b"{", b"["):
        return LogFileError(f"log file is {what_lines_are(head)}", foreign=True)
    values = values_in(first.decode("utf-8", "replace")) if first else None
    kind = kind_of(values[0]) if values else ""
    if kind:
        return LogFileError(f"log file is {kind}", foreign=True)
    if not count:
        return LogFileError("log file holds no record: its list is empty")
    return LogFileError("log file has no Records: it is JSON, but not from CloudTrail", foreign=True)
