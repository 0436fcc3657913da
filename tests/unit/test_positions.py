"""Records that are read again by their positions are those that were there when all were read."""

import gzip
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbell.cloudtrail.logfile import read_records
from trailbell.cloudtrail.positions import read_records_at
from trailbell.engine.prefilter.entries import list_entries
from trailbell.errors import LogFileError


# As CloudTrail writes entries, and as it does not: no JSON, no record, a boundary inside a string, broken UTF-8.
ENTRIES = (
    b'{"eventVersion":"1.08","eventID":"a"}',
    b'{"eventVersion":"1.08","deep":{"list":[{"eventVersion":"1"},{"eventVersion":"2"}]}}',
    b'{"eventVersion":"1.08","text":"\\"},{\\"eventVersion\\":"}',
    b'{"eventID":"another member comes first"}',
    b'{ "eventVersion" : "1.08" }',
    b'{"eventVersion":NaN}',
    b'{"eventVersion":"1.08",}',
    b'{"eventVersion":"\xff"}',
    b"null",
)


@given(
    entries=st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=40),
    chosen=st.sets(st.integers(0, 45), max_size=8),
    one_by_one=st.sampled_from((0, 1, 300, 10_000)),
    compress=st.booleans(),
)
def test_what_is_read_by_position_is_what_is_read_in_order(
    entries: list[bytes], chosen: set[int], one_by_one: int, compress: bool
) -> None:
    """An episode shows acts by their positions: those of other records would be shown if one were counted wrongly."""
    text = b'{"Records":[' + b",".join(entries) + b"]}"
    body = [gzip.compress(text) if compress else text]
    expected = [(at, record) for at, record in enumerate(read_records(body)) if at in chosen]

    assert repr(list(read_records_at(body, chosen, list_entries, one_by_one_bytes=one_by_one))) == repr(expected)


def test_no_more_is_parsed_than_asked_for() -> None:
    """Of a large file few records are wanted: all else is cut and counted."""
    records = [{"eventVersion": "1.08", "eventID": f"{at}", "filler": "x" * 500} for at in range(5000)]
    text = json.dumps({"Records": records}, separators=(",", ":")).encode()
    asked = list[int]()

    def counting(block: bytes) -> Sequence[bytes] | None:
        entries = list_entries(block)
        asked.append(len(entries or ()))
        return entries

    found = dict(read_records_at([text], {7, 4990}, counting, one_by_one_bytes=100_000))

    assert found == {7: records[7], 4990: records[4990]}
    assert sum(asked) > 4500


def test_reading_ends_with_the_last_that_is_wanted() -> None:
    """What is broken behind it does not matter."""
    text = b'{"Records":[{"eventVersion":"1"},{"eventVersion":"2"},'

    assert list(read_records_at([text], [0], list_entries)) == [(0, {"eventVersion": "1"})]
    with pytest.raises(LogFileError):
        list(read_records_at([text], [2], list_entries))
