"""Finding the one hit that somebody names, by whichever part of its identity they have."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from trailbell.errors import SettingsError
from trailbell.hits.hit import Hit
from trailbell.hits.hit_id import HitName, digest_of
from trailbell.hits.query import HitQuery
from trailbell.hits.short_id import LONGEST, SHORT, ShortId, short_id
from trailbell.store import rows
from trailbell.store.deliveries import delivery_levels
from trailbell.store.dynamo import Row, decode, encode, get_all
from trailbell.store.log_places import with_log_places
from trailbell.store.query.hit_query import workers
from trailbell.store.query.partitions import day_groups
from trailbell.store.query.pointer_filter import Pointer
from trailbell.store.query.pointers import PointerReader


_WINDOW = timedelta(days=400)  # an event id alone is looked for so far back, one shard of each day
_MANY = 10


def find_hit(client: Any, table: str, name: HitName, now: datetime) -> tuple[Hit, int]:
    """The hit of that name, and when its row expires (epoch seconds).

    Raises SettingsError when no hit, or more than one, goes by that name.
    """
    candidates = list(islice(_candidates(client, table, name, now), _MANY))
    if not candidates:
        raise SettingsError(
            "no such hit in the table: it may have expired, or be in the table of another account or region"
        )
    found = with_log_places(client, table, [rows.read_hit(row) for row in candidates])
    hits = [(hit, int(row["expiresAt"])) for hit, row in zip(found, candidates, strict=True)]
    if len(hits) > 1:
        ids = "\n  ".join(_told_apart([hit for hit, _ in hits]))
        raise SettingsError(f"several hits go by that name; give one of these in full:\n  {ids}")
    return hits[0]


def hits_of_event(client: Any, table: str, event_id: str, since: datetime, until: datetime) -> list[Hit]:
    """The hits of an event of that time, none where it has none.

    Raises NewerFormatError when a newer version wrote one, and what botocore raises.
    """
    accounts = _accounts_between(client, table, event_id, since, until)
    return [rows.read_hit(row) for account in accounts for row in _of_event(client, table, account, event_id)]


def hit_of_identity(client: Any, table: str, identity: tuple[str, str, str]) -> Hit | None:
    """The hit of an identity, None if there is none. Raises as hits_of_event."""
    found = next(get_all(client, table, [rows.hit_key(*identity)]), None)
    return rows.read_hit(found) if found else None


def _told_apart(hits: list[Hit]) -> list[str]:
    """A line for each of some hits, its short id with as many characters as tell it from the others."""
    length = SHORT
    while length < LONGEST and len({hit.short_id_of(length) for hit in hits}) < len(hits):
        length += 1
    return [f"{hit.short_id_of(length)}  {hit.hit_id}  {hit.name}" for hit in hits]


def was_notified(client: Any, table: str, hit: Hit) -> bool:
    """Whether the notifier has notified a hit."""
    return bool(delivery_levels(client, table, hit.delivery_identities))


def _candidates(client: Any, table: str, name: HitName, now: datetime) -> Iterator[Row]:
    if name.account and name.rule_id:
        yield from get_all(client, table, [rows.hit_key(name.account, name.event_id, name.rule_id)])
    elif name.account:
        yield from _of_event(client, table, name.account, name.event_id)
    elif name.short:
        yield from get_all(client, table, _of_short(client, table, name.short, now))
    elif name.day:
        yield from get_all(client, table, _of_day(client, table, name.day, name.digest))
    else:
        for account in _accounts(client, table, name.event_id, now):
            yield from _of_event(client, table, account, name.event_id)


def _of_event(client: Any, table: str, account: str, event_id: str) -> Iterator[Row]:
    response = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=encode({":pk": rows.hit_key(account, event_id, "")["pk"]}),
        ConsistentRead=True,
    )
    # A stronger verdict stands beside the hit it raises, which is the one that people name.
    yield from (row for row in map(decode, response["Items"]) if not row.get("raisedFrom"))


def _of_short(client: Any, table: str, short: ShortId, now: datetime) -> list[Row]:
    """The keys of the hits that a short id names, from one partition of its day."""
    for day in short.days(now.astimezone(UTC).date()):
        query = _whole_day(day)
        with workers() as pool:
            pointers = PointerReader(client, table, pool, query).read(day_groups(query, (short.shard,)))
            named = [rows.pointed_at(pointer) for pointer in pointers if _is_named(pointer, short)]
        if named:
            return named[:_MANY]
    return []


def _is_named(pointer: Pointer, short: ShortId) -> bool:
    return short_id(rows.identity_of(pointer), pointer["sk"], len(short.text)) == short.text


def _whole_day(day: date) -> HitQuery:
    midnight = datetime.combine(day, time.min, UTC)
    return HitQuery(since=midnight, until=midnight + timedelta(hours=24, seconds=-1))


def _of_day(client: Any, table: str, day: date, digest: str) -> list[Row]:
    """The keys of the hits that an id of versions before names."""
    query = _whole_day(day)
    with workers() as pool:
        pointers = PointerReader(client, table, pool, query).read(day_groups(query))
        named = (rows.pointed_at(one) for one in pointers if digest_of(rows.identity_of(one)) == digest)
        return list(islice(named, _MANY))


def _accounts(client: Any, table: str, event_id: str, now: datetime) -> list[str]:
    return _accounts_between(client, table, event_id, now - _WINDOW, now + timedelta(days=1))


def _accounts_between(client: Any, table: str, event_id: str, since: datetime, until: datetime) -> list[str]:
    """The account in which an event has hits, found by the time pointers in its shard; empty if there is none."""
    query = HitQuery(since=since, until=until, event_id=event_id)
    groups = day_groups(query, (rows.time_shard(event_id),))
    with workers() as pool, closing(PointerReader(client, table, pool, query).read(groups)) as pointers:
        identities = (rows.identity_of(pointer) for pointer in pointers)
        return list(islice((account for account, event, _ in identities if event == event_id), 1))
