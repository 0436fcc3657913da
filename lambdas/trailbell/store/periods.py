"""Quiet periods and the hits that are held in them (alerts/quiet.py).

    G#{group}   period                      begins, ends, openers, named; version
    G#{group}   held#{ends}#{hit id}        a hit that is held until then: its document
    G#{group}   gathered#{ends}#{time}      kind `gathered`: a period has ended, and its hits are to be notified of

A hit is held by its own row first, then by a due row for the clock: whoever is stopped in between has not given the
hit away yet. The clock asks for the hits of a period until each of them has a delivery record.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from trailbell.alerts.alert import Alert
from trailbell.alerts.over_time import arrivals_of, group_of_alert
from trailbell.alerts.quiet import Period, QuietMinutes, following, receive
from trailbell.errors import TableError
from trailbell.hits.due import Due
from trailbell.hits.hit import Hit, hit_document
from trailbell.store.due import DynamoDueRows
from trailbell.store.dynamo import Row, decode, encode, put_new, write_all
from trailbell.store.rows import read_hit
from trailbell.text.times import DAY_SECONDS, iso_time


DUE_KIND = "gathered"
GATHERED = "gathered"
HELD = "held"
PERIOD = "period"

_ATTEMPTS = 8
_KEPT_SECONDS = 30 * DAY_SECONDS
_NEXT = "$"  # follows `#`


def group_partition(group: str) -> str:
    """The partition of a group's periods."""
    return f"G#{group}"


class DynamoPeriods:
    """The notifier's side and the clock's."""

    def __init__(self, client: Any, table: str, minutes: QuietMinutes = QuietMinutes()) -> None:  # noqa: B008 (frozen)
        self._client, self._table, self._minutes = client, table, minutes
        self._due = DynamoDueRows(client, table)

    def receive(self, alert: Alert, now: str) -> tuple[Hit, ...]:
        """Hold those hits of an alert that its group's period holds; the others, to notify of at once.

        now: UTC, ISO 8601 with Z. Raises TableError or what botocore raises.
        """
        sample, group, moment = alert.sample, group_of_alert(alert), _seconds(now)
        seconds = self._minutes.seconds(sample.name, sample.level)
        if not seconds or sample.raised_from:
            return alert.hits
        arrivals = arrivals_of(alert)
        for _ in range(_ATTEMPTS):
            row = self._row(group)
            before = _period(row) if row else None
            at_once, held, after = receive(before, arrivals, moment, seconds, sample.level)
            if after == before or (after and self._write(group, after, row)):
                break
        else:
            raise TableError(f"{self._table}: the quiet period of {sample.name} changed {_ATTEMPTS} times meanwhile")
        if held and after:
            waiting = set(held)
            self._hold(group, after, [hit for hit in alert.hits if hit.hit_id in waiting])
        notified = set(at_once)
        return tuple(hit for hit in alert.hits if hit.hit_id in notified)

    def held(self, group: str, ends: str) -> list[Hit]:
        """The hits that a group's period held. Raises what botocore raises, and NewerFormatError."""
        rows = self._query(group, f"{HELD}#{ends}#", f"{HELD}#{ends}{_NEXT}")
        return [read_hit(row["hit"]) for row in rows]

    def end(self, group: str, ends: str, now: str, hits: Sequence[Hit]) -> None:
        """End a period at whose end hits are held: they are notified of by the stream, and the next period begins.

        Again at the same time it changes nothing; at another it asks for them once more.
        """
        row = self._row(group)
        period = _period(row) if row else None
        if row and period and iso_time(datetime.fromtimestamp(period.ends, UTC)) == ends:
            level = hits[0].level
            self._write(group, following(period, arrivals_of(Alert(tuple(hits))), level), row)
        key = {"pk": group_partition(group), "sk": f"{GATHERED}#{ends}#{now}"}
        put_new(self._client, self._table, {**key, "kind": GATHERED, "group": group, "ends": ends, **_expiry()})

    def _hold(self, group: str, period: Period, hits: Sequence[Hit]) -> None:
        ends = iso_time(datetime.fromtimestamp(period.ends, UTC))
        rows = [
            {
                "pk": group_partition(group),
                "sk": f"{HELD}#{ends}#{hit.hit_id}",
                "kind": HELD,
                "hit": hit_document(hit),
                **_expiry(),
            }
            for hit in hits
        ]
        write_all(self._client, self._table, rows)
        self._due.add(Due(ends, DUE_KIND, group))

    def _write(self, group: str, period: Period, before: Row | None) -> bool:
        """Write a group's period where nobody was faster."""
        row = {
            "pk": group_partition(group),
            "sk": PERIOD,
            "kind": PERIOD,
            "begins": period.begins,
            "ends": period.ends,
            "openers": period.openers,
            "named": dict(period.named),
            "version": (int(before["version"]) if before else 0) + 1,
            **_expiry(),
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before:
            condition = {
                "ConditionExpression": "#version = :version",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": encode({":version": before["version"]}),
            }
        try:
            self._client.put_item(TableName=self._table, Item=encode(row), **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _row(self, group: str) -> Row | None:
        rows = self._query(group, PERIOD, PERIOD)
        return rows[0] if rows else None

    def _query(self, group: str, since: str, until: str) -> list[Row]:
        """Rows of a group from one sort key to another, strongly consistent."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :since AND :until",
            "ExpressionAttributeValues": encode({":pk": group_partition(group), ":since": since, ":until": until}),
            "ConsistentRead": True,
        }
        rows = list[Row]()
        while True:
            answer = self._client.query(**request)
            rows += map(decode, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return rows
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _period(row: Mapping[str, Any]) -> Period:
    return Period(row["begins"], row["ends"], tuple(row["openers"]), row["named"])


def _expiry() -> dict[str, int]:
    return {"expiresAt": int(time.time()) + _KEPT_SECONDS}


def _seconds(now: str) -> int:
    return int(datetime.fromisoformat(now).timestamp())
