"""Follow-ups: what is to be said later about an act, each row written once, and notified like a hit.

    O#{account}#{eventID}   undone, reminder-24h ...   kind `follow-up`: the follow-up, and in `hit` the hit; seenAt
                                                       kind `known-follow-up`: the same, of which nobody is notified

The row holds its hit, because the notifier may not read hits. Written again with an earlier undo, it says so from then
on; only its first form is notified.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from trailbell.hits.follow_up import FollowUp, follow_up_document, follow_up_from_document
from trailbell.hits.hit import Hit, hit_document
from trailbell.store.dynamo import Row, put_new, query
from trailbell.store.rows import read_hit
from trailbell.store.workers import Workers
from trailbell.text.times import utc_now


FOLLOW_UP = "follow-up"
KNOWN = "known-follow-up"
_READERS = 8


def follow_up_key(account: str, event_id: str, name: str) -> Row:
    """The primary key of a follow-up's row."""
    return {"pk": f"O#{account}#{event_id}", "sk": name}


def follow_up_row(follow_up: FollowUp, hit: Hit, expires_at: int, seen_at: str) -> Row:
    """The row of a follow-up; expires_at: as the hit's, epoch seconds; seen_at: when it is written (ISO 8601)."""
    key = follow_up_key(hit.account, hit.event_id, follow_up.name)
    document = {"followUp": follow_up_document(follow_up), "hit": hit_document(hit)}
    return {**key, "kind": FOLLOW_UP, "at": follow_up.at, "seenAt": seen_at, "expiresAt": expires_at, **document}


def is_new_follow_up(event_name: str, image: Mapping[str, Any]) -> bool:
    """Whether a change in the table's stream is a follow-up to notify. One that is written again says more exactly what
    was said.
    """
    return event_name == "INSERT" and image.get("kind") == {"S": FOLLOW_UP}


def read_follow_up(row: Mapping[str, Any]) -> tuple[FollowUp, Hit]:
    """What a row says. Raises NewerFormatError, KeyError, ValueError or TypeError for what is none."""
    return follow_up_from_document(row["followUp"]), read_hit(row["hit"])


class DynamoFollowUps:
    """Reads and writes them."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table
        self._workers = Workers(_READERS)

    def add(self, follow_up: FollowUp, hit: Hit, expires_at: int) -> bool:
        """Write one, if it is not there; whether it was not. Raises TableError or what botocore raises."""
        return put_new(self._client, self._table, follow_up_row(follow_up, hit, expires_at, utc_now())) is None

    def of(self, hits: Sequence[Hit]) -> list[tuple[FollowUp, Hit]]:
        """The follow-ups of some hits that somebody is to be notified of, strongly consistent. Raises what botocore
        raises.
        """
        return [read_follow_up(row) for row in self._rows(hits) if row["kind"] == FOLLOW_UP]

    def known(self, hits: Sequence[Hit]) -> list[tuple[FollowUp, Hit]]:
        """All follow-ups of some hits, those that are only known among them."""
        return [read_follow_up(row) for row in self._rows(hits)]

    def _rows(self, hits: Sequence[Hit]) -> list[Row]:
        partitions = dict.fromkeys(follow_up_key(hit.account, hit.event_id, "")["pk"] for hit in hits)
        found = self._workers.each(lambda one: list(query(self._client, self._table, one)), partitions)
        return [row for rows in found for row in rows]
