"""Texts of lines: one JSON value or more a line, maybe with a time before it, and CSV with JSON in a column."""

import csv
import json
import re
from collections.abc import Iterator

from trailbell.errors import LogFileError
from trailbell.wrappings.envelopes import LISTS, Found, records_in, values_in
from trailbell.wrappings.stream import Stream


MOST_LINE = 16 * 1024 * 1024
_MOST_PREFIX = 400  # a time, the names of a log group and a stream
_HEAD = 4096
_MOST_SHOWN = 400  # of a line that is no JSON
_MOST_FIRST = 2 * 1024 * 1024  # of the first line, to see whether it is whole
_COLUMNS = ("_raw", "@message", "cloudtrailevent", "event.original", "_source", "detail", "message", "raw")
"""Those that hold whole records, the surest first."""
_HISTORY = frozenset(("event name", "event time", "event source", "user name", "event id"))
_FLOW_LOG = re.compile(rb"version account-id interface-id|2 \d{12} eni-")

_CLI_TEXT = (b"EVENTS\t", b"Events:", b"---", b"|")  # --output text, yaml, table
_NAME = re.compile(r"[\w@][\w .@()/-]{0,60}")
_FEW = 2  # columns: fewer may be a sentence
_DELIMITERS = ",;\t"
_CSV_LIMIT = 2 * 1024 * 1024


def line_records(stream: Stream) -> Iterator[tuple[Found, bytes]]:
    """What each line that is not blank gives, with its own text if that is one record and nothing else, or holds none.

    The text of what is no JSON comes as a JSON text. Raises LogFileError for a last line that is cut off.
    """
    any_json = any_record = False
    for number, line in enumerate(stream.lines(MOST_LINE), 1):
        line = line.strip()
        if not line:
            continue
        at = line.find(b"{", 0, _MOST_PREFIX)
        text = line[max(at, 0) :].rstrip(b",")
        values = values_in(text.decode("utf-8", "replace")) if at >= 0 else None
        if values is None:
            if stream.unended and (any_record or (any_json and at == 0)):
                raise LogFileError(f"log file is cut off: its last line, {number}, is no whole JSON")
            yield [None], json.dumps(line[:_MOST_SHOWN].decode("utf-8", "replace")).encode()
            continue
        found: Found = [one for value in values for one in records_in(value)]
        any_json, any_record = True, any_record or any(found)
        alone = found == values and len(values) == 1
        yield found, text if alone or not any(found) else b""


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
        names = next(rows, [])
        columns = _columns(names)
        for row in rows:
            if not row:
                continue
            found = _records_of_row(row, columns)
            if stream.unended and not any(found) and _is_cut_off(row, columns, len(names)):
                raise LogFileError(f"log file is cut off: its last row (line {rows.line_num}) is not whole")
            yield found, b""
    except csv.Error as error:
        raise LogFileError(f"log file is not valid CSV: {error}") from None


def _records_of_row(row: list[str], columns: list[int]) -> Found:
    """The records of the first of these columns that holds any."""
    for column in columns:
        if column < len(row) and any(found := records_in(row[column])):
            return found
    return [None]


def _is_cut_off(row: list[str], columns: list[int], width: int) -> bool:
    cells = [row[column].strip() for column in columns if column < len(row)]
    return len(row) < width or any(cell.startswith("{") and values_in(cell) is None for cell in cells)


def is_csv(head: bytes) -> bool:
    """Whether a text begins with the names of columns."""
    if head.startswith(_CLI_TEXT):
        return False
    names = _names(head)
    known = {name.lower() for name in names}
    return not known.isdisjoint(_COLUMNS) or (len(names) > _FEW and all(map(_NAME.fullmatch, names)))


def _names(head: bytes) -> list[str]:
    first = head.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    cells = first.split(max(_DELIMITERS, key=first.count))
    return [cell.strip().strip('"') for cell in cells]


def what_lines_are(head: bytes) -> str:
    """What a text of lines without JSON is, with what to do."""
    start = head.lstrip()
    if is_csv(head):
        return "CSV whose columns hold no whole record: export the raw event (_raw, @message), too"
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


def _columns(names: list[str]) -> list[int]:
    """Where whole records may be, the surest column first."""
    plain = [name.strip().lower().removeprefix("\ufeff") for name in names]
    if columns := [plain.index(name) for name in _COLUMNS if name in plain]:
        return columns
    if len(_HISTORY.intersection(name.replace("_", " ") for name in plain)) > 1:
        raise LogFileError(
            "log file is the console's event history as CSV, which lacks most of each record: download it as JSON, or "
            "aws cloudtrail lookup-events --output json > events.json"
        )
    known = ", ".join(_COLUMNS)
    raise LogFileError(f"log file is CSV without a column that holds whole records, such as {known}")
