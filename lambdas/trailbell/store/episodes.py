"""Episodes as the detector keeps them: intervals that only grow and are joined, whoever comes first.

What one detector finds may be a piece of an episode. Pieces are put together here: one that touches no live episode
becomes one, with its hit; any other makes the earliest of those that it touches grow, and the rest are joined into
that. So whatever order the pieces come in, and however often, the live episodes are the same at the end.

A change is one transaction, on condition that no other change was made since the group was read. The hit's row is in
it, so that each episode that was ever new has exactly one; and so are the hit's pointers: a detector that another one
overtakes would leave pointers to a hit that never came, for it may have seen the episode come true at another time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from trailbell.errors import TableError
from trailbell.flows.correlation_state import FoundEpisode, MakeHit, Merged
from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass
from trailbell.store.contributions import kept_until, partition_of
from trailbell.store.dynamo import THROTTLED, Row, encode, waits
from trailbell.store.episode_rows import EPISODES_VERSION, HEAD, EpisodeRows, KeptEpisode, begun, grown, kept_row
from trailbell.store.rows import QUIET, hit_row, pointer_rows
from trailbell.store.states import unchanged_since
from trailbell.text.times import DAY_SECONDS


# A transaction takes 100 rows: the version, the episode, its hit, and pointers, of which a hit has 45 at most.
_JOINED_AT_ONCE = 40

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_PASSING = {"ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


@dataclass(frozen=True, slots=True)
class _Change:
    """What one transaction writes.

    after:  the episode as it is to be; joined: those that are joined into it; hit: its hit, where nobody was notified
            of it yet.
    is_all: whether nothing is left to do afterwards.
    """

    after: KeptEpisode
    joined: Sequence[KeptEpisode] = ()
    hit: Hit | None = None
    is_new: bool = False
    is_all: bool = True


class DynamoEpisodes:
    """Keeps episodes."""

    def __init__(
        self, client: Any, table: str, retention_days: int, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._table, self._pause = client, table, pause
        self._retention = retention_days * DAY_SECONDS

    def merge(self, found: FoundEpisode, make_hit: MakeHit) -> Merged:
        """Keep an episode: as a new one with its hit, or as a part of those that it touches.

        Raises TableError where others change the same group all the time, or what botocore raises. Done again it comes
        to the same.
        """
        partition, merged, is_hit_kept = partition_of(found.of), Merged(), False
        rows, pauses = EpisodeRows(self._client, self._table, partition), waits()
        pause = next(pauses, None)
        while pause is not None:
            if pause:
                self._pause(pause)
            version = rows.version()  # first of all: what is changed after it is refused
            change = _change(found, rows.touching(found.first, found.last), make_hit, partition)
            if change is None:
                return merged
            if is_hit_kept:
                change = replace(change, hit=None)
            refused = self._write(partition, version, change, found)
            if refused is None:
                merged = merged.plus(Merged(int(change.is_new), len(change.joined)))
                if change.is_all:
                    return merged
                pause = 0.0
            else:
                is_hit_kept |= refused.is_hit_kept
                pause = next(pauses, None)
        raise TableError(f"{self._table}: the episodes of {partition} were changed by others again and again")

    def _write(self, partition: str, version: int, change: _Change, found: FoundEpisode) -> "_Refused | None":
        """Write a change; None if it was written. Raises what botocore raises for good."""
        expires_at = kept_until(found.of.correlation, self._retention)
        head = {"pk": partition, "sk": HEAD, "kind": EPISODES_VERSION, "version": version + 1, "expiresAt": expires_at}
        joined = (replace(one, joined=change.after.key) for one in change.joined)
        puts: list[tuple[Row, dict[str, Any]]] = [
            (head, unchanged_since(version)),
            *((kept_row(partition, one, expires_at), {}) for one in (change.after, *joined)),
        ]
        if change.hit:
            hit_expires_at = int(time.time()) + self._retention
            puts += ((row, {}) for row in pointer_rows(change.hit, hit_expires_at))
            puts.append((hit_row(change.hit, hit_expires_at), _UNLESS_NOTIFIED))
        items = [{"Put": {"TableName": self._table, "Item": encode(row), **condition}} for row, condition in puts]
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            return _refused(error, has_hit=bool(change.hit))
        return None


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a change was not written, though it may be the next time.

    is_hit_kept: whether the hit is in the table already: its episode's row has expired, and history was read again.
    """

    is_hit_kept: bool = False


def _refused(error: ClientError, *, has_hit: bool) -> _Refused:
    if error.response["Error"]["Code"] in THROTTLED:
        return _Refused()
    codes = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())]
    if not codes or not set(codes) <= {"None", *_PASSING}:
        raise error
    return _Refused(has_hit and codes[0] == "None" and codes[-1] == "ConditionalCheckFailed")


# A hit that is there for a quiet replay gives way to one that is to be notified, as in store/hit_table.py.
_UNLESS_NOTIFIED = {
    "ConditionExpression": "attribute_not_exists(pk) OR kind = :quiet",
    "ExpressionAttributeValues": encode({":quiet": QUIET}),
}


def _change(found: FoundEpisode, touching: Sequence[KeptEpisode], make_hit: MakeHit, partition: str) -> _Change | None:
    """What is to be written of an episode, given the live ones that it touches; None if nothing."""
    if not touching:
        new = begun(found)
        hit = make_hit(partition, new.key, new.came_true)
        return _Change(new.with_hit(hit), hit=hit, is_new=True)
    some = touching[:_JOINED_AT_ONCE]
    is_all = len(some) == len(touching)
    after = grown(some, found, up_to=found.last if is_all else some[-1].last)
    if after.is_quiet:
        hit = make_hit(partition, after.key, after.came_true)
        if not hit.quiet:
            return _Change(after.with_hit(hit), some[1:], hit, is_all=is_all)
    if not some[1:] and (after.first, after.last) == (some[0].first, some[0].last):
        return None
    return _Change(after, some[1:], is_all=is_all)
