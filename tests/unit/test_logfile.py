"""Reading a log file is exact on good ones, and bounded and clear on bad ones."""

import gzip
import json
from collections.abc import Iterator

import pytest

from trailalert.core.logfile import BadRecord, inflate, read_log_file
from trailalert.errors import LogFileError


def packed(document: object) -> bytes:
    return gzip.compress(json.dumps(document).encode())


def in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("compress", [True, False])
def test_records_come_with_their_positions(size: int, compress: bool) -> None:
    """However the body is cut into pieces, and whether it is gzipped or not, the records are the same."""
    content = json.dumps({"Records": [{"eventID": "a"}, {"eventID": "b"}]}).encode()
    body = gzip.compress(content) if compress else content

    found = read_log_file(in_pieces(body, size))

    assert found.records == ((0, {"eventID": "a"}), (1, {"eventID": "b"}))
    assert found.bad == ()
    assert found.inflated_bytes == len(content)


def test_a_broken_entry_costs_only_itself() -> None:
    """One bad record must not take the file with it, and is told."""
    found = read_log_file([packed({"Records": [{"eventID": "a"}, None, "text", {"eventID": "b"}]})])

    assert found.records == ((0, {"eventID": "a"}), (3, {"eventID": "b"}))
    assert found.bad == (
        BadRecord(1, "record is a JSON NoneType, not an object"),
        BadRecord(2, "record is a JSON str, not an object"),
    )


def test_gzip_members_are_read_one_after_the_other() -> None:
    """RFC 1952 allows several members in a file; zeros after the last are padding."""
    content = json.dumps({"Records": [{"eventID": "a"}]}).encode()
    body = gzip.compress(content[:10]) + gzip.compress(content[10:]) + b"\0" * 20

    assert [fields for _, fields in read_log_file(in_pieces(body, 7)).records] == [{"eventID": "a"}]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(packed({"Records": []})[:-12], "cut off", id="truncated"),
        pytest.param(packed({"Records": []})[:1], "not valid JSON", id="one-byte"),
        pytest.param(packed({"Records": []}) + b"more", "not valid gzip", id="trailing"),
        pytest.param(b"\x1f\x8bnot gzip at all", "not valid gzip", id="bad-gzip"),
        pytest.param(gzip.compress(b"{"), "not valid JSON", id="bad-json"),
        pytest.param(gzip.compress(b'{"Records": ["\xff"]}'), "not valid JSON", id="bad-utf8"),
        pytest.param(gzip.compress(b'{"Records": [' + b"9" * 5000 + b"]}"), "not valid JSON", id="huge-number"),
        pytest.param(gzip.compress(b'{"Records": [' + b"[" * 200_000), "nested too deeply", id="nested"),
        pytest.param(packed([]), "no Records", id="list"),
        pytest.param(packed({"digestStartTime": ""}), "no Records", id="digest"),
        pytest.param(packed({"Records": None}), "NoneType, not a list", id="null-records"),
    ],
)
def test_what_is_no_log_file_is_refused_with_a_reason(body: bytes, message: str) -> None:
    """The operator reads this message beside the dead-lettered notification."""
    with pytest.raises(LogFileError, match=message):
        read_log_file([body])


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
        inflate(counted(), 2_000_000)

    assert consumed < 2_100_000 if not compress else consumed < len(body) / 2
