"""Where the records of hits stand in log files, where a live event had brought them before.

    I#{account}#{eventID}    as the hit    kind `log-place`: bucket, key, index; at: when the log file was read

A row of its own: a hit says what happened, and that does not change; and a change of the hit's row would be news in
the table's stream. It is written once, by whichever log file holds the record first, and read with the hit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from trailbell.cloudtrail.origin import Place
from trailbell.hits.hit import ACT, Hit
from trailbell.store.dynamo import Row, get_all, put_new
from trailbell.store.rows import LOG_PLACE, is_alive, log_place_key


Identity = tuple[str, str, str]


def keep_log_place(client: Any, table: str, identity: Identity, place: Place, at: str, expires_at: int) -> None:
    """Keep the place of a hit's record, unless one is known; at: when its log file was read (UTC, ISO 8601 with Z).

    Raises TableError or what botocore raises.
    """
    members = {"bucket": place.bucket, "key": place.key, "index": place.index, "at": at, "expiresAt": expires_at}
    put_new(client, table, {**log_place_key(*identity), "kind": LOG_PLACE, **members})


def with_log_places(client: Any, table: str, hits: Sequence[Hit]) -> list[Hit]:
    """The hits, those that a live event brought with their places in log files, as far as these were read since.

    An episode's record is that of one of its acts: its place is that of the last act that is a hit and has one.
    """
    wanted = {hit.identity: [*_identities(hit)] for hit in hits if hit.live}
    if not wanted:
        return [*hits]
    keys = {_named(key): key for identities in wanted.values() for key in map(_key, identities)}
    rows = {_named(row): row for row in get_all(client, table, keys.values()) if is_alive(row)}
    return [_placed(hit, [rows.get(_named(_key(one))) for one in wanted.get(hit.identity, ())]) for hit in hits]


def _identities(hit: Hit) -> Iterable[Identity]:
    yield hit.identity
    acts = hit.episode.acts if hit.episode else ()
    yield from ((act.account, act.event_id, ACT) for act in reversed(acts) if act.is_hit)


def _placed(hit: Hit, rows: Sequence[Row | None]) -> Hit:
    row = next(filter(None, rows), None)
    if row is None:
        return hit
    return replace(hit, place=Place(row["bucket"], row["key"], row["index"]), filed_at=row["at"])


def _key(identity: Identity) -> Row:
    return log_place_key(*identity)


def _named(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["pk"], row["sk"]
