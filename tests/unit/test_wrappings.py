"""Records in whatever they come in give the hits of the log file they came from; what holds none is named."""

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.shipped import shipped_rules
from tests.unit.log_files import SEEN_AT
from tests.unit.wrapped_forms import BINARY, COMPRESSIONS, ENCODINGS, WRAPPINGS, compact, log_file
from trailbell.cloudtrail.object_key import classify_key
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import LogFileError
from trailbell.hits.detect import DetectionCounts, HitDetector
from trailbell.wrappings.events import events_in
from trailbell.wrappings.read import log_text
from trailbell.wrappings.stream import Stream


ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = next(ROOT.glob("examples/AWSLogs/*/CloudTrail/*/*/*/*/*T0940Z*.json.gz"))

Found = tuple[list[tuple[str, str, str, int]], int, int]
"""Hits by rule, event, level and position; how many records were read, and how many were malformed."""


@cache
def records() -> tuple[dict[str, Any], ...]:
    """The records of a log file with hits, one of them with letters that are not ASCII."""
    every: list[dict[str, Any]] = json.loads(gzip.decompress(EXAMPLE.read_bytes()))["Records"]
    return tuple({**record, "userAgent": f"Grüße 🔑 {at} 'a\"b"} for at, record in enumerate(every))


@cache
def detector() -> HitDetector:
    return HitDetector(Rulebook(shipped_rules()))


def found_in(content: bytes, piece: int = 4096) -> Found:
    """What is found in a file's content, which comes in pieces."""
    counts = DetectionCounts()
    text = log_text(content[at : at + piece] for at in range(0, len(content), piece))
    key = classify_key("k")
    hits = list(detector().detect(text.pieces, "", key, SEEN_AT, counts, text.max_bytes))
    told = [(hit.rule, hit.event_id, hit.level, hit.place.index) for hit in hits]
    return told, counts.records_read, counts.records_malformed


def found_until_error(content: bytes) -> tuple[list[tuple[str, str, str, int]], int]:
    """The hits of a file that cannot be read to its end, and how many records were read."""
    counts, told = DetectionCounts(), []
    text = log_text(content[at : at + 4096] for at in range(0, len(content), 4096))
    try:
        for hit in detector().detect(text.pieces, "", classify_key("k"), SEEN_AT, counts, text.max_bytes):
            told.append((hit.rule, hit.event_id, hit.level, hit.place.index))
    except LogFileError:
        assert not counts.records_malformed
        return told, counts.records_read
    pytest.fail("nobody is told that the file was not read to its end")


@cache
def expected() -> Found:
    found = found_in(log_file(records()))
    assert found[0]
    assert found[1:] == (len(records()), 0)
    return found


@pytest.mark.parametrize("name", WRAPPINGS)
def test_every_wrapping_gives_the_hits_of_the_log_file(name: str) -> None:
    """A newcomer has records in some form, and it is not ours to say which."""
    assert found_in(WRAPPINGS[name](records())) == expected()


@pytest.mark.parametrize("name", [*COMPRESSIONS, *ENCODINGS])
def test_every_layer_gives_the_hits_of_the_log_file(name: str) -> None:
    """Downloads, mails and shells compress and convert what passes through them."""
    layer = (COMPRESSIONS | ENCODINGS)[name]

    assert found_in(layer(log_file(records()))) == expected()


@settings(max_examples=examples(60), deadline=None)
@given(st.data())
def test_any_nesting_gives_the_hits_of_the_log_file(data: st.DataObject) -> None:
    """Somebody exports to CSV, opens that in a program that writes UTF-16, zips it and sends it gzipped again."""
    name = data.draw(st.sampled_from(sorted(WRAPPINGS)))
    content = WRAPPINGS[name](records())
    if name not in BINARY and data.draw(st.booleans()):
        content = ENCODINGS[data.draw(st.sampled_from(sorted(ENCODINGS)))](content)
    for layer in data.draw(st.lists(st.sampled_from(sorted(COMPRESSIONS)), max_size=3)):
        content = COMPRESSIONS[layer](content)

    assert found_in(content, data.draw(st.integers(1, 70_000))) == expected()


@pytest.mark.parametrize("name", ["lines", "list", "lookup-events", "EventBridge, lines", "Splunk, CSV"])
def test_what_is_no_record_among_records_is_counted(name: str) -> None:
    """One entry that is none costs only itself, and is not lost silently."""
    others: Sequence[Any] = [*records()[:2], {"hello": "world"}, *records()[2:]]
    wrapped = WRAPPINGS[name](others)
    told, read, malformed = found_in(wrapped)

    assert (read, malformed) == (len(others), 1)
    assert [hit[:3] for hit in told] == [hit[:3] for hit in expected()[0]]


@pytest.mark.parametrize("name", sorted(set(WRAPPINGS) - {"log file"}))
def test_file_that_breaks_off_is_told_and_what_was_whole_counts(name: str) -> None:
    """An aborted download: what is found is right, and nobody is told that it was all."""
    whole = WRAPPINGS[name](records())
    hits, _ = found_until_error(whole[: len(whole) // 3])

    assert hits == expected()[0][: len(hits)]


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=400) | st.sampled_from(sorted(WRAPPINGS)).flatmap(lambda name: mutated(name)))
def test_anything_at_all_gives_records_or_an_error_with_an_owner(content: bytes) -> None:
    """What lies in a folder is hostile: nothing is raised but what names the file."""
    with suppress(LogFileError):
        found_in(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"[]", "holds no record"),
        (b'{"Events": []}', "holds no record"),
        (compact({"configSnapshotId": "x", "configurationItems": []}), "AWS Config"),
        (compact({"digestS3Object": "x", "digestStartTime": "y"}), "digest file"),
        (compact({"took": 1, "hits": {"hits": [{"_source": {"event": {"action": "x"}, "aws": {}}}]}}), "ECS without"),
        (compact({"class_uid": 6003, "metadata": {}}), "OCSF"),
        (compact({"Events": [{"EventId": "1", "EventName": "x", "EventTime": "y"}]}), "leave its --query out"),
        (b'{"hello": "world"}', "not from CloudTrail"),
        (compact({"Records": [{"userAgent": "x", "path": "/"}]}), "not from CloudTrail"),
        (compact({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "s3": {}}]}), "Lambda event of aws:s3"),
        (compact({"Records": [{"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb"}]}), "dynamodb"),
        (compact({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "hello"}}]}), "aws:sns"),
        (compact({"Records": [{"eventVersion": "1.0", "eventCategory": "Aggregated"}]}), "aggregated events"),
        (compact({"class_uid": 6003, "metadata": {}}) + b"\n" + compact({"class_uid": 1, "metadata": {}}), "OCSF"),
        (b'{"ecs": {}, "event": {}}\n{"ecs": {}, "event": {}}\n', "ECS without"),
        (compact({"results": [[{"field": "@ptr", "value": "x"}]]}), "without @message"),
        (compact({"QueryResultRows": [[{"eventJson": "x"}]]}), "jq -r"),
        (b"_time,_raw\n1,hello\n", "CSV whose columns"),
        (b"version account-id interface-id srcaddr\n2 123456789010 eni-1 1.2.3.4\n", "VPC flow logs"),
        (b"User name,Event time,Event source,Event name\ndana,x,y,z\n", "lookup-events --output json"),
        (b"a,b,c\n1,2,3\n", "CSV without a column"),
        (b"EVENTS\tAKIA\tx\n", "--output json"),
        (b"<Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"PAR1....", "duckdb"),
        (b"hello", "neither JSON"),
        (b"\x28\xb5\x2f\xfd rest", "zstd"),
        (b"\x04\x22\x4d\x18 rest", "lz4 -dc"),
        (gzip.compress(b"hello, world", mtime=0), "neither JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_holds_no_record_is_named_with_what_to_do(content: bytes, words: str) -> None:
    """Status 0 and silence would say that all is well."""
    with pytest.raises(LogFileError, match=words):
        found_in(content)


@pytest.mark.parametrize(
    "name", ["log file, pretty", "list", "lines", "lookup-events", "EventBridge, lines", "ECS, search"]
)
def test_events_of_rules_match_are_the_records(name: str) -> None:
    """Whoever tries a rule out has the same files at hand."""
    content = gzip.compress(WRAPPINGS[name](records()))

    assert [event for _, event in events_in([content])] == list(records())


def test_events_of_another_kind_are_taken_as_they_stand() -> None:
    """Any Sigma rule runs on any JSON; lines that are blank are counted, as an editor counts them."""
    assert list(events_in([b'{"a": {"message": "hi"}}\n\n{"b": [1]}\n'])) == [
        (0, {"a": {"message": "hi"}}),
        (2, {"b": [1]}),
    ]


@pytest.mark.parametrize("name", ["list", "lines", "lookup-events", "EventBridge, lines", "ECS, search", "Splunk, CSV"])
@pytest.mark.parametrize("layer", ["", "gzip", "bzip2", "xz", "UTF-16"])
def test_what_was_whole_before_the_damage_counts(name: str, layer: str) -> None:
    """An act must not be lost because the download of what came after it failed."""
    whole = [*records(), records()[0]]
    content = WRAPPINGS[name](whole)
    start = content[: content.rindex(compact(whole[-1]["eventID"]).strip(b'"'))]  # in the last record
    start = (COMPRESSIONS | ENCODINGS)[layer](start) if layer else start

    assert found_until_error(start) == (expected()[0], len(records()))


@pytest.mark.parametrize("name", ["list", "lines", "lookup-events", "EventBridge, lines", "ECS, search", "Splunk, CSV"])
@pytest.mark.parametrize("layer", ["", "bzip2", "xz", "UTF-16"])
def test_what_follows_the_end_is_told_and_costs_no_hit(name: str, layer: str) -> None:
    """Disks and transfers pad with zeros."""
    content = WRAPPINGS[name](records())
    content = (COMPRESSIONS | ENCODINGS)[layer](content) if layer else content

    assert found_until_error(content + b"\0\0\0") == (expected()[0], len(records()))


def test_archive_that_breaks_off_behind_its_last_file_is_told() -> None:
    """What is missing is nothing here, but nobody knows that."""
    content = gzip.compress(WRAPPINGS["tar"](records()))[:-4]

    assert found_until_error(content) == (expected()[0], len(records()))


def test_line_that_is_no_json_is_malformed_and_called_so() -> None:
    """A reason that speaks of members it lacks would send the reader the wrong way."""
    lines = WRAPPINGS["lines"](records()[:2]).splitlines()
    counts = DetectionCounts()
    text = log_text([b"\n".join([lines[0], b'{"eventVersion": ', lines[1], b""])])
    list(detector().detect(text.pieces, "", classify_key("k"), SEEN_AT, counts, text.max_bytes))

    assert counts.records_read == 3
    assert [(one.index, one.reason, one.content) for one in counts.malformed] == [
        (1, "record is a JSON str, not an object", b'"{\\"eventVersion\\":"')
    ]


@pytest.mark.slow
@pytest.mark.parametrize("first", [b"", compact({"eventVersion": "1", "eventName": "x"}) + b"\n"])
def test_bomb_of_small_entries_is_refused(first: bytes) -> None:
    """Half a megabyte that becomes forty million lines takes minutes to find nothing in."""
    bomb = gzip.compress(first + b'{"a":1}\n' * 200_000)

    with pytest.raises(LogFileError, match="bomb"):
        found_in(bomb)


@pytest.mark.slow
def test_bomb_is_refused() -> None:
    """Ten kilobytes that become ten gigabytes are no log file; neither are they read to their end."""
    bomb = gzip.compress(gzip.compress(gzip.compress(b" " * 300_000_000, 9), 9), 9)

    with pytest.raises(LogFileError, match="bomb"):
        found_in(bomb)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["list", "lines", "lookup-events", "Splunk, CSV"])
def test_memory_does_not_grow_with_the_file(name: str) -> None:
    """An export of a year is read as it comes: what is in memory is an item, not the file."""
    content = WRAPPINGS[name]([*records()] * 60)
    stream = (content[at : at + 65_536] for at in range(0, len(content), 65_536))
    tracemalloc.start()
    size = sum(map(len, log_text(stream).pieces))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert size > 5_000_000
    assert peak < 3_000_000


def test_lines_are_cut_where_they_are_too_long() -> None:
    """A line without end must not fill the memory; those around it are whole."""
    stream = Stream([b"one\ntw", b"o" * 50, b"x" * 50, b"\nthree"])

    assert list(stream.lines(20)) == [b"one", b"tw" + b"o" * 18, b"three"]


def mutated(name: str) -> st.SearchStrategy[bytes]:
    """A wrapping of a few records, with a piece cut out or put in anywhere."""
    content = WRAPPINGS[name](records()[:3])

    def change(at: int, length: int, instead: bytes) -> bytes:
        return content[:at] + instead + content[at + length :]

    return st.builds(change, st.integers(0, len(content)), st.integers(0, 200), st.binary(max_size=5))
