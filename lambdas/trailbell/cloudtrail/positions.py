"""Records of a log file that are known by their positions are read again; what lies between them is not parsed."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.json_text import Entry
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES, Fields, MalformedRecord, parse_entry
from trailbell.cloudtrail.splitter import Splitter


ListEntries = Callable[[bytes], Sequence[bytes] | None]
"""From a JSON list to the texts of its entries; None for what is none."""

ONE_BY_ONE_BYTES = 512 * 1024


def read_records_at(
    body: Iterable[bytes],
    indexes: Iterable[int],
    list_entries: ListEntries,
    max_bytes: int = MAX_INFLATED_BYTES,
    one_by_one_bytes: int = ONE_BY_ONE_BYTES,
) -> Iterator[tuple[int, Fields | MalformedRecord]]:
    """The records at some positions of an object's body, each as `read_records` has it, in file order.

    The arguments, and what is raised, are as `read_texts_at` has them.
    """
    for at, entry in read_texts_at(body, indexes, list_entries, max_bytes, one_by_one_bytes):
        yield at, parse_entry(entry, at)


def read_texts_at(
    body: Iterable[bytes],
    indexes: Iterable[int],
    list_entries: ListEntries,
    max_bytes: int = MAX_INFLATED_BYTES,
    one_by_one_bytes: int = ONE_BY_ONE_BYTES,
) -> Iterator[tuple[int, Entry]]:
    """The texts of the records at some positions of an object's body, in file order.

    one_by_one_bytes: how much is read before `list_entries` is asked, which may cost an import. Raises LogFileError
    where the content stops being a log file, if that is before the last of the positions.
    """
    splitter, index, in_blocks = Splitter(inflate(body, max_bytes)), 0, True
    wanted = deque(sorted(indexes))
    while wanted and splitter.advance():
        is_due = in_blocks and splitter.bytes_read >= one_by_one_bytes
        block = splitter.take_block() if is_due else None
        texts = list_entries(block) if block else None
        if block and texts is None:
            splitter.put_back(block)
        in_blocks = in_blocks and (texts is not None or not is_due)
        entries: Sequence[Entry | bytes] = [splitter.take()] if texts is None else texts
        while wanted and wanted[0] < index + len(entries):
            at = wanted.popleft()
            entry = entries[at - index]
            yield at, entry if isinstance(entry, Entry) else Entry(bytes(entry))
        index += len(entries)
