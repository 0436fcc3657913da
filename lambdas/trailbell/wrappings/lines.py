"""Texts of lines: one JSON value or more a line, maybe with a time before it, and CSV with JSON in a column."""

import csv
import re
from collections.abc import Iterator

from trailbell.errors import LogFileError
from trailbell.wrappings.envelopes import LISTS, Found, records_in, values_in
from trailbell.wrappings.stream import Stream


MOST_LINE = 16 * 1024 * 1024
_MOST_PREFIX = 400  # a time, the names of a log group and a stream
_HEAD = 4096
_MOST_FIRST = 2 * 1024 * 1024  # of the first line, to see whether it is whole
_COLUMNS = frozenset(("_raw", "@message", "message", "cloudtrailevent", "event.original", "_source", "detail", "raw"))
_HISTORY = frozenset(("event name", "event time", "event source", "user name", "event id"))
_FLOW_LOG = re.compile(rb"version account-id interface-id|2 \d{12} eni-")

_CLI_TEXT = (b"EVENTS\t", b"Events:", b"---", b"|")  # --output text, yaml, table
_NAME = re.compile(r"[\w@][\w .@()/-]{0,60}")
_FEW = 2  # columns: fewer may be a sentence
_DELIMITERS = ",;\t"
_CSV_LIMIT = 2 * 1024 * 1024


def line_records(stream: Stream) -> Iterator[tuple[Found, bytes]]:
    """What each line that is not blank gives, with the line's own text if that is a record and nothing else."""
    for line in stream.lines(MOST_LINE):
        line = line.strip()
        if not line:
            continue
        at = line.find(b"{", 0, _MOST_PREFIX)
        text = line[max(at, 0) :].rstrip(b",")
        values = values_in(text.decode("utf-8", "replace")) if at >= 0 else None
        found: Found = [None] if values is None else [one for value in values for one in records_in(value)]
        alone = bool(values) and len(values or ()) == 1 and found == values
        yield found, text if alone else b""


def is_lines(stream: Stream) -> bool:
    """Whether a text is one of lines: the first is whole JSON of no list, or has something before it."""
    head = stream.peek(_HEAD)
    while head[:1] != b"[" and b"\n" not in head and len(head) < _MOST_FIRST:
        more = stream.peek(len(head) * 2)
        if len(more) == len(head):
            break
        head = more
    first, _, rest = head.partition(b"\n")
    at = first.find(b"{", 0, _MOST_PREFIX)
    if first[:1] == b"[" or at < 0:
        return False
    if at > 0:
        return True
    values = values_in(first.decode("utf-8", "replace")) if rest.strip() else None
    return values is not None and not any(isinstance(one, dict) and LISTS & one.keys() for one in values)


def csv_records(stream: Stream) -> Iterator[tuple[Found, bytes]]:
    """What each row gives, where a column holds whole records. Raises LogFileError for a CSV without."""
    csv.field_size_limit(_CSV_LIMIT)
    lines = (line.decode("utf-8", "replace") + "\n" for line in stream.lines(MOST_LINE))
    rows = csv.reader(lines, delimiter=_delimiter(stream))
    try:
        column = _column(next(rows, []))
        for row in rows:
            if row:
                yield records_in(row[column]) if column < len(row) else [None], b""
    except csv.Error as error:
        raise LogFileError(f"log file is not valid CSV: {error}") from None


def is_csv(head: bytes) -> bool:
    """Whether a text begins with the names of columns."""
    if head.startswith(_CLI_TEXT):
        return False
    names = _names(head)
    known = {name.lower() for name in names}
    return len(names) > 1 and (bool(known & _COLUMNS) or (len(names) > _FEW and all(map(_NAME.fullmatch, names))))


def _names(head: bytes) -> list[str]:
    first = head.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    cells = first.split(max(_DELIMITERS, key=first.count))
    return [cell.strip().strip('"') for cell in cells]


def what_lines_are(head: bytes) -> str:
    """What a text of lines without JSON is, with what to do."""
    start = head.lstrip()
    if _FLOW_LOG.match(start):
        return "VPC flow logs"
    if start[:1] == b"<":
        error = re.search(rb"<Code>(\w{1,60})</Code>", head)
        return f"an answer of AWS saved as a file: {error[1].decode()}" if error else "HTML or XML"
    if start.startswith(_CLI_TEXT):
        return "output of the AWS CLI as text: repeat the command with --output json"
    for magic, what in _BINARY.items():
        if head.startswith(magic):
            return what
    return "neither JSON nor any form in which records of CloudTrail are known to come"


_BINARY = {
    b"PAR1": "Parquet: duckdb -c \"copy (from 'FILE') to 'records.jsonl'\", if its columns hold whole records",
    b"Obj\x01": "Avro: export it as JSON lines",
    b"ORC": "ORC: export it as JSON lines",
    b"SQLite format 3": "a SQLite database: export the records as JSON lines",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first (7z x FILE)",
    b"Rar!": "a RAR archive: unpack it first",
}


def _delimiter(stream: Stream) -> str:
    first = stream.peek(_HEAD).lstrip().split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(_DELIMITERS, key=first.count)


def _column(names: list[str]) -> int:
    plain = [name.strip().lower() for name in names]
    for at, name in enumerate(plain):
        if name in _COLUMNS:
            return at
    if len(_HISTORY.intersection(name.replace("_", " ") for name in plain)) > 1:
        raise LogFileError(
            "log file is the console's event history as CSV, which lacks most of each record: download it as JSON, or "
            "aws cloudtrail lookup-events --output json > events.json"
        )
    columns = ", ".join(sorted(_COLUMNS))
    raise LogFileError(f"log file is CSV without a column that holds whole records, such as {columns}")
