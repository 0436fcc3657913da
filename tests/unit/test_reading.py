"""What is read quickly is what is read plainly: records by the faster decoder, ends of texts, folders, episodes."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.log_files import log_file
from tests.unit.test_episode_hits import disable, scanned
from trailbell.cli.scan.counted import Counted
from trailbell.cli.scan.log_files import find_log_files
from trailbell.cli.scan.work import base_matches_at, work_alone
from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.json_text import Entry
from trailbell.cloudtrail.logfile import MAX_INFLATED_BYTES, parse_entry
from trailbell.cloudtrail.record import GATE_FIELDS
from trailbell.cloudtrail.selection import Selection
from trailbell.cloudtrail.splitter import Splitter
from trailbell.engine.matcher import Matcher
from trailbell.engine.prefilter.entries import list_entries
from trailbell.engine.prefilter.partial_eval import PartialEvaluation
from trailbell.engine.prefilter.prefilter import Prefilter
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError
from trailbell.hits.detect import NUMBERS, DetectionCounts


SEEN_AT = "2026-11-20T10:00:00Z"

DIGITS = (
    *("0", "-0", "-0.0", "1E5", "0.1", "1e400", "-1e400", "18446744073709551616", "-9223372036854775809", "1e-400"),
    *("1.7976931348623159e308", "4.9e-324", "123456789.123456789e10", "NaN", "Infinity", "01", "1.", "+1", ".5"),
    *("9" * 999, "9" * 1500, "-" + "9" * 4300, "9" * 4301, "9" * 5000),
)
TEXTS = (
    *(
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\ude00\\ud83d"',
        '"\\/\\b\\f\\u0000"',
        '"\\x"',
        '"\t"',
        '"\x7f"',
        '"é\u2028"',
    ),
    *("[" * 500 + "]" * 500, "tru", "{}", "[1,]", '{"a":1,"a":2,"b":3,"a":4}', '{"":null}'),
)


@pytest.fixture(scope="module")
def prefilter() -> Prefilter:
    return Prefilter(Matcher((), GATE_FIELDS), {}, PartialEvaluation(GATE_FIELDS, {}))


@pytest.mark.parametrize("value", [*DIGITS, *TEXTS])
def test_a_record_is_the_same_by_both_decoders(prefilter: Prefilter, value: str) -> None:
    """A number that became another one, or a key that was taken from another place, would change what rules see."""
    text = f'{{"eventVersion":"1.08","a":{value}}}'.encode()
    expected = parse_entry(Entry(text), 0)

    found = prefilter.fields_of(text)

    assert found is None or repr(found) == repr(expected)
    assert found is not None or value not in DIGITS[:4]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda one: st.lists(one)))
def test_any_value_is_the_same_by_both_decoders(value: Any) -> None:
    """The same for whatever Python can write."""
    plain = Prefilter(Matcher((), GATE_FIELDS), {}, PartialEvaluation(GATE_FIELDS, {}))
    for text in (
        json.dumps({"a": value}).encode(),
        json.dumps({"a": value}, ensure_ascii=False).encode("utf-8", "replace"),
    ):
        found = plain.fields_of(text)

        assert found is None or repr(found) == repr(parse_entry(Entry(text), 0))


# How log files end, and how they do not.
_RECORD = b'{"eventVersion":"1.08","list":[{"a":1}]}'
_ENDS = (b"]}", b"]}\n", b"]}  \r\n\t", b"]} x", b"]}]}", b"]", b"", b'],"more":[{"a":1}]}', b']}{"Records":[{}]}')


@pytest.mark.parametrize("end", _ENDS)
@pytest.mark.parametrize("size", [1, 2, 7, 50, 10_000])
@pytest.mark.parametrize("broken", [False, True])
def test_blocks_hold_the_entries_that_are_taken_one_by_one(end: bytes, size: int, *, broken: bool) -> None:
    """A text that only looks as if it ended, or that breaks off behind its end, must not lose or gain a record."""
    text = b'{"Records":[' + b",".join([_RECORD] * 3) + end

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(text), size):
            yield text[at : at + size]
        if broken:
            raise LogFileError("broken off")

    assert _read(pieces(), in_blocks=True) == _read(pieces(), in_blocks=False)


def _read(pieces: Iterator[bytes], *, in_blocks: bool) -> tuple[list[bytes], str]:
    splitter, entries = Splitter(pieces), list[bytes]()
    try:
        while splitter.advance():
            block = splitter.take_block() if in_blocks else None
            found = list_entries(block) if block else None
            if block and found is None:
                splitter.put_back(block)
                in_blocks = False
            entries += map(bytes, found) if found is not None else [splitter.take().text]
    except LogFileError as error:
        return entries, str(error)
    return entries, ""


def test_a_small_log_file_is_one_block() -> None:
    """Half of all log files hold fewer than 25 records: two blocks for each would cost as much again."""
    for end in (b"", b"\n"):
        body = gzip.compress(b'{"Records":[' + b",".join([_RECORD] * 25) + b"]}" + end)
        splitter = Splitter(inflate([body], MAX_INFLATED_BYTES))

        assert splitter.advance()
        block = splitter.take_block()
        assert block
        assert len(list_entries(block) or ()) == 25
        assert not splitter.advance()


def test_links_are_followed_to_files_and_not_to_folders(tmp_path: Path) -> None:
    """A file that is reached in two ways is read once; a link that leads nowhere is no file."""
    folder, outside = tmp_path / "logs", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    for place in (folder / "a.json", outside / "b.json", outside / "c.json"):
        place.write_bytes(log_file())
    (folder / "again.json").symlink_to(folder / "a.json")
    (folder / "linked.json").symlink_to(outside / "b.json")
    (folder / "gone.json").symlink_to(outside / "nowhere.json")
    (folder / "itself.json").symlink_to(folder / "itself.json")
    (folder / "deeper").symlink_to(outside)
    os.mkfifo(folder / "pipe.json")

    found = find_log_files([folder])

    assert {file.resolve() for file in found.files} == {folder / "a.json", outside / "b.json"}
    assert len(found.files) == 2
    assert found.unlisted == []


@pytest.mark.parametrize("records", [1, 4000])
def test_a_scan_counts_the_same_with_and_without_a_full_parse_at_first(tmp_path: Path, records: int) -> None:
    """However much there is to read decides how it is read, and nothing else."""
    file = tmp_path / "a.json"
    entries = [{"eventVersion": "1.08", "eventSource": "a.amazonaws.com", "eventName": "B", "x": "y" * 900}] * records
    file.write_text(json.dumps({"Records": entries}, separators=(",", ":")))

    ((_, part),) = work_alone(Rulebook(()), [file], Selection(), SEEN_AT, lambda: False)

    assert (part.counts.records_read, part.counts.records_not_watched) == (records, records)
    assert bool(part.counts.records_fully_parsed) is (records == 1)
    assert part.counted == list[Counted]()


def test_a_log_file_is_read_again_once_for_all_its_episodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large file each reading takes a tenth of a second, and an attack makes several episodes of the same acts."""
    read = list[tuple[str, tuple[int, ...]]]()
    again = base_matches_at

    def counting(detector: Any, source: Any, pieces: Any, indexes: Any, seen_at: str) -> Any:
        read.append((source.name, tuple(indexes)))
        return again(detector, source, pieces, indexes, seen_at)

    monkeypatch.setattr("trailbell.cli.scan.rereading.base_matches_at", counting)
    early = [disable(number, number) for number in (1, 2, 3)]
    late = [disable(number, 30 + number) for number in (4, 5, 6)]

    hits, result = scanned(tmp_path, [[*early, *late[:1]], late[1:]])

    assert result.episodes == 2
    assert [[act.event_id for act in hit.episode.acts] for hit in hits if hit.episode] == [
        ["d-1", "d-2", "d-3"],
        ["d-4", "d-5", "d-6"],
    ]
    assert sorted(read) == [("0.json", (0, 1, 2, 3)), ("1.json", (0, 1))]


def test_every_number_of_the_counts_is_added_and_taken() -> None:
    """A count that is not added is lost silently."""
    numbers = {name: 2**at for at, name in enumerate(NUMBERS)}
    first, second = DetectionCounts(**numbers), DetectionCounts(**numbers)

    first.add(second)
    taken = second.take()

    assert {name: getattr(first, name) for name in NUMBERS} == {name: 2 * number for name, number in numbers.items()}
    assert {name: getattr(taken, name) for name in NUMBERS} == numbers
    assert second == DetectionCounts()
