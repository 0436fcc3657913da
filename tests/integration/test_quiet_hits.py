"""A quiet replay keeps hits without telling them, and never keeps a true delivery from being told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import boto3
import pytest

from trailbell.handlers.notifier import new_hits
from trailbell.hits.hit import Hit
from trailbell.store.hit_table import DynamoHitTable


@pytest.fixture
def hit_table(dynamodb: Any, table: str) -> DynamoHitTable:
    return DynamoHitTable(dynamodb, table, 400)


def to_notify(dynamodb: Any, table: str) -> list[str]:
    """What the notifier would get from the table's stream: the ids of hits, in order."""
    streams = boto3.client("dynamodbstreams")
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    return [entry.hit.event_id for entry in new_hits({"Records": records}) if hasattr(entry, "hit")]


def kinds(read_rows: Callable[[str], list[dict[str, Any]]]) -> list[str]:
    return sorted(row["kind"] for row in read_rows("") if row["pk"].startswith("H#"))


def test_quiet_replay_is_kept_and_not_told(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: Callable[..., Hit], read_rows: Any
) -> None:
    """History is for asking, not for waking people."""
    quiet = replace(given_hit(), quiet=True)

    assert hit_table.keep([quiet]) == 1
    assert hit_table.keep([quiet]) == 0
    assert kinds(read_rows) == ["quiet"]
    assert to_notify(dynamodb, table) == []


def test_true_delivery_after_a_quiet_replay_is_told_once(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: Callable[..., Hit], read_rows: Any
) -> None:
    """The order of a replay and S3's own notification must not decide whether somebody is paged."""
    hit = given_hit()

    assert hit_table.keep([replace(hit, quiet=True)]) == 1
    assert hit_table.keep([hit]) == 1
    assert hit_table.keep([hit]) == 0
    assert hit_table.keep([replace(hit, quiet=True)]) == 0
    assert kinds(read_rows) == ["hit"]
    assert to_notify(dynamodb, table) == [hit.event_id]


def test_quiet_replay_changes_nothing_that_is_there(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: Callable[..., Hit], read_rows: Any
) -> None:
    """Replaying yesterday leaves yesterday's hits as they were told, muted ones too."""
    notified, muted = given_hit(1), given_hit(2, muted_by="planned")

    hit_table.keep([notified, muted])
    again = hit_table.keep([replace(notified, quiet=True), replace(muted, quiet=True)])

    assert again == 0
    assert kinds(read_rows) == ["hit", "muted"]
    assert to_notify(dynamodb, table) == [notified.event_id]


def test_muted_delivery_after_a_quiet_replay_stays_untold(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: Callable[..., Hit], read_rows: Any
) -> None:
    """An exception holds, whoever was first."""
    muted = given_hit(muted_by="planned")

    hit_table.keep([replace(muted, quiet=True)])
    hit_table.keep([muted])

    assert kinds(read_rows) == ["muted"]
    assert to_notify(dynamodb, table) == []


def test_muted_act_does_not_take_the_day_from_one_that_is_not_muted(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: Callable[..., Hit], read_rows: Any
) -> None:
    """Where one hit stands for an operation's whole day, an exception for one actor must not silence all others."""
    day = "2026-09-15-kms.amazonaws.com-NewOperation"
    muted, other, third = given_hit(1, once=day, muted_by="planned"), given_hit(2, once=day), given_hit(3, once=day)

    hit_table.keep([muted])
    assert hit_table.keep([other]) == 1
    assert hit_table.keep([muted, third]) == 0
    hit_table.keep([replace(muted, quiet=True)])

    assert kinds(read_rows) == ["hit"]
    assert to_notify(dynamodb, table) == [other.event_id]


@pytest.mark.parametrize("muted_first", [True, False])
def test_of_one_chunk_the_act_that_is_not_muted_stands_for_the_day(
    dynamodb: Any,
    table: str,
    hit_table: DynamoHitTable,
    given_hit: Callable[..., Hit],
    read_rows: Any,
    *,
    muted_first: bool,
) -> None:
    """In one log file both have the same identity, and one row is written."""
    day = "2026-09-15-kms.amazonaws.com-NewOperation"
    muted, other = given_hit(1, once=day, muted_by="planned"), given_hit(2, once=day)

    hit_table.keep([muted, other] if muted_first else [other, muted])

    assert kinds(read_rows) == ["hit"]
    assert to_notify(dynamodb, table) == [other.event_id]


def test_act_known_as_muted_stays_muted_when_its_log_file_comes_again(
    dynamodb: Any, table: str, hit_table: DynamoHitTable, given_hit: Callable[..., Hit], read_rows: Any
) -> None:
    """An exception that ended since must not page somebody for last week's planned work."""
    hit_table.keep([given_hit(muted_by="planned")])
    hit_table.keep([given_hit()])

    assert kinds(read_rows) == ["muted"]
    assert to_notify(dynamodb, table) == []
