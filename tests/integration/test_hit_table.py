"""Hits are kept once, with a pointer for every question, and marked when they were told."""

import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from tests.integration.conftest import HIT
from tests.unit.conftest import RULE
from trailbell.cloudtrail.origin import LiveEvent, Place
from trailbell.engine.rulebook import Rulebook
from trailbell.errors import TableError
from trailbell.facts.actor import Actor
from trailbell.flows.keeping import CHUNK
from trailbell.hits.detect import HitDetector
from trailbell.hits.episode import EpisodeAct, HitEpisode
from trailbell.hits.hit import Hit, hit_from_document
from trailbell.rulebook.cases import BASE_RECORD
from trailbell.store.deliveries import DynamoDeliveryRecords
from trailbell.store.dynamo import decode, encode, get_all, put_new, write_all
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.rows import hit_key


GivenHit = Callable[..., Hit]
ReadRows = Callable[[str], list[dict[str, Any]]]

DAYS = 400
DAY = 86_400


class ThrottledWriter:
    """A DynamoDB client that takes one row of each of its first `slow` calls, then all."""

    def __init__(self, slow: int) -> None:
        self.slow, self.calls, self.taken = slow, list[int](), list[str]()

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        ((table, requests),) = RequestItems.items()
        self.calls.append(len(requests))
        taken = 1 if len(self.calls) <= self.slow else len(requests)
        self.taken += [request["PutRequest"]["Item"]["pk"]["S"] for request in requests[:taken]]
        return {"UnprocessedItems": {table: requests[taken:]} if requests[taken:] else {}}


class ThrottledReader:
    """A DynamoDB client that gives one row a call."""

    def __init__(self) -> None:
        self.calls = list[int]()

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        ((table, request),) = RequestItems.items()
        self.calls.append(len(request["Keys"]))
        rest = request["Keys"][1:]
        left = {table: {**request, "Keys": rest}} if rest else {}
        return {"Responses": {table: request["Keys"][:1]}, "UnprocessedKeys": left}


class CrashingClient:
    """A DynamoDB client that crashes in one of its calls."""

    def __init__(self, client: Any, crashing: str) -> None:
        self.client, self.crashing = client, crashing

    def __getattr__(self, name: str) -> Any:
        if name == self.crashing:
            raise ConnectionError(name)
        return getattr(self.client, name)


def given_keys(count: int) -> list[dict[str, Any]]:
    return [{"pk": f"X#{number}", "sk": "s"} for number in range(count)]


@pytest.fixture
def hit_table(dynamodb: Any, table: str) -> DynamoHitTable:
    return DynamoHitTable(dynamodb, table, DAYS)


@pytest.fixture
def marks(dynamodb: Any, table: str) -> DynamoDeliveryRecords:
    return DynamoDeliveryRecords(dynamodb, table, DAYS)


def test_hit_kept_again_is_not_new(hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows) -> None:
    """A redelivered log file would page everybody a second time."""
    first = hit_table.keep([given_hit(seen_at="2026-09-15T10:04:00Z")])
    rows = read_rows("hit")
    second = hit_table.keep([given_hit(seen_at="2026-09-15T11:59:59Z")])

    assert (first, second) == (1, 0)
    assert read_rows("hit") == rows


def test_hit_repeated_in_one_call_is_kept_once(
    hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows
) -> None:
    """DynamoDB refuses a whole batch in which a key stands twice."""
    new = hit_table.keep([given_hit(1), given_hit(2), given_hit(1)])

    assert new == 2
    assert len(read_rows("hit")) == 2


def test_hits_that_differ_in_one_part_of_the_identity_are_all_kept(
    hit_table: DynamoHitTable, given_hit: GivenHit
) -> None:
    """Two acts taken for one means that the second is never told."""
    hits = [given_hit(1), given_hit(2), given_hit(1, account="444455556666"), given_hit(1, rule_id="another-rule")]

    assert hit_table.keep(hits) == 4


def test_hit_is_not_there_before_its_pointers(
    dynamodb: Any, table: str, given_hit: GivenHit, read_rows: ReadRows
) -> None:
    """A hit without pointers is told once and never found; kept again it is no longer new, so nothing mends it."""
    with pytest.raises(ConnectionError):
        DynamoHitTable(CrashingClient(dynamodb, "batch_write_item"), table, DAYS).keep([given_hit()])

    assert read_rows("") == []


def test_redelivery_completes_what_a_crash_left(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows
) -> None:
    """Pointers without their hit must not make it look known: then nobody would be told."""
    with pytest.raises(ConnectionError):
        DynamoHitTable(CrashingClient(dynamodb, "put_item"), table, DAYS).keep([given_hit()])
    left = (len(read_rows("pointer")), len(read_rows("hit")))

    new = hit_table.keep([given_hit()])

    assert left == (5, 0)
    assert new == 1
    assert len(read_rows("hit")) == 1


def test_nothing_to_keep_is_no_request(hit_table: DynamoHitTable, read_rows: ReadRows) -> None:
    """Most log files hold no hit; DynamoDB refuses an empty batch."""
    assert hit_table.keep([]) == 0
    assert read_rows("") == []


def test_hit_has_a_row_for_every_question(hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows) -> None:
    """Keys are forever: a changed one loses every hit that was kept under the old."""
    hit = given_hit(7, rule_id="rule-1", also=("weak",), also_ids=("rule-2",), actor="actor-1", resources=("r1", "r2"))

    hit_table.keep([hit])

    sort = "2026-09-15T10:00:00Z#111122223333#ca7e0000-0000-4000-8000-000000000007#rule-1"
    assert {(row["kind"], row["pk"], row["sk"]) for row in read_rows("")} == {
        ("hit", "H#111122223333#ca7e0000-0000-4000-8000-000000000007", "rule-1"),
        ("pointer", "T#2026-09-15#3", sort),
        ("pointer", "R#rule-1#2026-09", sort),
        ("pointer", "R#rule-2#2026-09", sort),
        ("pointer", "P#actor-1#2026-09", sort),
        ("pointer", "X#r1", sort),
        ("pointer", "X#r2", sort),
        ("pointer", "A#111122223333#2026-09", sort),
    }


def test_muted_hit_is_of_another_kind(hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows) -> None:
    """The stream's filter knows hits by their kind; a muted one that looks like any other is mailed."""
    new = hit_table.keep([given_hit(1, muted_by="nightly-rotation"), given_hit(2)])

    assert new == 2
    assert [row["eventID"] for row in read_rows("muted")] == [given_hit(1).event_id]
    assert [row["eventID"] for row in read_rows("hit")] == [given_hit(2).event_id]


def test_rule_of_once_a_day_makes_one_hit_of_many_records(
    hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows
) -> None:
    """What stands for the event's id must be the row's key, else every record is a hit of its own."""
    once = "2026-09-15-kms.amazonaws.com-NewOperation"

    new = [hit_table.keep([given_hit(number, once=once)]) for number in range(3)]

    assert new == [1, 0, 0]
    assert [row["pk"] for row in read_rows("hit")] == [f"H#111122223333#{once}"]


def test_every_pointer_names_its_hit(hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows) -> None:
    """A pointer that leads nowhere makes its hit impossible to find by that question."""
    hit_table.keep([given_hit()])

    key = hit_key(*given_hit().identity)
    pointers = read_rows("pointer")
    assert len(pointers) == 5
    assert {(row["hitPk"], row["hitSk"]) for row in pointers} == {(key["pk"], key["sk"])}


def test_every_row_expires_in_epoch_seconds(
    hit_table: DynamoHitTable, marks: DynamoDeliveryRecords, given_hit: GivenHit, read_rows: ReadRows
) -> None:
    """DynamoDB never expires a row whose time is text, or in milliseconds."""
    before = int(time.time())

    hit_table.keep([given_hit()])
    marks.record([given_hit()])

    rows = read_rows("")
    assert {row["kind"] for row in rows} == {"hit", "pointer", "told"}
    for row in rows:
        assert isinstance(row["expiresAt"], int)
        assert before + DAYS * DAY <= row["expiresAt"] <= time.time() + DAYS * DAY


def test_thirty_hits_are_kept_with_all_their_pointers(
    hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows
) -> None:
    """DynamoDB takes 25 rows a request; what does not fit into the first must not be forgotten."""
    new = hit_table.keep([given_hit(number) for number in range(30)])

    pointers = [row["hitPk"] for row in read_rows("pointer")]
    assert new == 30
    assert len(read_rows("hit")) == 30
    assert {pointers.count(target) for target in pointers} == {5}
    assert len(set(pointers)) == 30


def test_hit_comes_back_from_its_row_as_it_was(dynamodb: Any, table: str, hit_table: DynamoHitTable) -> None:
    """What the round trip changes is wrong in every alert and every query."""
    actor = Actor(**{part.name: f"actor {part.name}" for part in fields(Actor) if part.name != "console"}, console=True)
    members: dict[str, Any] = {
        part.name: (f"{part.name} 1", f"{part.name} 2") if part.type == tuple[str, ...] else f"{part.name} é 🔑"
        for part in fields(Hit)
    }
    members["shown"] = (("to é 🔑", "1"), ("from", "2"))
    named: dict[str, Any] = {part.name: f"{part.name} é 🔑" for part in fields(EpisodeAct)}
    act = EpisodeAct(**named | {"resources": ("a", "b"), "undo": ("c",), "is_hit": True})
    episode = HitEpisode((("by é", "🔑"),), "first", "last", 3, (act,), "partition", "key", at_least=True)
    members["live"] = LiveEvent("id é 🔑", "account", "region", "time")
    others = {"actor": actor, "place": Place("trail", "key", 0), "format": 1, "level": "high", "episode": episode}
    hit = Hit(**members | others)

    hit_table.keep([hit])

    row = decode(dynamodb.get_item(TableName=table, Key=_typed(hit_key(*hit.identity)))["Item"])
    assert hit_from_document(row) == hit


def test_hit_with_nothing_but_what_it_needs_comes_back_as_it_was(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: GivenHit
) -> None:
    """Empty members are left out of the row; reading must put the same emptiness back."""
    hit = replace(given_hit(region="", resources=()), place=Place("", "", 0), actor=Actor("unknown", "", ""))

    hit_table.keep([hit])

    row = decode(dynamodb.get_item(TableName=table, Key=_typed(hit_key(*hit.identity)))["Item"])
    assert hit_from_document(row) == hit


@pytest.mark.parametrize("character", [pytest.param("x", id="ascii"), pytest.param("鍵", id="three-bytes")])
def test_long_names_fit_into_keys(
    hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows, character: str
) -> None:
    """A partition key takes 2,048 bytes, and the caller chooses how long a name is."""
    long = character * 2000
    hit = given_hit(actor=f"arn:{long}", resources=(f"arn:{long}1", f"arn:{long}2"), also_ids=(long,), also=("weak",))

    new = hit_table.keep([hit])

    assert new == 1
    assert len({row["pk"] for row in read_rows("pointer")}) == 7
    assert hit_from_document(read_rows("hit")[0]) == hit


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("🔑 clé schlüssel 鍵", id="many-alphabets"),
        pytest.param("a\x00b\r\n\x1b[31m", id="control"),
        pytest.param("a\u202eb\u200bc\ufeff", id="bidirectional"),
        pytest.param("e\u0301 and é", id="not-normalised"),
        pytest.param("#H#T#", id="our-separator"),
    ],
)
def test_strange_names_are_kept_as_they_are(
    hit_table: DynamoHitTable, given_hit: GivenHit, read_rows: ReadRows, name: str
) -> None:
    """A name that cannot be written costs the whole log file it stands in."""
    hit = given_hit(actor=name, resources=(name,))

    new = hit_table.keep([hit])

    assert new == 1
    assert {f"P#{name}#2026-09", f"X#{name}"} <= {row["pk"] for row in read_rows("pointer")}
    assert hit_from_document(read_rows("hit")[0]) == hit


def test_told_marks_name_the_hits_that_were_told(marks: DynamoDeliveryRecords, given_hit: GivenHit) -> None:
    """A hit without its mark is told again, one with another's mark never."""
    hits = [given_hit(number) for number in range(4)]

    before = marks.notified(hits)
    marks.record(hits[:2])
    after = marks.notified(hits)

    assert before == {}
    assert after == {hits[0].identity: "high", hits[1].identity: "high"}


def test_told_mark_is_a_row_of_its_own(
    hit_table: DynamoHitTable, marks: DynamoDeliveryRecords, given_hit: GivenHit, read_rows: ReadRows
) -> None:
    """A changed hit row would go through the stream again; a mark elsewhere is forbidden to the notifier's role."""
    hit_table.keep([given_hit()])
    before = read_rows("hit")

    marks.record([given_hit()])

    assert read_rows("hit") == before
    assert [(row["pk"], row["sk"]) for row in read_rows("told")] == [
        ("N#111122223333#ca7e0000-0000-4000-8000-000000000001", "3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e01")
    ]


def test_marks_of_a_whole_stream_batch_are_written_and_found(marks: DynamoDeliveryRecords, given_hit: GivenHit) -> None:
    """A stream batch holds up to 1,000 hits; DynamoDB gives 100 rows a request and takes 25."""
    hits = [given_hit(number) for number in range(250)]

    marks.record(hits[:249])

    assert set(marks.notified(hits)) == {hit.identity for hit in hits[:249]}


def test_no_request_is_larger_than_dynamodb_takes() -> None:
    """moto takes 26 rows where DynamoDB refuses them all."""
    writer = ThrottledWriter(slow=0)

    write_all(writer, "hits", given_keys(60))

    assert writer.calls == [25, 25, 10]
    assert writer.taken == [key["pk"] for key in given_keys(60)]


def test_rows_left_undone_are_written_again() -> None:
    """BatchWriteItem answers 200 for a batch of which it took only a part."""
    writer, pauses = ThrottledWriter(slow=3), list[float]()

    write_all(writer, "hits", given_keys(20), pauses.append)

    assert writer.calls == [20, 19, 18, 17]
    assert writer.taken == [key["pk"] for key in given_keys(20)]
    assert len(pauses) == 3


def test_pauses_grow_between_attempts() -> None:
    """A throttled table that is asked again at once stays throttled."""
    pauses = list[float]()

    write_all(ThrottledWriter(slow=5), "hits", given_keys(20), pauses.append)

    assert all(0.05 * 2**number / 2 <= pause <= 0.05 * 2**number for number, pause in enumerate(pauses))
    assert len(pauses) == 5


def test_rows_refused_to_the_end_are_an_error_with_their_number() -> None:
    """Rows given up in silence are hits that nobody ever sees."""
    writer = ThrottledWriter(slow=1000)

    with pytest.raises(TableError, match=r"hits: 12 rows not taken after 8 attempts"):
        write_all(writer, "hits", given_keys(20), lambda wait: None)

    assert len(writer.calls) == 8


def test_rows_not_given_at_first_are_asked_for_again() -> None:
    """A mark that is not read is a hit that is told twice."""
    channel, pauses = ThrottledReader(), list[float]()

    rows = list(get_all(channel, "hits", given_keys(5), pauses.append))

    assert rows == given_keys(5)
    assert channel.calls == [5, 4, 3, 2, 1]
    assert len(pauses) == 4


def test_rows_not_given_to_the_end_are_an_error() -> None:
    """Missing marks taken for none would tell a whole batch again."""
    with pytest.raises(TableError, match="hits: rows not given after 8 attempts"):
        list(get_all(ThrottledReader(), "hits", given_keys(20), lambda wait: None))


class ThrowingWriter:
    """A DynamoDB client that throttles its first calls by raising, as AWS does when it takes not one row."""

    def __init__(self, slow: int, code: str = "ProvisionedThroughputExceededException") -> None:
        self.slow, self.code, self.calls = slow, code, 0

    def _answer(self) -> dict[str, Any]:
        self.calls += 1
        if self.calls <= self.slow:
            raise ClientError({"Error": {"Code": self.code, "Message": "slow"}}, "PutItem")
        return {}

    def batch_write_item(self, **request: Any) -> dict[str, Any]:
        return self._answer()

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._answer()


def test_throttle_that_is_raised_is_waited_for() -> None:
    """One busy second of the table must not send a whole log file back to the queue."""
    batch, single, pauses = ThrowingWriter(slow=3), ThrowingWriter(slow=3), list[float]()

    write_all(batch, "hits", given_keys(20), pauses.append)
    new = put_new(single, "hits", given_keys(1)[0], pauses.append)

    assert new is None
    assert (batch.calls, single.calls, len(pauses)) == (4, 4, 6)


def test_throttle_to_the_end_is_an_error() -> None:
    """The operator must read that the table is too busy, not a stack trace of botocore."""
    with pytest.raises(TableError, match="20 rows not taken after 8 attempts"):
        write_all(ThrowingWriter(slow=1000), "hits", given_keys(20), lambda wait: None)
    with pytest.raises(TableError, match="a row not taken after 8 attempts"):
        put_new(ThrowingWriter(slow=1000), "hits", given_keys(1)[0], lambda wait: None)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException"])
def test_other_refusals_are_not_tried_again(code: str) -> None:
    """Waiting mends nothing there, and hides what is wrong for seconds."""
    batch, single = ThrowingWriter(slow=1000, code=code), ThrowingWriter(slow=1000, code=code)

    with pytest.raises(ClientError, match=code):
        write_all(batch, "hits", given_keys(20), lambda wait: None)
    with pytest.raises(ClientError, match=code):
        put_new(single, "hits", given_keys(1)[0], lambda wait: None)

    assert (batch.calls, single.calls) == (1, 1)


def test_thousand_hits_of_one_log_file_take_no_request_too_many() -> None:
    """A request for less than 25 rows is paid for in time; 1,000 hits have 5,000 pointers here."""
    writer = CountingWriter()
    table = DynamoHitTable(writer, "hits", DAYS)
    hits = [replace(HIT, event_id=f"e-{number}") for number in range(1000)]

    new = sum(table.keep(hits[start : start + CHUNK]) for start in range(0, 1000, CHUNK))

    assert new == 1000
    assert sum(writer.batches) == 5000
    assert len(writer.batches) == 5000 / 25
    assert writer.puts == 1000


class CountingWriter:
    """A DynamoDB client that takes everything."""

    def __init__(self) -> None:
        self.batches, self.puts = list[int](), 0

    def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        self.batches += map(len, RequestItems.values())
        return {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        self.puts += 1
        return {}


def test_row_is_typed_as_boto3_types_it() -> None:
    """Rows that boto3 wrote, or will read, must mean the same."""
    row = {"s": "é", "e": "", "n": -12, "big": 10**30, "t": True, "f": False, "none": None, "m": {"l": ["a", [1], {}]}}
    theirs = TypeSerializer().serialize(row)["M"]

    assert encode(row) == theirs
    assert decode(theirs) == row


@pytest.mark.parametrize("value", [1.5, b"x", {"x"}])
def test_row_of_what_comes_back_different_is_refused(value: object) -> None:
    """A fraction that silently becomes a whole number is a wrong hit."""
    with pytest.raises(TypeError):
        encode({"value": value})


def test_giving_up_is_not_waited_for() -> None:
    """The last pause is up to 6.4 s of the detector's time in which nothing can happen any more."""
    pauses = list[float]()

    with pytest.raises(TableError):
        write_all(ThrottledWriter(slow=1000), "hits", given_keys(20), pauses.append)

    assert len(pauses) == 7


def _typed(key: dict[str, Any]) -> dict[str, Any]:
    return {name: {"S": value} for name, value in key.items()}


def test_correction_of_a_record_is_not_new(hit_table: DynamoHitTable) -> None:
    """CloudTrail delivers some records again, completed, under an id of their own: that is the same act."""
    hit_detector = HitDetector(Rulebook((RULE,)))
    record = {**BASE_RECORD, "eventSource": "kms.amazonaws.com", "eventName": "DisableKey"}
    addendum = {"reason": "UPDATED_DATA", "updatedFields": "responseElements", "originalEventID": record["eventID"]}
    correction = {**record, "eventID": "99999999-0000-4000-8000-000000000042", "addendum": addendum}
    late = {**correction, "addendum": {"reason": "DELIVERY_DELAY"}}
    hits = [hit_detector.detect_record(one, "2026-09-01T10:00:00Z") for one in (record, correction, late)]

    assert [hit_table.keep([hit]) for hit in hits if hit] == [1, 0, 1]
