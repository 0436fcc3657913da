"""Reading in place against reading in blocks: the same content, the same records, and the same reason where it ends."""

import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailbell.cloudtrail import block_splitter
from trailbell.cloudtrail.block_splitter import BlockSplitter
from trailbell.cloudtrail.inflate import Inflated, inflate
from trailbell.cloudtrail.splitter import Splitter
from trailbell.engine.prefilter.entries import list_entries
from trailbell.errors import LogFileError


_PLENTY = 10**9


def _record(number: int, size: int) -> dict[str, Any]:
    return {"eventVersion": "1.11", "n": number, "text": "x" * size + '},{"eventVersion":'}


def _content(sizes: Iterable[int], end: bytes = b"]}") -> bytes:
    texts = [json.dumps(_record(*one), separators=(",", ":")).encode() for one in enumerate(sizes)]
    return b'{"Records":[' + b",".join(texts) + end


def _pieces(body: bytes, size: int, *, broken: bool = False) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]
    if broken:
        raise LogFileError("broken off")


def _entries(splitter: BlockSplitter, one_by_one: int = 0) -> tuple[list[bytes], str, int]:
    """The entries, why there are no more, and how much was read; one_by_one: so many before the first block."""
    entries, in_blocks = list[bytes](), True
    try:
        while splitter.advance():
            block = splitter.take_in_place() if in_blocks and len(entries) >= one_by_one else None
            found = list_entries(block) if block else None
            if block and found is None:
                splitter.put_back(block)
                in_blocks = False
            entries += map(bytes, found) if found is not None else [splitter.take().text]
    except LogFileError as error:
        return entries, str(error), splitter.bytes_read
    return entries, "", splitter.bytes_read


def _plain_entries(splitter: Splitter) -> tuple[list[bytes], str, int]:
    """The same, each taken as Splitter takes it."""
    entries = list[bytes]()
    try:
        while splitter.advance():
            entries.append(splitter.take().text)
    except LogFileError as error:
        return entries, str(error), splitter.bytes_read
    return entries, "", splitter.bytes_read


_SIZES = st.lists(st.sampled_from([0, 1, 50, 700, 3000]), max_size=12)
_ENDINGS = st.sampled_from(
    [b"]}", b"]}\n", b"]} \n\t" * 2, b"]", b"", b"],", b'],"z":1}', b']}{"Records":[{"a":1}]}', b"]} x", b",]}", b"}]}"]
)


@settings(max_examples=examples(600), deadline=None)
@given(
    sizes=_SIZES,
    end=_ENDINGS,
    start=st.sampled_from([b"", b" ", b"\xef\xbb\xbf", b'{"a":1}', b"["]),
    piece=st.sampled_from([1, 7, 300, 5000, 10**6]),
    space=st.sampled_from([64, 1000, 128 * 1024]),
    least=st.sampled_from([1, 30]),
    one_by_one=st.sampled_from([0, 1, 3, 100]),
    broken=st.booleans(),
    compress=st.booleans(),
)
def test_records_are_those_of_the_plain_way(
    sizes: list[int],
    end: bytes,
    start: bytes,
    piece: int,
    space: int,
    least: int,
    one_by_one: int,
    *,
    broken: bool,
    compress: bool,
) -> None:
    """A record that lies where memory ends, or that a bracket is written over, would be lost or another one."""
    content = start + _content(sizes, end)
    body = gzip.compress(content) if compress else content

    def pieces() -> Iterator[bytes]:
        return _pieces(body, piece, broken=broken)

    plain = _plain_entries(Splitter(inflate(pieces(), _PLENTY)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block_splitter, "_SPACE_BYTES", space)
        patch.setattr(block_splitter, "_MIN_READ", least)
        patch.setattr(block_splitter, "_spare", [])
        splitter = BlockSplitter(Inflated(pieces(), _PLENTY))
        in_place = _entries(splitter, one_by_one=one_by_one)
        splitter.close()

    assert in_place[:2] == plain[:2]
    assert in_place[1] or in_place[2] == plain[2]


@settings(max_examples=examples(600), deadline=None)
@given(
    sizes=_SIZES,
    members=st.integers(1, 3),
    cut=st.integers(0, 60),
    flipped=st.none() | st.integers(0, 10**6),
    tail=st.sampled_from([b"", b"\0" * 9, b"garbage", b"\x1f\x8b", b"\x1f\x8b\x08\0" + b"\0" * 20, b"\0\0x"]),
    piece=st.sampled_from([1, 100, 10**7]),
    limit=st.sampled_from([0, 1, 100, 5000, _PLENTY]),
    room=st.sampled_from([1, 100, 96 * 1024]),
)
def test_content_is_that_of_the_plain_way(
    sizes: list[int], members: int, cut: int, flipped: int | None, tail: bytes, piece: int, limit: int, room: int
) -> None:
    """What breaks off gives no less of what came before, and says what the plain way says; no bytes pass the limit."""
    changed = bytearray(gzip.compress(_content(sizes)) * members)
    if flipped is not None:
        changed[flipped % len(changed)] ^= 1 << flipped % 8
    body = bytes(changed[: len(changed) - cut]) + tail

    def read(blocks: Iterator[bytes]) -> tuple[bytes, str]:
        content = b""
        try:
            for block in blocks:
                content += block
        except LogFileError as error:
            return content, str(error)
        return content, ""

    def in_place() -> Iterator[bytes]:
        content, space = Inflated(_pieces(body, piece), limit), memoryview(bytearray(room))
        while size := content.readinto(space):
            yield bytes(space[:size])

    plain = read(inflate(_pieces(body, piece), limit))
    assert len(plain[0]) <= limit
    for content, error in (read(in_place()), read(iter(Inflated(_pieces(body, piece), limit)))):
        assert error == plain[1]
        assert content == plain[0] or (error and content.startswith(plain[0]))  # what came just before it
        assert len(content) <= limit
        assert flipped is not None or cut or (_content(sizes) * members).startswith(content)


@pytest.mark.parametrize("records", [2, 20])
def test_a_failure_of_what_brings_a_body_comes_in_its_turn(records: int) -> None:
    """Records that came before a connection broke are read; and the failure is not taken for the end."""

    class BrokenError(Exception):
        pass

    body = gzip.compress(_content([100_000] * records, b""), compresslevel=0)

    def pieces() -> Iterator[bytes]:
        yield from _pieces(body[:-1000], 10_000)
        raise BrokenError

    blocks, read = iter(Inflated(pieces(), _PLENTY)), list[int]()
    with pytest.raises(BrokenError):
        read.extend(map(len, blocks))
    assert sum(read) > 95_000 * records


def test_memory_is_used_again_and_never_by_two() -> None:
    """Two log files that are read at once must not write over each other."""
    body = gzip.compress(_content([300] * 1000))
    first, second = (BlockSplitter(Inflated([body], _PLENTY)) for _ in range(2))
    found = list[Any](), list[Any]()
    while first.advance() and second.advance():
        blocks = first.take_in_place(), second.take_in_place()
        for block, entries in zip(blocks, found, strict=True):
            entries += json.loads(bytes(block or b""))
    assert found[0] == found[1] == [_record(number, 300) for number in range(1000)]
    first.close()
    second.close()

    third = BlockSplitter(Inflated([body], _PLENTY))
    assert len(_entries(third)[0]) == 1000
