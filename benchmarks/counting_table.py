"""A table in memory that takes what correlations ask of DynamoDB, and counts it in the units that are billed.

A write takes a unit for each KB, in a transaction two; a strongly consistent query one for each 4 KB of what it reads.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from typing import Any

from botocore.exceptions import ClientError


Item = dict[str, Any]
_PAGE_BYTES = 1024 * 1024


class CountingTable:
    """Rows by partition and sort key; `counts` has requests by operation, units and bytes."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self._rows = dict[tuple[str, str], tuple[Item, int]]()
        self._sorted = defaultdict[str, list[str]](list)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self._rows)

    def kinds(self) -> Counter[str]:
        """How many of each kind."""
        return Counter(item["kind"]["S"] for item, _ in self._rows.values())

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """Put rows."""
        self.counts["requests"] += 1
        for requests in RequestItems.values():
            for request in requests:
                self._put(request["PutRequest"]["Item"], 1)
        return {}

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Put rows, all or none."""
        self.counts["requests"] += 1
        self.counts["transactions"] += 1
        if not all(self._holds(item["Put"]) for item in TransactItems):
            codes = [{"Code": "ConditionalCheckFailed"} for _ in TransactItems]
            error = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": codes}
            raise ClientError(error, "TransactWriteItems")
        for item in TransactItems:
            self._put(item["Put"]["Item"], 2)
        return {}

    def query(self, ExpressionAttributeValues: Item, **more: Any) -> dict[str, Any]:  # noqa: N803
        """Rows of a partition between two sort keys."""
        values = {name: typed["S"] for name, typed in ExpressionAttributeValues.items()}
        partition = values[":pk"]
        keys = self._sorted.get(partition, [])
        keys = keys[bisect_left(keys, values[":since"]) : bisect_right(keys, values[":until"])]
        if not more["ScanIndexForward"]:
            keys.reverse()
        if begun := more.get("ExclusiveStartKey"):
            keys = keys[keys.index(begun["sk"]["S"]) + 1 :]
        found, size = list[Item](), 0
        for key in keys[: more.get("Limit")]:
            item, bytes_ = self._rows[partition, key]
            found.append(item)
            size += bytes_
            if size > _PAGE_BYTES:
                break
        self.counts["requests"] += 1
        self.counts["queries"] += 1
        self.counts["read units"] += max(-(-size // 4096), 1)
        self.counts["bytes read"] += size
        rest = {"LastEvaluatedKey": {name: found[-1][name] for name in ("pk", "sk")}} if len(found) < len(keys) else {}
        return {"Items": found, **rest}

    def _holds(self, put: Item) -> bool:
        there = self._rows.get((put["Item"]["pk"]["S"], put["Item"]["sk"]["S"]))
        if put.get("ConditionExpression") == "#version = :version":
            return there is not None and there[0]["version"] == put["ExpressionAttributeValues"][":version"]
        return there is None or "ConditionExpression" not in put

    def _put(self, item: Item, times: int) -> None:
        partition, key = item["pk"]["S"], item["sk"]["S"]
        size = _size({"M": item})
        if (partition, key) not in self._rows:
            insort(self._sorted[partition], key)
        self._rows[partition, key] = item, size
        self.counts["write units"] += times * -(-size // 1024)
        self.counts["bytes written"] += size


def _size(typed: Item) -> int:
    """About what a value takes: text in UTF-8, a number ten bytes, a list or a map three and one for each member."""
    ((kind, value),) = typed.items()
    if kind == "S":
        return len(value.encode("utf-8", "surrogatepass"))
    if kind == "M":
        return 3 + sum(len(name) + 1 + _size(member) for name, member in value.items())
    if kind == "L":
        return 3 + sum(1 + _size(member) for member in value)
    return 10 if kind == "N" else 1
