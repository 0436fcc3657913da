"""Which weekly reports were sent, and which somebody is about to send.

    W#report    {yyyy-mm-dd}          kind `report`: sent, with when; `begun` where weeks began with this day
    W#report    claim#{yyyy-mm-dd}    kind `claim`: leaseUntil (epoch seconds)

A claim outlasts every run of the clock: whoever finds one that is over knows that its run has ended.
"""

import time
from collections.abc import Callable
from typing import Any

from trailbell.store.dynamo import Row, put_new, query
from trailbell.text.times import DAY_SECONDS


LEASE_SECONDS = 180
"""Longer than the clock's time-out (infra/clock.py)."""

_PARTITION = "W#report"
_SENT, _CLAIM = "report", "claim"
_KEPT_DAYS = 400


class DynamoReports:
    """Reads and writes them. clock: epoch seconds."""

    def __init__(self, client: Any, table: str, clock: Callable[[], float] = time.time) -> None:
        self._client, self._table, self._clock = client, table, clock

    def last(self) -> str:
        """The day of the last report that was sent or begun with, strongly consistent, "" for none."""
        days = query(self._client, self._table, _PARTITION, "0", "9999", limit=1, backward=True)
        return next((str(row["sk"]) for row in days), "")

    def begin(self, day: str) -> None:
        """Note a day as the one before the first report. Raises TableError or what botocore raises."""
        put_new(self._client, self._table, self._row(day, "begun"))

    def claim(self, day: str) -> bool:
        """Claim a report; False where somebody else has it. Raises TableError or what botocore raises."""
        now = int(self._clock())
        row = {
            "pk": _PARTITION,
            "sk": f"{_CLAIM}#{day}",
            "kind": _CLAIM,
            "leaseUntil": now + LEASE_SECONDS,
            "expiresAt": now + DAY_SECONDS,
        }
        over = "leaseUntil < :now"
        return put_new(self._client, self._table, row, replacing=over, values={":now": now}) is None

    def sent(self, day: str, now: str) -> None:
        """Mark a report as sent; again changes nothing. Raises TableError or what botocore raises."""
        put_new(self._client, self._table, self._row(day, now))

    def _row(self, day: str, at: str) -> Row:
        expires_at = int(self._clock()) + _KEPT_DAYS * DAY_SECONDS
        return {"pk": _PARTITION, "sk": day, "kind": _SENT, "at": at, "expiresAt": expires_at}
