"""Reading a week for the weekly report: pointers by time, then the states, delivery records and hits that they lead to.

Everything is bounded: so many hits are counted, and fewer are looked at one by one, the most severe and newest first.
"""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from trailbell.errors import NewerFormatError
from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import UNDONE
from trailbell.hits.reminders import DUE_KIND, TOO_LATE, follow_up_of
from trailbell.hits.standing import standing_of
from trailbell.hits.week import CanaryWeek, WaitingHit, Week
from trailbell.hits.week_counts import PointedHit, deliveries, mutes, rule_counts, undone_hit
from trailbell.store import rows
from trailbell.store.canaries import canary_key
from trailbell.store.deliveries import Identity, delivery_alerts
from trailbell.store.due import DynamoDueRows
from trailbell.store.dynamo import GET_LIMIT, Row, batches, decode, encode, get_all
from trailbell.store.states import state_of
from trailbell.store.workers import Workers


MAX_HITS = 10_000
MAX_READ = 1_000
_WORKERS = 8
_DEADLINES = timedelta(days=31)  # KMS waits 30 days at most
_MEMBERS = "sk, hitPk, hitSk, #level, title, muted, expiresAt"
_NAMES = {"#level": "level"}


class DynamoWeek:
    """Reads with a DynamoDB client, many requests side by side; everything strongly consistent."""

    def __init__(self, client: Any, table: str, max_hits: int = MAX_HITS, max_read: int = MAX_READ) -> None:
        self._client, self._table = client, table
        self._max_hits, self._max_read = max_hits, max_read
        self._workers = Workers(_WORKERS)

    def read(self, since: str, until: str, now: str) -> Week:
        """The week of the days since one to before another (yyyy-mm-dd), as of `now` (UTC, ISO 8601 with Z).

        Raises TableError or what botocore raises.
        """
        pointers, unread = self._pointers(since, until)
        pointed = self._with_states(pointers)
        alerts = self._alerts([one.identity for one in pointed if not one.muted])
        found = self._existing(pointed, alerts)
        heard = [one for one in found if not one.muted]
        undelivered = [one for one in heard if one.identity not in alerts]
        muted = [one for one in found if one.muted]
        waiting = [one for one in found if one.waits]
        looked_at, uncertain = self._first(undelivered)
        few = (looked_at, self._first(muted)[0], self._first(waiting)[0])
        hits = self._hits(one.identity for some in few for one in some)
        elsewhere = self._alerts_elsewhere(looked_at, hits)
        left = [one for one in looked_at if one.identity in hits and one.identity not in elsewhere]
        replayed = {one.identity for one in left if not hits[one.identity].is_to_notify}
        return Week(
            since=since,
            until=until,
            now=now,
            rules=rule_counts([one for one in heard if one.identity not in replayed], alerts | elsewhere),
            open_hits=tuple(Counter(one.level for one in waiting if one.identity not in replayed).items()),
            waiting=tuple(self._deadlines(waiting, hits, now)),
            undone=tuple(map(undone_hit, (one for one in found if one.state.word == UNDONE))),
            mutes=mutes(muted, hits),
            deliveries=deliveries([one for one in (*left, *uncertain) if one.identity not in replayed], len(replayed)),
            canaries=self._canaries(since, until),
            unread=unread,
        )

    def _pointers(self, since: str, until: str) -> tuple[list[Row], bool]:
        """The time pointers of some days, newest day first, and whether there are more."""
        found = list[Row]()
        for day in reversed(_days(since, until)):
            partitions = [rows.time_partition(day, shard) for shard in range(rows.SHARDS)]
            found += chain.from_iterable(self._workers.each(self._partition, partitions))
            if len(found) > self._max_hits:
                return found[: self._max_hits], True
        return found, False

    def _partition(self, partition: str) -> list[Row]:
        """A partition's pointers, newest first, one more than are counted at most."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": encode({":pk": partition}),
            "ExpressionAttributeNames": _NAMES,
            "ProjectionExpression": _MEMBERS,
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        found = list[Row]()
        while True:
            answer = self._client.query(**request)
            found += (row for row in map(decode, answer["Items"]) if rows.is_alive(row))
            if "LastEvaluatedKey" not in answer or len(found) > self._max_hits:
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _with_states(self, pointers: Iterable[Row]) -> list[PointedHit]:
        every = {rows.identity_of(pointer): pointer for pointer in pointers}
        states = {_named(row): row for row in self._get(rows.state_key(*identity) for identity in every)}
        return [
            PointedHit(
                identity=identity,
                at=pointer["sk"].partition("#")[0],
                level=pointer.get("level", ""),
                title=pointer.get("title", ""),
                muted=bool(pointer.get("muted", False)),
                state=state_of(states.get(_named(rows.state_key(*identity)))),
            )
            for identity, pointer in every.items()
        ]

    def _existing(self, pointed: Sequence[PointedHit], alerts: Container[Identity]) -> list[PointedHit]:
        """Those whose hit exists: a delivery record proves it, of the others the row is looked up.

        A detector that broke off between a pointer and its hit leaves the pointer (store/rows.py).
        """
        unproven = (rows.hit_key(*one.identity) for one in pointed if one.identity not in alerts)
        named = self._workers.each(self._alive, batches(unproven, GET_LIMIT))
        kept = set(chain.from_iterable(named))
        return [one for one in pointed if one.identity in alerts or _named(rows.hit_key(*one.identity)) in kept]

    def _alive(self, keys: Iterable[Row]) -> list[tuple[str, str]]:
        """The names of those rows that are there: of a storm they are too many to be held whole."""
        return [_named(row) for row in get_all(self._client, self._table, keys) if rows.is_alive(row)]

    def _alerts(self, identities: Sequence[Identity]) -> dict[Identity, str]:
        """The alert that each of some hits was in, as far as they have delivery records; "" if it is not said."""
        some = [identities[at : at + GET_LIMIT] for at in range(0, len(identities), GET_LIMIT)]
        found = self._workers.each(lambda batch: delivery_alerts(self._client, self._table, batch), some)
        return {identity: alert for part in found for identity, alert in part.items()}

    def _hits(self, identities: Iterable[Identity]) -> dict[Identity, Hit]:
        found = self._get(rows.hit_key(*identity) for identity in dict.fromkeys(identities))
        hits = dict[Identity, Hit]()
        for row in found:
            with suppress(NewerFormatError):  # a report without the details of one hit is better than none
                if rows.is_alive(row):
                    hit = rows.read_hit(row)
                    hits[hit.identity] = hit
        return hits

    def _alerts_elsewhere(self, undelivered: Iterable[PointedHit], hits: dict[Identity, Hit]) -> dict[Identity, str]:
        """The alerts of those notified of under another name: an act between two accounts, or a version before."""
        others = {
            other: one.identity
            for one in undelivered
            if (hit := hits.get(one.identity))
            for other in (hit.delivery_identity, *hit.identities_before)
            if other != one.identity
        }
        return {others[other]: alert for other, alert in self._alerts(list(others)).items()}

    def _deadlines(self, waiting: Iterable[PointedHit], hits: dict[Identity, Hit], now: str) -> list[WaitingHit]:
        """The open hits with a deadline: of this week, and those of which the clock is to say that it has passed. Not
        episodes: their acts are listed themselves.
        """
        before = sorted(set(self._planned(now)) - hits.keys())[: self._max_read]
        hits = hits | self._hits(before)
        states = {_named(row): row for row in self._get(rows.state_key(*identity) for identity in before)}
        known = {one.identity: one.state for one in waiting}
        known |= {identity: state_of(states.get(_named(rows.state_key(*identity)))) for identity in before}
        standings = [standing_of(hits[identity], state, now) for identity, state in known.items() if identity in hits]
        found = {  # of an act and a stronger verdict on it one
            hit.short_id: WaitingHit(
                hit.short_id, hit.level, hit.title, hit.account, hit.actor.name, one.until, one.seconds
            )
            for one in standings
            if one.waits and one.seconds is not None and (hit := one.hit).is_to_notify and not hit.episode
        }
        return sorted(found.values(), key=lambda one: one.seconds)

    def _planned(self, now: str) -> Iterable[Identity]:
        """The acts of which the clock is to say later that their deadline has passed; none where reminders are off."""
        last = datetime.fromisoformat(now) + _DEADLINES
        for due in DynamoDueRows(self._client, self._table).planned(now, last, self._workers):
            if due.kind == DUE_KIND and due.id.endswith(f"/{TOO_LATE}"):
                account, event_id, _ = follow_up_of(due)
                yield account, event_id, ACT

    def _canaries(self, since: str, until: str) -> CanaryWeek:
        names = [f"{day}T{hour:02}" for day in _days(since, until) for hour in range(24)]
        found = list(self._get(canary_key(name, step) for name in names for step in ("sent", "returned", "reported")))
        steps = Counter(row["sk"] for row in found)
        seconds = tuple(int(row["seconds"]) for row in found if row["sk"] == "returned")
        return CanaryWeek(steps["sent"], steps["reported"], seconds)

    def _first(self, found: Iterable[PointedHit]) -> tuple[list[PointedHit], list[PointedHit]]:
        """The most severe and newest, as many as are looked at one by one, and the others."""
        every = sorted(found, key=lambda one: one.urgency, reverse=True)
        return every[: self._max_read], every[self._max_read :]

    def _get(self, keys: Iterable[Row]) -> Iterable[Row]:
        """Rows by distinct keys, many requests side by side."""
        read = self._workers.each(
            lambda batch: list(get_all(self._client, self._table, batch)), batches(keys, GET_LIMIT)
        )
        return chain.from_iterable(read)


def _days(since: str, until: str) -> list[str]:
    first = date.fromisoformat(since)
    return [(first + timedelta(days=each)).isoformat() for each in range((date.fromisoformat(until) - first).days)]


def _named(row: Row) -> tuple[str, str]:
    return row["pk"], row["sk"]
