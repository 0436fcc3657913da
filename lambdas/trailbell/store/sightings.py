"""Sightings: on which days something was seen, for what is new and what is habitual.

    F#{account}#{key}   {yyyy-mm-dd}    at, eventID: the earliest event of that day
    F#{account}         {rule, digest}  at: since when the rule's learning goes on in the account

A row is written if it is the first of its day, or earlier than the one that is there: the same rows in any order.
"""

import time
from typing import Any

from trailbell.hits.first_seen import Sighting
from trailbell.store.dynamo import get_row, put_new, query
from trailbell.text.times import DAY_SECONDS


SEEN = "seen"
_REMEMBERED_MAX = 10_000
_FOREVER = 100 * 366


class DynamoSightings:
    """Keeps sightings. What this process has written is not written again."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table
        self._written = dict[tuple[str, str], tuple[str, str]]()

    def add(self, account: str, key: str, sighting: Sighting, days: int) -> None:
        """Keep a sighting for some days after now. Raises TableError or what botocore raises."""
        expires_at = int(time.time()) + days * DAY_SECONDS
        self._put(f"F#{account}#{key}", sighting.day, sighting.at, sighting.event_id, expires_at)

    def begin(self, account: str, learning: str, at: str) -> None:
        """Keep since when something is learned in an account, unless an earlier time is known. Raises TableError."""
        self._put(f"F#{account}", learning, at, "", int(time.time()) + _FOREVER * DAY_SECONDS)

    def between(self, account: str, key: str, first: str, last: str) -> list[Sighting]:
        """The sightings of the days from one to another (yyyy-mm-dd), by day."""
        rows = query(self._client, self._table, f"F#{account}#{key}", first, last)
        return [Sighting(row["sk"], row["at"], row["eventID"]) for row in rows]

    def since(self, account: str, learning: str) -> str:
        """Since when something is learned in an account, "" if nobody has begun."""
        row = get_row(self._client, self._table, {"pk": f"F#{account}", "sk": learning})
        return str(row["at"]) if row else ""

    def _put(self, partition: str, sort: str, at: str, event_id: str, expires_at: int) -> None:
        known = self._written.get((partition, sort))
        if known and known <= (at, event_id):
            return
        row = {"pk": partition, "sk": sort, "kind": SEEN, "at": at, "eventID": event_id, "expiresAt": expires_at}
        values = {":at": at, ":event": event_id}
        put_new(self._client, self._table, row, replacing=_LATER, values=values, names={"#at": "at"})
        if len(self._written) >= _REMEMBERED_MAX:
            self._written.clear()
        self._written[partition, sort] = (at, event_id)


_LATER = "#at > :at OR (#at = :at AND eventID > :event)"
