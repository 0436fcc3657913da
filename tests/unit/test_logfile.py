"""Reading a log file is exact on good ones, and bounded and clear on bad ones."""

import gzip
import json
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.cloudtrail.inflate import inflate
from trailbell.cloudtrail.logfile import MalformedRecord, read_records
from trailbell.cloudtrail.splitter import MAX_ENTRY_BYTES, Splitter
from trailbell.errors import LogFileError


def packed(document: object) -> bytes:
    return gzip.compress(json.dumps(document).encode())


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def read(body: bytes) -> list[dict[str, Any] | MalformedRecord]:
    return list(read_records([body]))


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("compress", [True, False])
def test_records_come_in_order(size: int, compress: bool) -> None:
    """However the body is cut into pieces, and whether it is gzipped or not, the records are the same."""
    content = json.dumps({"Records": [{"eventID": 'a"]}\\'}, {"eventID": "b"}]}).encode()
    body = gzip.compress(content) if compress else content

    assert list(read_records(in_pieces(body, size))) == [{"eventID": 'a"]}\\'}, {"eventID": "b"}]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(b"null", "record is a JSON NoneType, not an object", id="null"),
        pytest.param(b'"text"', "record is a JSON str, not an object", id="string"),
        pytest.param(b"12.5", "record is a JSON float, not an object", id="number"),
        pytest.param(b"[{}]", "record is a JSON list, not an object", id="list"),
        pytest.param(b"9" * 5000, "record is a JSON float, not an object", id="huge-number"),
        pytest.param(b'{"a":\xff}', "record is not valid UTF-8: invalid start byte at byte 5", id="encoding"),
        pytest.param(b'{"a":"\xff"}', "record is not valid UTF-8: invalid start byte at byte 6", id="encoding-in-text"),
        pytest.param(b'{"a":tru}', "record is not valid JSON: Expecting value", id="word"),
        pytest.param(b'{"a":1,}', "record is not valid JSON: ", id="comma"),
        pytest.param(b'{"a":"\n"}', "record is not valid JSON: Invalid control character", id="control"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "record is nested too deeply", id="deep"),
        pytest.param(b'{"a":"' + b"x" * MAX_ENTRY_BYTES + b'"}', "record is longer than 1048576 bytes", id="long"),
        pytest.param(b'["' + b"x" * 3_000_000 + b'"]', "record is longer than 1048576 bytes", id="longer"),
    ],
)
@pytest.mark.parametrize("size", [1000, 300_000])
def test_a_broken_record_costs_only_itself(broken: bytes, reason: str, size: int) -> None:
    """One bad record must not take the file with it; it is told with the start of its text."""
    body = b'{"Records": [{"eventID": "a"}, ' + broken + b' , {"eventID": "b"}]}'

    first, malformed, last = read_records(in_pieces(body, size))

    assert (first, last) == ({"eventID": "a"}, {"eventID": "b"})
    assert isinstance(malformed, MalformedRecord)
    assert malformed.index == 1
    assert malformed.reason.startswith(reason)
    assert broken.startswith(malformed.content)
    assert len(malformed.content) == min(len(broken), 8192)


def test_what_stands_beside_records_is_passed_over() -> None:
    """Records need not come first, nor once: entries of a second one are not lost."""
    body = (
        b'\xef\xbb\xbf {"a": {"Records": [1, "]}"]}, "b": null, "\\u0052ecords": [{"n": 1}], "c": "' + b"x" * 200_000
    ) + b'", "Records": [], "Records" : [ {"n": 2} ] , "d": 1e3 } \n'

    assert list(read_records(in_pieces(body, 7000))) == [{"n": 1}, {"n": 2}]


def test_values_are_those_python_parses() -> None:
    """Huge numbers, lone surrogates and what JSON does not know but Python takes, as ever."""
    text = b'{"a": 1e400, "b": NaN, "c": "\\ud800", "d": ' + b"7" * 900 + b', "e": {"x": 1, "x": 2}, "f": -0}'

    (fields,) = read(b'{"Records":[' + text + b"]}")

    assert isinstance(fields, dict)
    assert repr(fields) == repr(json.loads(text))


def test_gzip_members_are_read_one_after_the_other() -> None:
    """RFC 1952 allows several members in a file; zeros after the last are padding."""
    content = json.dumps({"Records": [{"eventID": "a"}]}).encode()
    body = gzip.compress(content[:10]) + gzip.compress(content[10:]) + b"\0" * 20

    assert list(read_records(in_pieces(body, 7))) == [{"eventID": "a"}]


_CONTENTS = st.builds(lambda size, text: (text * size)[:size], st.integers(0, 250_000), st.binary(min_size=1))


@settings(max_examples=examples(100), deadline=None)
@given(
    contents=st.lists(_CONTENTS, min_size=1, max_size=3),
    end=st.sampled_from([b"", b"\0" * 20, b"x", b"\x1f\x8b"]),
    size=st.sampled_from([1000, 65_536, 10**9]),
    broken_at=st.none() | st.integers(0, 300_000),
)
def test_isal_and_zlib_give_the_same(contents: list[bytes], end: bytes, size: int, broken_at: int | None) -> None:
    """Blocks of bounded size, the whole content, and the same refusals; without ISA-L's wheel zlib inflates."""
    body = b"".join(map(gzip.compress, contents)) + end
    body = body if broken_at is None else body[: broken_at % len(body)]
    with pytest.MonkeyPatch.context() as patch:
        by_isal = _inflated(body, size)
        patch.setattr("trailbell.cloudtrail.inflate.IgzipDecompressor", None)
        by_zlib = _inflated(body, size)

    assert by_zlib == by_isal
    if broken_at is None and not end.strip(b"\0"):
        assert by_isal == (b"".join(contents), "")


def _inflated(body: bytes, size: int) -> tuple[bytes, str]:
    content, error = b"", ""
    try:
        for block in inflate(in_pieces(body, size), 10**9):
            assert 0 < len(block) <= 100_000
            content += block
    except LogFileError as refused:
        error = str(refused).partition(":")[0]
    return content, error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(gzip.compress(b""), "is no JSON object", id="empty-gzip"),
        pytest.param(packed({"Records": []})[:-12], "cut off", id="truncated"),
        pytest.param(packed({"Records": []})[:1], "is no JSON object", id="one-byte"),
        pytest.param(packed({"Records": []}) + b"more than a header", "not valid gzip", id="trailing"),
        pytest.param(b"\x1f\x8bnot gzip at all", "not valid gzip", id="bad-gzip"),
        pytest.param(gzip.compress(b"{"), "ends too early", id="half-json"),
        pytest.param(gzip.compress(b'{"Records": [{}'), "ends too early", id="half-list"),
        pytest.param(gzip.compress(b'{"Records": [{},'), "ends too early", id="half-comma"),
        pytest.param(gzip.compress(b'{"Records": [{"a'), "ends too early", id="half-string"),
        pytest.param(gzip.compress(b'{"Records": [tru'), "ends too early", id="half-word"),
        pytest.param(gzip.compress(b'{"Records": [{},]}'), "has no value where one belongs", id="comma"),
        pytest.param(gzip.compress(b'{"Records": [{} {}]}'), "belongs", id="no-comma"),
        pytest.param(gzip.compress(b'{"Records": [{}]} x'), "goes on after its end", id="goes-on"),
        pytest.param(gzip.compress(b'{"Records": [' + b"[" * 200_000), "ends too early", id="nested"),
        pytest.param(packed([]), "is no JSON object", id="list"),
        pytest.param(packed({}), "no Records", id="nothing"),
        pytest.param(packed({"digestStartTime": ""}), "no Records", id="digest"),
        pytest.param(packed({"Records": None}), "NoneType, not a list", id="null-records"),
        pytest.param(packed({"Records": {"a": 1}}), "dict, not a list", id="object-records"),
    ],
)
def test_what_is_no_log_file_is_refused_with_a_reason(body: bytes, message: str) -> None:
    """The operator reads this message beside the dead-lettered notification."""
    with pytest.raises(LogFileError, match=message):
        read(body)


@pytest.mark.parametrize("compress", [True, False])
def test_inflating_stops_at_the_limit(compress: bool) -> None:
    """Two hundred megabytes that inflate from two hundred kilobytes must not fill the memory."""
    body = gzip.compress(b" " * 50_000_000) if compress else b" " * 2_000_001
    consumed = 0

    def counted() -> Iterator[bytes]:
        nonlocal consumed
        for piece in in_pieces(body, 1000):
            consumed += len(piece)
            yield piece

    with pytest.raises(LogFileError, match="larger than the limit"):
        deque(inflate(counted(), 2_000_000), maxlen=0)

    assert consumed < 2_100_000 if not compress else consumed < len(body) / 2


def test_error_shows_nothing_of_what_the_log_file_holds() -> None:
    """It goes to logs; what stands where a comma should may be a session token."""
    with pytest.raises(LogFileError) as refused:
        read(b'{"Records": [{} "sessionToken":"FwoGZXIvYXdzEBYaDCanary0123"]}')

    assert "sess" not in str(refused.value)
    assert "Canary" not in str(refused.value)


@pytest.mark.parametrize("size", [7, 60, 10_000])
def test_blocks_and_single_entries_are_the_same_records(size: int) -> None:
    """A record that is in no block, or in two, would be lost, or found twice."""
    records = [{"eventVersion": "1.11", "n": number, "text": '},{"eventVersion":'} for number in range(40)]
    content = json.dumps({"Records": records}, separators=(",", ":")).encode()

    def splitter() -> Splitter:
        return Splitter(iter([content[at : at + size] for at in range(0, len(content), size)]))

    text, found, blocks = splitter(), list[Any](), 0
    while text.advance():
        block = text.take_block()
        assert block is not None
        blocks += 1
        found += json.loads(block)
    assert found == records
    assert text.bytes_read == len(content)
    assert blocks > 1 or size > len(content)

    text, found = splitter(), []
    while text.advance():
        if block := text.take_block():
            text.put_back(block)
        found.append(json.loads(text.take().text))
    assert found == records


def test_no_block_where_records_do_not_end_as_cloudtrail_ends_them() -> None:
    """A block that is cut in the wrong place would not parse; its entries are taken one by one."""
    text = Splitter(iter([b'{"Records": [ {"a": 1} , {"a": 2} ], "z": 1}']))

    assert text.advance()
    assert text.take_block() is None
    assert text.take().text == b'{"a": 1}'
