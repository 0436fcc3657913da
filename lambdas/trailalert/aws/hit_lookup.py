"""Finding the one hit that somebody names, by whichever part of its identity they have."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any

from trailalert.aws import rows
from trailalert.aws.dynamo import Row, decode, encode, get_all
from trailalert.aws.hit_query import read_hit, workers
from trailalert.aws.partitions import day_groups
from trailalert.aws.pointers import PointerReader
from trailalert.core.hit import Hit
from trailalert.core.hit_id import HitName, digest_of
from trailalert.core.question import Question
from trailalert.errors import SettingsError


_WINDOW = timedelta(days=400)  # an event id alone is looked for so far back, one shard of a day at a time
_MANY = 10


def find_hit(client: Any, table: str, name: HitName, now: datetime) -> tuple[Hit, int]:
    """The hit of that name, and when its row expires (epoch seconds).

    Raises SettingsError when no hit, or more than one, goes by that name.
    """
    found = list(islice(_candidates(client, table, name, now), _MANY))
    if not found:
        raise SettingsError("no such hit in the table: it may have expired, or stand in another account's or region's")
    hits = [(read_hit(row), int(row["expiresAt"])) for row in found]
    if len(hits) > 1:
        ids = "\n  ".join(hit.hit_id for hit, _ in hits)
        raise SettingsError(f"several hits go by that name; give one of these in full:\n  {ids}")
    return hits[0]


def was_told(client: Any, table: str, hit: Hit) -> bool:
    """Whether the notifier has marked a hit as told."""
    return bool(list(get_all(client, table, [rows.told_key(*hit.identity)])))


def _candidates(client: Any, table: str, name: HitName, now: datetime) -> Iterator[Row]:
    if name.account and name.rule_id:
        yield from get_all(client, table, [rows.hit_key(name.account, name.event_id, name.rule_id)])
    elif name.account:
        yield from _of_event(client, table, name.account, name.event_id)
    else:
        with workers() as pool:
            keys = list(islice(_named(client, table, pool, name, now), _MANY))
        yield from get_all(client, table, keys)


def _of_event(client: Any, table: str, account: str, event_id: str) -> Iterator[Row]:
    response = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=encode({":pk": rows.hit_key(account, event_id, "")["pk"]}),
        ConsistentRead=True,
    )
    yield from map(decode, response["Items"])


def _named(client: Any, table: str, pool: Executor, name: HitName, now: datetime) -> Iterator[Row]:
    """Keys of the hits of an event id, or of a short id, by their time pointers."""
    if name.day:
        midnight = datetime.combine(name.day, time.min, UTC)
        question = Question(since=midnight, until=midnight + timedelta(hours=24, seconds=-1))
        groups = day_groups(question)
    else:
        question = Question(since=now - _WINDOW, until=now + timedelta(days=1), event_id=name.event_id)
        groups = day_groups(question, (rows.time_shard(name.event_id),))
    with closing(PointerReader(client, table, pool, question).read(groups)) as pointers:
        for pointer in pointers:
            identity = rows.identity_of(pointer)
            if digest_of(identity) == name.digest if name.day else identity[1] == name.event_id:
                yield rows.pointed_at(pointer)
                if not name.day:
                    return  # an event has one hit, unless rules have changed; all its rules are under its account
