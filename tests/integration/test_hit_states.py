"""What people make of a hit: who and when, undoable, and nobody's change is lost to another's."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from trailbell.cloudtrail.record import NO_TIME
from trailbell.errors import SettingsError, StateError
from trailbell.flows.stream_batch import StreamHit
from trailbell.handlers.notifier import new_hits
from trailbell.hits.hit import Hit
from trailbell.hits.hit_id import digest_of, parse_hit_name
from trailbell.hits.hit_state import UNRESOLVED, HitState, change_state
from trailbell.hits.query import HitQuery
from trailbell.store.hit_table import DynamoHitTable
from trailbell.store.query.hit_lookup import find_hit
from trailbell.store.query.hit_query import find_page
from trailbell.store.states import DynamoHitStates


GivenHit = Callable[..., Hit]

WINDOW: dict[str, Any] = {
    "since": datetime(2026, 9, 15, tzinfo=UTC),
    "until": datetime(2026, 9, 16, tzinfo=UTC),
}
NOW = datetime(2026, 9, 16, tzinfo=UTC)
ALICE, BOB = "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:user/bob"
EXPIRES = 4_000_000_000


@pytest.fixture
def states(dynamodb: Any, table: str) -> DynamoHitStates:
    return DynamoHitStates(dynamodb, table)


def do(states: DynamoHitStates, hit: Hit, action: str, by: str, note: str = "") -> None:
    before, _ = states.read(hit.identity)
    states.write(hit.identity, *change_state(before, action, by, "2026-09-15T11:00:00Z", note), EXPIRES)


def test_history_says_who_did_what_and_reopening_undoes_it(states: DynamoHitStates, given_hit: GivenHit) -> None:
    """Who resolved it, and why, is asked months later."""
    hit = given_hit(1)

    do(states, hit, "ack", ALICE)
    do(states, hit, "note", BOB, "it was planned")
    do(states, hit, "resolve", BOB)
    do(states, hit, "reopen", ALICE, "no, it was not")

    state, history = states.read(hit.identity)
    assert (state.word, state.by, state.note) == ("open", ALICE, "no, it was not")
    assert [(one.action, one.word, one.by, one.note) for one in history] == [
        ("ack", "acked", ALICE, ""),
        ("note", "acked", BOB, "it was planned"),
        ("resolve", "resolved", BOB, ""),
        ("reopen", "open", ALICE, "no, it was not"),
    ]


def test_second_of_two_changes_at_the_same_moment_is_refused(states: DynamoHitStates, given_hit: GivenHit) -> None:
    """Both read "open"; whoever writes last must learn of the other instead of overwriting."""
    hit, seen = given_hit(1), HitState()
    states.write(hit.identity, *change_state(seen, "resolve", ALICE, "2026-09-15T11:00:00Z"), EXPIRES)

    with pytest.raises(StateError, match=r"resolve by .*alice"):
        states.write(hit.identity, *change_state(seen, "ack", BOB, "2026-09-15T11:00:01Z"), EXPIRES)

    state, history = states.read(hit.identity)
    assert (state.word, len(history)) == ("resolved", 1)


@pytest.mark.parametrize(
    ("done", "action", "says"),
    [
        ([], "reopen", "open already"),
        (["ack"], "ack", r"acked already, by .*alice at 2026"),
        (["resolve"], "resolve", "resolved already"),
        (["resolve"], "ack", "reopen it first"),
        (["undo"], "resolve", r"undone already, by .*alice at .*; reopen it first"),
        (["resolve"], "resolve", r"resolved already, by .*alice at \S+$"),
    ],
)
def test_what_changes_nothing_says_who_did_it_already(
    states: DynamoHitStates, given_hit: GivenHit, done: list[str], action: str, says: str
) -> None:
    """Two people who were paged for one hit both acknowledge it."""
    for each in done:
        do(states, given_hit(1), each, ALICE)

    with pytest.raises(StateError, match=says):
        do(states, given_hit(1), action, BOB)


def test_open_leaves_out_what_is_resolved_or_muted(
    states: DynamoHitStates, given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """The list of what is left to do; a muted hit waits for nobody, until somebody touches it."""
    hits = [given_hit(number, muted_by="nightly" if number in (4, 5) else "") for number in range(1, 6)]
    DynamoHitTable(dynamodb, table, 400).keep(hits)
    do(states, hits[0], "ack", ALICE)
    do(states, hits[1], "resolve", ALICE)
    do(states, hits[4], "note", ALICE, "look at this one")

    def ask(*words: str) -> dict[int, str]:
        page = find_page(dynamodb, table, HitQuery(**WINDOW, states=words), 10)
        return {int(one.hit.event_id[-3:]): one.state.word for one in page.hits}

    assert ask(*UNRESOLVED) == {1: "acked", 3: "open", 5: "open"}
    assert ask("resolved") == {2: "resolved"}


def test_states_neither_change_the_hit_nor_reach_the_notifier(
    states: DynamoHitStates, given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """A new row in the table's stream must not page anybody."""
    hit = given_hit(1)
    DynamoHitTable(dynamodb, table, 400).keep([hit])
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    do(states, hit, "ack", ALICE)
    do(states, hit, "resolve", ALICE)

    streams = boto3.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    records = streams.get_records(ShardIterator=iterator)["Records"]

    kinds = {record["dynamodb"]["NewImage"]["kind"]["S"] for record in records}
    assert {"state", "state-change", "hit"} <= kinds
    assert [each.hit.identity for each in new_hits({"Records": records}) if isinstance(each, StreamHit)] == [
        hit.identity
    ]
    assert find_hit(dynamodb, table, parse_hit_name(hit.hit_id), NOW)[0] == hit


def test_hit_is_found_by_whatever_name_somebody_has(given_hit: GivenHit, dynamodb: Any, table: str) -> None:
    """The id from a mail, from the table's first column, from CloudTrail's own console, from a note of last year."""
    hits = [given_hit(number) for number in range(1, 9)]
    DynamoHitTable(dynamodb, table, 400).keep(hits)
    hit = hits[4]
    short, dated = hit.short_id, f"260915-{digest_of(hit.identity)}"

    for name in (hit.hit_id, f"{hit.account}/{hit.event_id}", hit.event_id, short, short.upper(), dated):
        assert find_hit(dynamodb, table, parse_hit_name(name), NOW)[0] == hit, name


def test_ambiguous_or_unknown_name_says_what_to_give(given_hit: GivenHit, dynamodb: Any, table: str) -> None:
    """Resolving the wrong one of two hits of an event hides the other."""
    one, other = given_hit(1), given_hit(1, rule_id="3c1f7f0e-6a3b-4d0b-9d7e-6f5a2b1c8e02")
    DynamoHitTable(dynamodb, table, 400).keep([one, other])

    with pytest.raises(SettingsError, match=f"(?s){one.hit_id}.*{other.hit_id}"):
        find_hit(dynamodb, table, parse_hit_name(one.event_id), NOW)
    for name in ("260915-00000000", "00000000"):
        with pytest.raises(SettingsError, match="no such hit"):
            find_hit(dynamodb, table, parse_hit_name(name), NOW)


def test_two_hits_of_one_short_id_are_told_apart_by_more_of_it(given_hit: GivenHit, dynamodb: Any, table: str) -> None:
    """Rare, and then nobody may close the wrong one: both are listed, each with an id that names it alone."""
    one, other = given_hit(6847, kept_as="act"), given_hit(23929, kept_as="act")
    assert one.short_id == other.short_id
    DynamoHitTable(dynamodb, table, 400).keep([one, other])

    with pytest.raises(SettingsError, match="several hits") as refused:
        find_hit(dynamodb, table, parse_hit_name(one.short_id), NOW)

    names = [line.split()[0] for line in str(refused.value).splitlines()[1:]]
    assert all(name.startswith(one.short_id) for name in names)
    found = [find_hit(dynamodb, table, parse_hit_name(name), NOW)[0] for name in names]
    assert {hit.hit_id for hit in found} == {one.hit_id, other.hit_id}


def test_hit_without_a_time_and_a_hit_of_a_version_before_have_short_ids(
    given_hit: GivenHit, dynamodb: Any, table: str
) -> None:
    """A record whose time cannot be read is kept under 1970; a row with a rule's id is found like any other."""
    hits = [given_hit(1, event_time=NO_TIME), given_hit(2, kept_as="")]
    DynamoHitTable(dynamodb, table, 400).keep(hits)

    for hit in hits:
        assert find_hit(dynamodb, table, parse_hit_name(hit.short_id), NOW)[0] == hit


@pytest.mark.parametrize("name", ["", "a//b", "269999-0a1b2c3d", "a\nb", "x" * 300])
def test_what_names_no_hit_is_refused(name: str) -> None:
    """Before any request is made."""
    with pytest.raises(SettingsError):
        parse_hit_name(name)


def test_resolution_may_say_what_it_was(states: DynamoHitStates, given_hit: GivenHit) -> None:
    """Kept with the state and in its history, corrected by resolving again, and gone when it is reopened."""
    hit = given_hit(1)
    said = []
    for action, resolved_as in (("resolve", "false"), ("note", ""), ("resolve", "confirmed"), ("reopen", "")):
        before, _ = states.read(hit.identity)
        states.write(
            hit.identity, *change_state(before, action, ALICE, "2026-09-15T11:00:00Z", "", resolved_as), EXPIRES
        )
        said.append(states.read(hit.identity)[0].resolved_as)

    _, history = states.read(hit.identity)
    assert said == ["false", "false", "confirmed", ""]
    assert [one.resolved_as for one in history] == ["false", "", "confirmed", ""]
    with pytest.raises(StateError, match="open already"):
        change_state(HitState(), "reopen", ALICE, "2026-09-15T11:00:00Z")


def test_same_resolution_twice_is_refused(states: DynamoHitStates, given_hit: GivenHit) -> None:
    """Nothing would change."""
    before, _ = change_state(HitState(), "resolve", ALICE, "2026-09-15T11:00:00Z", "", "false")

    with pytest.raises(StateError, match="resolved already"):
        change_state(before, "resolve", BOB, "2026-09-15T12:00:00Z", "", "false")
    with pytest.raises(StateError, match="resolved already"):
        change_state(before, "resolve", BOB, "2026-09-15T12:00:00Z")
