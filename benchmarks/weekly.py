"""What a weekly report reads: requests and DynamoDB's read units, for an idle account and for busier ones.

    .venv/bin/python -m benchmarks.weekly

The rows are those that detector, notifier and clock write, in this process's memory; units are counted as AWS bills
strongly consistent reads: one for each 4 KB of a query's page, and of each item of a batch.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from math import ceil
from typing import Any

from benchmarks.ask import DAYS, NOW, make_hits
from trailbell.alerts.weekly import weekly_text
from trailbell.hits.hit import ACT, Hit
from trailbell.store.canaries import canary_key
from trailbell.store.dynamo import Row, encode
from trailbell.store.rows import DELIVERED, delivery_key, hit_row, pointer_rows
from trailbell.store.week import DynamoWeek


_UNIT, _PAGE = 4096, 1024 * 1024
_READ_UNIT = 0.125e-6  # dollars, us-east-1, on demand: https://aws.amazon.com/dynamodb/pricing/
_UNTIL = NOW.date()
_SINCE = _UNTIL - timedelta(days=7)
_EXPIRES = 4_000_000_000


class Counting:
    """A table's rows, and what is asked of them."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._partitions = defaultdict[str, dict[str, tuple[Row, int]]](dict)
        for row in rows:
            item = encode(row)
            self._partitions[row["pk"]][row["sk"]] = item, len(json.dumps(row))
        self.counts = Counter[str]()

    def query(self, **asked: Any) -> dict[str, Any]:
        """As DynamoDB pages and bills it; conditions on sort keys are not needed for the days of the past."""
        rows = self._partitions.get(asked["ExpressionAttributeValues"][":pk"]["S"], {})
        size, items, start = 0, list[Row](), asked.get("ExclusiveStartKey", {}).get("sk", {}).get("S", "~")
        answer: dict[str, Any] = {"Items": items}
        for sort in sorted((sort for sort in rows if sort < start), reverse=True):
            if size > _PAGE:
                answer["LastEvaluatedKey"] = {"sk": items[-1]["sk"]}
                break
            items.append(rows[sort][0])
            size += rows[sort][1]
        self._count("queries", max(ceil(size / _UNIT), 1))
        return answer

    def batch_get_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """All keys of a batch; an item that is not there is billed, too."""
        ((table, request),) = RequestItems.items()
        found = [self._partitions.get(key["pk"]["S"], {}).get(key["sk"]["S"]) for key in request["Keys"]]
        self._count("batches", sum(ceil(one[1] / _UNIT) if one else 1 for one in found))
        return {"Responses": {table: [one[0] for one in found if one]}}

    def _count(self, what: str, units: int) -> None:
        self.counts.update({what: 1, "units": units})


def table_of(hits: Iterable[Hit]) -> Counting:
    """The rows of some hits, each notified of, and a week of canaries."""
    rows = list[Row]()
    for hit in hits:
        pointers = [row for row in pointer_rows(hit, _EXPIRES) if row["pk"].startswith("T#")]
        record = {**delivery_key(*hit.identity), "kind": DELIVERED, "level": hit.level, "alert": hit.hit_id}
        rows += [hit_row(hit, _EXPIRES), *pointers, *([record] if hit.is_to_notify else [])]
    for hour in range(7 * 24):
        name = (NOW.replace(hour=0) - timedelta(days=7) + timedelta(hours=hour)).strftime("%Y-%m-%dT%H")
        for step in ("sent", "returned"):
            rows.append({**canary_key(name, step), "kind": "canary-step", "seconds": 280})
    return Counting(rows)


def main() -> None:
    """Print a line for each size."""
    print("hits a week  queries  batches  read units  $ a report  characters")
    for hits_a_day in (0, 10, 100, 1000):
        every = make_hits(hits_a_day * DAYS) if hits_a_day else iter(())
        client = table_of(replace(hit, kept_as=ACT) for hit in islice(every, hits_a_day * DAYS))
        week = DynamoWeek(client, "hits").read(
            _SINCE.isoformat(), _UNTIL.isoformat(), NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
        )
        counts, text = client.counts, weekly_text(week, [])
        print(
            f"{week.hits:11,}  {counts['queries']:7,}  {counts['batches']:7,}  {counts['units']:10,}"
            f"  {counts['units'] * _READ_UNIT:10.5f}  {len(text):10,}"
        )


if __name__ == "__main__":
    main()
