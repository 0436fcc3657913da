"""Follow-ups: what is to be said later about an act, each row written once, and notified like a hit.

    O#{account}#{eventID}   undone, reminder-24h ...   kind `follow-up`: the follow-up, and in `hit` the hit

The row holds its hit, because the notifier may not read hits. Written again with an earlier undo, it says so from then
on; only its first form is notified.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trailbell.hits.follow_up import FollowUp, follow_up_document, follow_up_from_document
from trailbell.hits.hit import Hit, hit_document
from trailbell.store.dynamo import Row, decode, encode, put_new
from trailbell.store.rows import read_hit
from trailbell.store.workers import Workers


FOLLOW_UP = "follow-up"
_READERS = 8


def follow_up_key(account: str, event_id: str, name: str) -> Row:
    """The primary key of a follow-up's row."""
    return {"pk": f"O#{account}#{event_id}", "sk": name}


def follow_up_row(follow_up: FollowUp, hit: Hit, expires_at: int) -> Row:
    """The row of a follow-up; expires_at: as the hit's, epoch seconds."""
    key = follow_up_key(hit.account, hit.event_id, follow_up.name)
    document = {"followUp": follow_up_document(follow_up), "hit": hit_document(hit)}
    return {**key, "kind": FOLLOW_UP, "at": follow_up.at, "expiresAt": expires_at, **document}


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
        return put_new(self._client, self._table, follow_up_row(follow_up, hit, expires_at)) is None

    def of(self, hits: Sequence[Hit]) -> list[tuple[FollowUp, Hit]]:
        """The follow-ups that there are of some hits, strongly consistent. Raises what botocore raises."""
        keys = dict.fromkeys((hit.account, hit.event_id) for hit in hits)
        rows = [row for found in self._workers.each(self._of_event, keys) for row in found]
        return [read_follow_up(row) for row in rows]

    def _of_event(self, event: tuple[str, str]) -> Iterable[Row]:
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encode({":pk": follow_up_key(*event, "")["pk"]}),
            ConsistentRead=True,
        )
        return [decode(item) for item in answer["Items"]]
