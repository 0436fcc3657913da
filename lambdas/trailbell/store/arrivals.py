"""In which hours each account and Region delivered log files, and of whose silence somebody was told.

    Y#hours     {account}#{region}    lastHour, hourBits: the set of audit/arrivals.py
    Y#silent    {account}#{region}    since: the last hour before its silence; of whom nobody is told again until `over`
    Y#behind    -                     when a log file was last read long after it was delivered

One row of some 300 bytes for each account and Region. It is written when an hour is added, so at most once an hour by
each container of the detector. Two that add to the same row at once both succeed: a set grows, whoever is first.
"""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trailbell.audit.arrivals import Arrivals, Source, hour_of, hour_of_text, text_of_hour
from trailbell.errors import TableError
from trailbell.store.dynamo import Row, encode, get_row, put_new, query
from trailbell.text.times import DAY_SECONDS


if TYPE_CHECKING:
    from trailbell.flows.silence import Told


ARRIVALS = "arrivals"
_HOURS = "Y#hours"
_SILENT = "Y#silent"
_BEHIND = {"pk": "Y#behind", "sk": "-"}
_KEPT_DAYS = 60  # of a source that delivers nothing any more
_LATE_HOURS = 3
_MARK_SECONDS = 900
_ATTEMPTS = 20


class DynamoArrivals:
    """Writes and reads them. What the detector needs is to put rows; it reads none."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table
        self._known: dict[Source, Arrivals] = {}
        self._marked = 0.0
        self._lock = threading.Lock()  # log files are read side by side, mostly several of one hour

    def arrived(self, account: str, region: str, delivered: datetime, read_at: str, *, asked_for: bool) -> None:
        """A log file was read that was delivered at a time. Raises TableError or what botocore raises.

        asked_for: by the audit, so that its being late says nothing of others. A time to come is taken for now.
        """
        now = hour_of(datetime.fromisoformat(read_at))
        hour = min(hour_of(delivered), now)
        with self._lock:
            if now - hour > _LATE_HOURS and not asked_for:
                self._mark_behind(read_at)
            self._add(Source(account, region), hour)

    def all(self) -> Iterator[tuple[Source, Arrivals]]:
        """Every source with its hours."""
        return ((_source(row), _arrivals(row)) for row in query(self._client, self._table, _HOURS))

    def behind(self) -> str:
        """When a log file was last read long after it was delivered; "" if none ever was."""
        row = get_row(self._client, self._table, _BEHIND)
        return str(row["at"]) if row else ""

    def told(self) -> "list[Told]":
        """Whose silence was told of, or was about to be."""
        from trailbell.flows.silence import Told  # asked once an hour; the detector, which adds arrivals, never asks

        rows = [row for row in query(self._client, self._table, _SILENT) if not row["over"]]
        return [Told(_source(row), hour_of_text(row["since"]), is_kept=bool(row["isKept"])) for row in rows]

    def keep_told(self, told: "Told") -> None:
        """Keep that a silence was told of, or is about to be."""
        self._put_told(told, over=False)

    def forget_told(self, told: "Told") -> None:
        """A silence is over. The row stays until it expires: who writes it may delete none."""
        self._put_told(told, over=True)

    def _put_told(self, told: "Told", *, over: bool) -> None:
        row = {
            **_key(_SILENT, told.source),
            "kind": ARRIVALS,
            "since": text_of_hour(told.since),
            "isKept": told.is_kept,
            "over": over,
            "expiresAt": _expiry(),
        }
        self._client.put_item(TableName=self._table, Item=encode(row))

    def _add(self, source: Source, hour: int) -> None:
        known = self._known.get(source)
        for _ in range(_ATTEMPTS):
            after = known.with_hour(hour) if known else Arrivals(hour)
            if after == known:
                self._known[source] = after
                return
            there = put_new(self._client, self._table, _row(source, after), **_replacing(known))
            if there is None:
                self._known[source] = after
                return
            known = _arrivals(there)
        raise TableError(f"{self._table}: the hours of {source} were written {_ATTEMPTS} times meanwhile")

    def _mark_behind(self, now: str) -> None:
        if time.monotonic() - self._marked > _MARK_SECONDS or not self._marked:
            row = {**_BEHIND, "kind": ARRIVALS, "at": now}
            self._client.put_item(TableName=self._table, Item=encode(row))
            self._marked = time.monotonic()


def _key(partition: str, source: Source) -> Row:
    return {"pk": partition, "sk": f"{source.account}#{source.region}"}


def _source(row: Row) -> Source:
    account, _, region = str(row["sk"]).partition("#")
    return Source(account, region)


def _row(source: Source, arrivals: Arrivals) -> Row:
    return {
        **_key(_HOURS, source),
        "kind": ARRIVALS,
        "lastHour": text_of_hour(arrivals.last),
        "hourBits": f"{arrivals.bits:x}",
        "expiresAt": _expiry(),
    }


def _expiry() -> int:
    return int(time.time()) + _KEPT_DAYS * DAY_SECONDS


def _arrivals(row: Row) -> Arrivals:
    return Arrivals(hour_of_text(row["lastHour"]), int(row["hourBits"], 16))


def _replacing(known: Arrivals | None) -> dict[str, Any]:
    """On condition that the row is still what was known of it (the arguments of put_new)."""
    if known is None:
        return {}
    values = {":last": text_of_hour(known.last), ":bits": f"{known.bits:x}"}
    return {"replacing": "lastHour = :last AND hourBits = :bits", "values": values}
