"""The rows of the audit: one for each digest that was audited, and the newest of each chain.

    V#{account}#{region}#{yyyy-mm}    {end}#{trail}@{home}#{standard|backfill}    what was found
    V#newest                          {account}#{region}#{trail}@{home}#{…}       its newest digest: end, key
    V#since                           -                                           since when the ledger is kept
    V#behind                          -                                           when the audit was last behind

They remember what a bucket no longer shows: digests that were there once, and where a chain had come to. A digest that
CloudTrail did not sign has a row, but is nobody's newest and nobody's neighbour: whoever may write to the bucket could
else move a chain to where they like.
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from trailbell.audit.newest import AuditedDigest, Newest
from trailbell.audit.verdict import PROVEN
from trailbell.cloudtrail.digest_key import DigestKey, Trail
from trailbell.store.dynamo import Row, encode, get_row, put_new, query
from trailbell.text.times import DAY_SECONDS, iso_time


AUDIT = "audit"
_NEWEST = "V#newest"
_FIRST, _LAST = "0", "~"  # before and after every time
_SINCE = {"pk": "V#since", "sk": "-"}
_BEHIND = {"pk": "V#behind", "sk": "-"}


class DynamoAudits:
    """Writes and reads the audit's rows.

    queue_url: of the digests' queue; it tells one time of the audit being switched on from another. "" where nobody
               asks since when.
    """

    def __init__(self, client: Any, table: str, retention_days: int, queue_url: str = "") -> None:
        self._client, self._table, self._retention = client, table, timedelta(days=retention_days)
        self._queue_url = queue_url

    def since(self, now: str) -> str:
        """Since when the ledger is kept; from now on where nobody has asked yet since the audit was switched on.

        While it is off nobody keeps the ledger, and what was delivered then is nobody's to have read. Switching it
        off deletes its queue, and switching it on makes another one, with another name.
        """
        row = {**_SINCE, "kind": AUDIT, "at": now}
        if not self._queue_url:
            there = put_new(self._client, self._table, row)
        else:
            there = put_new(
                self._client,
                self._table,
                {**row, "queueUrl": self._queue_url},
                replacing="(attribute_exists(queueUrl) AND queueUrl <> :queue)",
                values={":queue": self._queue_url},
            )
        if self._queue_url and there and "queueUrl" not in there:
            # A version before did not keep it: from here on it tells when the audit was off.
            adopted = {**there, "queueUrl": self._queue_url}
            same = {":at": there["at"]}
            put_new(self._client, self._table, adopted, replacing="#at = :at", values=same, names={"#at": "at"})
        return now if there is None else str(there["at"])

    def mark_behind(self, now: str) -> None:
        """Keep that the audit has digests before it that came long ago."""
        self._client.put_item(TableName=self._table, Item=encode({**_BEHIND, "kind": AUDIT, "at": now}))

    def behind(self) -> str:
        """When the audit was last behind; "" if it never was."""
        return next((str(row["at"]) for row in self._query(_BEHIND["pk"])), "")

    def keep(self, audited: AuditedDigest) -> None:
        """Write what was found about a digest, and that it is its chain's newest if it is. Raises TableError."""
        row = {**_audit_key(audited.key), **audited.members, "kind": AUDIT, "expiresAt": self._expiry()}
        self._client.put_item(TableName=self._table, Item=encode(row))
        if audited.members["verdict"] not in PROVEN:
            return
        newest = {
            "pk": _NEWEST,
            "sk": _chain(audited.key),
            "kind": AUDIT,
            "expiresAt": self._expiry(),
            "endsAt": iso_time(audited.key.end),
            "bucket": audited.bucket,
            "key": audited.text,
        }
        put_new(
            self._client,
            self._table,
            newest,
            replacing="endsAt < :end",
            values={":end": newest["endsAt"]},
        )

    def audited(self, key: DigestKey) -> Row | None:
        """What was found about a digest before; None if it was not audited."""
        return get_row(self._client, self._table, _audit_key(key))

    def neighbour(self, key: DigestKey, moment: datetime, *, later: bool) -> Row | None:
        """Of a chain's proven digests the last that ended by a moment, or the first that ended after it.

        However far away: forward up to the chain's newest, back as long as rows are kept.
        """
        edge = iso_time(moment)
        for month in self._months(key, moment, later=later):
            partition = f"V#{key.trail.account}#{key.trail.region}#{month}"
            # `$` follows `#`: what ended at the very moment is before it.
            ends = (f"{edge}$", _LAST) if later else (_FIRST, f"{edge}$")
            for row in self._query(partition, *ends, forward=later):
                if row["sk"].partition("#")[2] == _name(key) and row["sha256"]:
                    return row
        return None

    def _months(self, key: DigestKey, moment: datetime, *, later: bool) -> Iterator[str]:
        """The months in which a neighbour can be, the nearest first."""
        if later:
            row = get_row(self._client, self._table, {"pk": _NEWEST, "sk": _chain(key)})
            newest = row["endsAt"] if row else ""
            last = newest[:7] if newest > iso_time(moment) else ""
            while (month := iso_time(moment)[:7]) <= last:
                yield month
                moment = moment.replace(day=28) + timedelta(days=4)
            return
        first = iso_time(moment - self._retention)[:7]
        while (month := iso_time(moment)[:7]) >= first:
            yield month
            moment = moment.replace(day=1) - timedelta(days=1)

    def chains(self) -> Iterator[Newest]:
        """The newest digest of every chain."""
        return map(_newest, self._query(_NEWEST))

    def of_month(self, account: str, region: str, month: str) -> Iterator[Row]:
        """What was found about the digests of a month, by their ends."""
        return self._query(f"V#{account}#{region}#{month}")

    def ended(self, account: str, region: str, first: datetime, last: datetime) -> Iterator[Row]:
        """What was found about the digests that ended between two moments."""
        month = first
        while iso_time(month)[:7] <= iso_time(last)[:7]:
            partition = f"V#{account}#{region}#{iso_time(month)[:7]}"
            yield from self._query(partition, iso_time(first), f"{iso_time(last)}$")
            month = month.replace(day=28) + timedelta(days=4)

    def _query(self, partition: str, since: str = "", until: str = "", *, forward: bool = True) -> Iterator[Row]:
        return query(self._client, self._table, partition, since, until, backward=not forward)

    def _expiry(self) -> int:
        return int(time.time()) + self._retention.days * DAY_SECONDS


def _audit_key(key: DigestKey) -> Row:
    end = iso_time(key.end)
    trail = key.trail
    return {"pk": f"V#{trail.account}#{trail.region}#{end[:7]}", "sk": f"{end}#{_name(key)}"}


def _chain(key: DigestKey) -> str:
    return f"{key.trail.account}#{key.trail.region}#{_name(key)}"


def _name(key: DigestKey) -> str:
    return f"{key.trail.trail}@{key.trail.home}#{'backfill' if key.backfill else 'standard'}"


def _newest(row: Row) -> Newest:
    account, region, name, kind = row["sk"].split("#")
    trail, _, home = name.rpartition("@")
    ends_at = datetime.fromisoformat(row["endsAt"])
    return Newest(Trail(account, region, trail, home), kind == "backfill", ends_at, row["bucket"], row["key"])
