"""Quiet periods and the hits that are held in them (alerts/quiet.py).

    G#{group}   period                      begins, ends, openers, named, again, holds; version
    G#{group}   held#{ends}#{hit id}        a hit that is held until then: its document; `as`: what its delivery record
                                            may be kept under
    G#{group}   gathered#{ends}#{time}      kind `gathered`: a period has ended, and its hits are to be notified of

A hit is held by its own row first, then by a due row for the clock, at last by the period, which says that it holds
some: whoever is stopped in between has not given the hit away yet, and comes again with it. The clock asks for the hits
of a period until each of them has a delivery record.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from trailbell.alerts.alert import Alert
from trailbell.alerts.over_time import arrivals_of, group_of_alert
from trailbell.alerts.quiet import Period, QuietMinutes, receive
from trailbell.errors import TableError
from trailbell.hits.due import Due
from trailbell.hits.held import HeldHit
from trailbell.hits.hit import Hit, complete, hit_document
from trailbell.store.due import DynamoDueRows
from trailbell.store.dynamo import Row, batches, encode, get_row, put_new, query, write_all
from trailbell.store.rows import read_hit
from trailbell.text.times import DAY_SECONDS, iso_time


DUE_KIND = "gathered"
GATHERED = "gathered"
HELD = "held"
PERIOD = "period"

SLICE = 1000
"""Held hits that are read at a time: a storm of them does not fit into memory."""

_ATTEMPTS = 8
_KEPT_SECONDS = 30 * DAY_SECONDS
_NEXT = "$"  # follows `#`


def group_partition(group: str) -> str:
    """The partition of a group's periods."""
    return f"G#{group}"


def held_key(group: str, ends: str, hit_id: str) -> Row:
    """The primary key of a hit that is held."""
    return {"pk": group_partition(group), "sk": f"{HELD}#{ends}#{hit_id}"}


def period_end(client: Any, table: str, group: str) -> str:
    """When a group's last period ends, "" if it had none. Raises what botocore raises."""
    row = get_row(client, table, _period_key(group))
    return _iso(row["ends"]) if row else ""


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
            row = get_row(self._client, self._table, _period_key(group))
            before = _period(row) if row else None
            at_once, held, after = receive(before, arrivals, moment, seconds, sample.level)
            if held and after:  # what another decision holds elsewhere is notified of once all the same
                waiting = set(held)
                self._hold(group, after, [hit for hit in alert.hits if hit.hit_id in waiting])
            if after == before or (after and self._write(group, after, row)):
                break
        else:
            raise TableError(f"{self._table}: the quiet period of {sample.name} changed {_ATTEMPTS} times meanwhile")
        notified = set(at_once)
        return tuple(hit for hit in alert.hits if hit.hit_id in notified)

    def held(self, group: str, ends: str) -> Iterator[list[HeldHit]]:
        """The hits that a group's period held, a slice at a time. Raises what botocore raises."""
        rows = query(self._client, self._table, group_partition(group), f"{HELD}#{ends}#", f"{HELD}#{ends}{_NEXT}")
        return ([_held(row) for row in some] for some in batches(rows, SLICE))

    def close(self, group: str, ends: str, now: str) -> None:
        """The message of a period is asked for, or was sent: the next one is on. Again it changes nothing.

        Raises TableError or what botocore raises.
        """
        for _ in range(_ATTEMPTS):
            row = get_row(self._client, self._table, _period_key(group))
            period = _period(row) if row else None
            if not period or _iso(period.ends) != ends or self._write(group, period.following(_seconds(now)), row):
                return
        raise TableError(f"{self._table}: the quiet period {group} changed {_ATTEMPTS} times meanwhile")

    def ask(self, group: str, ends: str, now: str) -> None:
        """Have the stream notify of the hits of a period; at another time it asks for them once more."""
        key = {"pk": group_partition(group), "sk": f"{GATHERED}#{ends}#{now}"}
        put_new(self._client, self._table, {**key, "kind": GATHERED, "group": group, "ends": ends, **_expiry()})

    def _hold(self, group: str, period: Period, hits: Sequence[Hit]) -> None:
        ends = _iso(period.ends)
        rows = [
            {
                **held_key(group, ends, hit.hit_id),
                "kind": HELD,
                "as": [list(one) for one in hit.delivered_as],
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
            **_period_key(group),
            "kind": PERIOD,
            "begins": period.begins,
            "ends": period.ends,
            "openers": period.openers,
            "named": dict(period.named),
            "again": period.again,
            "holds": period.holds,
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


def _period_key(group: str) -> Row:
    return {"pk": group_partition(group), "sk": PERIOD}


def _period(row: Mapping[str, Any]) -> Period:
    again, holds = tuple(row.get("again", ())), bool(row.get("holds", False))  # not in rows of versions before
    return Period(row["begins"], row["ends"], tuple(row["openers"]), row["named"], again, holds)


def _held(row: Mapping[str, Any]) -> HeldHit:
    name, delivered_as = str(row["sk"]).split("#", 2)[2], tuple((one[0], one[1], one[2]) for one in row.get("as", ()))
    try:
        hit = complete(read_hit(row["hit"]))
    except (TableError, ValueError, TypeError, KeyError, AttributeError) as error:
        return HeldHit(name, delivered_as, None, error)
    return HeldHit(name, delivered_as or hit.delivered_as, hit)


def _expiry() -> dict[str, int]:
    return {"expiresAt": int(time.time()) + _KEPT_SECONDS}


def _iso(seconds: int) -> str:
    return iso_time(datetime.fromtimestamp(seconds, UTC))


def _seconds(now: str) -> int:
    return int(datetime.fromisoformat(now).timestamp())
