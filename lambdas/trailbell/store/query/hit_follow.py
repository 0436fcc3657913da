"""New hits as they come: the newest partitions are queried again and again, and each hit is shown once.

A hit is placed by the time of its event, and CloudTrail delivers events minutes later, out of order; so every query
goes back LOOKBACK, and hits shown before are left out. A pointer whose hit is not there yet is read again.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html (on
average within five minutes)
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from trailbell.hits.query import HitQuery
from trailbell.store.query.hit_query import FoundHit, is_answer, read_found, workers
from trailbell.store.query.partitions import broad_groups, windows
from trailbell.store.query.pointers import PointerReader


LOOKBACK = timedelta(hours=1)
_CHUNK = 400


class Follower:
    """Knows which hits were given; `ahead`: how far clocks may be apart."""

    def __init__(self, client: Any, table: str, query: HitQuery, ahead: timedelta) -> None:
        self._client, self._table, self._query, self._ahead = client, table, query, ahead
        self._given = dict[tuple[str, str], str]()

    def give(self, found: FoundHit) -> bool:
        """Remember that a hit is given; False if it was before."""
        account, event_id, rule_id = found.hit.identity
        key = f"H#{account}#{event_id}", rule_id
        if key in self._given:
            return False
        self._given[key] = found.place
        return True

    def look(self, now: datetime) -> list[FoundHit]:
        """Answers that were not given before, oldest first; they are given now. When it raises, none is."""
        query = replace(self._query, since=now - LOOKBACK, until=now + self._ahead)
        new = list[FoundHit]()
        with workers() as pool:
            for window in windows(query):
                pointers = PointerReader(self._client, self._table, pool, window).read(broad_groups(window))
                unseen = (one for one in pointers if (one["hitPk"], one["hitSk"]) not in self._given)
                while chunk := list(islice(unseen, _CHUNK)):
                    new += read_found(self._client, self._table, pool, query, chunk)
        answers = [one for one in new if self.give(one) and is_answer(one, query)]
        self._forget(now - 2 * LOOKBACK)
        return sorted(answers, key=lambda one: one.place)

    def _forget(self, before: datetime) -> None:
        """Drop what no look can meet again."""
        oldest = before.strftime("%Y-%m-%d")  # a hit with a dedup window of a day is placed at its beginning
        self._given = {key: place for key, place in self._given.items() if place >= oldest}
