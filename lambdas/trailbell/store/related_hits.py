"""What the same actor did before, from the hit table's pointers: one query, or two where a month began meanwhile."""

from datetime import datetime, timedelta
from typing import Any

from trailbell.alerts.alert import Alert
from trailbell.hits.related import RELATED_HOURS, Related, RelatedHit
from trailbell.store.dynamo import decode, encode
from trailbell.store.rows import actor_partition, hit_key, pointed_at
from trailbell.text.times import iso_time


_LIMIT = 25
"""Rows a query reads, at most: 20 to show, and a few of the alert itself."""

_SHOWN = 20


class DynamoRelatedHits:
    """Reads with a DynamoDB client, which should give up soon: an alert waits for it."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def before(self, alert: Alert) -> Related:
        """Hits of the alert's actor in the RELATED_HOURS before its first hit, without its own, newest first.

        Raises what botocore raises, and OverflowError in the first days of the calendar.
        """
        hit = alert.sample
        until = hit.event_time
        since = iso_time(datetime.fromisoformat(until) - timedelta(hours=RELATED_HOURS))
        begins = f"{since[:10]}T00:00:00Z"  # where hits with a dedup window stand, whenever they were
        rows: list[dict[str, Any]] = []
        more = False
        for month in dict.fromkeys((until[:7], begins[:7])):
            if len(rows) < _LIMIT:
                of_month, is_cut = self._query(actor_partition(hit.actor.key, month), begins, until)
                rows, more = rows + of_month, more or (is_cut and of_month[-1]["sk"] >= since)
        own = [hit_key(*one.identity) for one in alert.hits]
        related = [_related(row) for row in rows if pointed_at(row) not in own]
        others = sorted(
            (one for one in related if since <= one.event_time <= until), key=lambda one: one.event_time, reverse=True
        )
        return Related(tuple(others[:_SHOWN]), more or len(others) > _SHOWN)

    def _query(self, partition: str, since: str, until: str) -> tuple[list[dict[str, Any]], bool]:
        values = {":pk": partition, ":since": since, ":until": f"{until}~"}
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :since AND :until",
            ExpressionAttributeValues=encode(values),
            ScanIndexForward=False,
            Limit=_LIMIT,
            ConsistentRead=True,
        )
        return [decode(item) for item in answer["Items"]], "LastEvaluatedKey" in answer


def _related(row: dict[str, Any]) -> RelatedHit:
    """A pointer as a related hit. Its sort key begins with the time, unless it says another; its hit's key holds the
    rest of the id.
    """
    return RelatedHit(
        hit_id="/".join((*row["hitPk"].split("#", 2)[1:], row["hitSk"])),
        event_time=row.get("at") or row["sk"].partition("#")[0],
        title=row.get("title", ""),
        level=row.get("level", ""),
        service=row.get("service", ""),
        event_name=row.get("eventName", ""),
        muted=bool(row.get("muted", False)),
    )
