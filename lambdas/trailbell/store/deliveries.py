"""Delivery records: which hits were notified of, and which somebody is about to notify of, in rows of their own.

    N#{account}#{eventID}    act    kind `claim`: owner, leaseUntil (epoch seconds); then kind `told`: level, alert

A claim is a lease: whoever holds it publishes the hit's alert and then writes the record in its place. If it ends
before, another one may claim the hit once the lease is over. So two notifiers, or an operator beside the stream, never
publish the same hit. What remains is the moment between publishing and recording: a crash exactly there publishes
twice, because losing an alert would be worse.

`alert` is the id of the first hit of the alert, the same in the records of all of its hits. A follow-up that was no
news any more when its turn came has a record with `skipped` in its place.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError

from trailbell.flows.claims import LEASE_SECONDS, Claim
from trailbell.hits.held import HeldHit
from trailbell.hits.hit import Hit
from trailbell.store.dynamo import GET_LIMIT, Row, batches, decode, encode, get_all, write_all
from trailbell.store.rows import CLAIM, DELIVERED, delivery_key
from trailbell.store.workers import Workers
from trailbell.text.times import DAY_SECONDS


_CLAIMERS = 8
_READERS = 8

Identity = tuple[str, str, str]


class DynamoDeliveryRecords:
    """Reads, claims and writes them, as one owner for as long as it lives."""

    def __init__(
        self, client: Any, table: str, retention_days: int, clock: Callable[[], float] = time.time, owner: str = ""
    ) -> None:
        self._client, self._table, self._retention = client, table, retention_days * DAY_SECONDS
        self._clock, self._owner = clock, owner or uuid.uuid4().hex
        self._workers = Workers(_CLAIMERS)

    def notified(self, hits: Sequence[Hit]) -> dict[Identity, str]:
        """The identities among `hits` that were notified of, under whichever rule, with the level it was at."""
        keys = {hit.identity: hit.delivered_as for hit in hits}
        levels = delivery_levels(self._client, self._table, {one for ones in keys.values() for one in ones})
        found = ((identity, [levels[one] for one in ones if one in levels]) for identity, ones in keys.items())
        return {identity: done[0] for identity, done in found if done}

    def left(self, held: Sequence[HeldHit]) -> list[HeldHit]:
        """Of held hits those that nobody was notified of. Raises TableError or what botocore raises."""
        named = {one for each in held for one in each.delivered_as}
        delivered = delivery_levels(self._client, self._table, named)
        return [each for each in held if not any(one in delivered for one in each.delivered_as)]

    def claim(self, hits: Sequence[Hit]) -> list[Claim]:
        """Claim hits, side by side; of each, what became of it. Raises what botocore raises."""
        return list(self._workers.each(self._claim, hits))

    def record(self, hits: Sequence[Hit]) -> None:
        """Record that the hits of an alert were notified, in place of their claims."""
        self._record(hits, {"alert": hits[0].hit_id})

    def skip(self, hits: Sequence[Hit]) -> None:
        """Record that nobody is to be notified of hits any more."""
        self._record(hits, {"skipped": True})

    def _record(self, hits: Sequence[Hit], members: Row) -> None:
        common = {"kind": DELIVERED, "expiresAt": int(time.time()) + self._retention, **members}
        rows = [{**delivery_key(*hit.delivery_identity), "level": hit.level, **common} for hit in hits]
        write_all(self._client, self._table, {(row["pk"], row["sk"]): row for row in rows}.values())

    def release(self, hits: Sequence[Hit]) -> None:
        """End claims that came to nothing, so that the next one need not wait for their leases."""
        list(self._workers.each(lambda hit: self._put(hit, lease_until=0), hits))

    def _claim(self, hit: Hit) -> Claim:
        there = self._put(hit, lease_until=int(self._clock()) + LEASE_SECONDS)
        if there is None:
            return Claim.OURS
        return Claim.HELD if there.get("kind") == CLAIM else Claim.DELIVERED

    def _put(self, hit: Hit, *, lease_until: int) -> Row | None:
        """Write a claim where there is none, or one that is over or our own; None, or the row that stays."""
        now = int(self._clock())
        row = {
            **delivery_key(*hit.delivery_identity),
            "kind": CLAIM,
            "owner": self._owner,
            "leaseUntil": lease_until,
            "expiresAt": now + DAY_SECONDS,
        }
        values = {":claim": CLAIM, ":now": now, ":owner": self._owner}
        condition = "kind = :claim AND (leaseUntil < :now OR #owner = :owner)"
        try:
            self._client.put_item(
                TableName=self._table,
                Item=encode(row),
                ConditionExpression=f"attribute_not_exists(pk) OR ({condition})",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues=encode(values),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return decode(error.response.get("Item", {}))
        return None


def delivery_levels(client: Any, table: str, identities: Iterable[Identity]) -> dict[Identity, str]:
    """Those of some identities that have a delivery record, with its level, "" in one of a version before.

    Raises TableError or what botocore raises.
    """
    return _delivered(client, table, identities, "level")


def delivery_alerts(client: Any, table: str, identities: Iterable[Identity]) -> dict[Identity, str]:
    """The same with the alert that each was in."""
    return _delivered(client, table, identities, "alert")


def alerts_of(client: Any, table: str, hits: Iterable[Hit]) -> dict[Identity, str]:
    """Of those of some hits that somebody was notified of the alert, "" in a record of a version before.

    Raises TableError or what botocore raises.
    """
    keys = {hit.identity: hit.delivered_as for hit in hits}
    alerts = delivery_alerts(client, table, {one for ones in keys.values() for one in ones})
    found = ((identity, [alerts[one] for one in ones if one in alerts]) for identity, ones in keys.items())
    return {identity: told[0] for identity, told in found if told}


def _delivered(client: Any, table: str, identities: Iterable[Identity], member: str) -> dict[Identity, str]:
    keys = {tuple(delivery_key(*identity).items()): identity for identity in identities}
    workers = Workers(_READERS)
    found = workers.each(lambda batch: list(get_all(client, table, batch)), batches(map(dict, keys), GET_LIMIT))
    return {
        keys[("pk", row["pk"]), ("sk", row["sk"])]: str(row.get(member, ""))
        for row in chain.from_iterable(found)
        if row["kind"] == DELIVERED
    }
