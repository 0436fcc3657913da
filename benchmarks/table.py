"""A hit table in memory that answers Query and BatchGetItem as DynamoDB does, through the real client.

moto answers in Python at 10 ms a row, which would be all that is measured. Here a request is answered before it is
sent, from rows that were written as JSON once: the client's own work, requests and rows are what they are on AWS.
Kept of DynamoDB: order, Limit before the filter, pages of at most 1 MB, a hundred keys to a batch.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
"""

import io
import json
import re
import threading
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse

from trailbell.hits.hit import Hit
from trailbell.store.dynamo import encode
from trailbell.store.rows import hit_row, pointer_rows


_PAGE_BYTES = 1024 * 1024
_CONDITION = re.compile(
    r"\(attribute_not_exists\((?P<name>[#\w]+)\) OR (?P=name) IN \((?P<among>[:\w, ]+)\)\)"
    r"|\(attribute_not_exists\((?P<text>\w+)\) OR contains\((?P=text), (?P<part>:\w+)\)\)"
    r"|begins_with\((?P<member>\w+), (?P<start>:\w+)\)"
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Row:
    sort: str
    item: Json
    text: str


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, *_: Any, **__: Any) -> Iterable[bytes]:
        yield self.read()


class MemoryTable:
    """The rows of hits. `latency`: seconds each request waits, as on a network. Counts what is asked of it."""

    def __init__(self, hits: Iterable[Hit], latency: float) -> None:
        self._expires, self._latency = int(time.time()) + 86400, latency
        self._hits = {hit_row(hit, 0)["pk"]: hit for hit in hits}
        self._targets = dict[str, list[str]]()
        for target, hit in self._hits.items():
            for row in pointer_rows(hit, 0):
                self._targets.setdefault(row["pk"], []).append(target)
        self._made = dict[str, list[_Row]]()
        self._texts = dict[str, str]()
        self._lock = threading.Lock()
        self.counts = Counter[str]()
        self.rows = len(self._hits) + sum(map(len, self._targets.values()))

    def serve(self, client: Any) -> None:
        """Answer what this client asks."""
        client.meta.events.register_first("before-send.dynamodb", self._answer)

    def take_counts(self) -> Counter[str]:
        """What was asked since the last time."""
        counts, self.counts = self.counts, Counter()
        return counts

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        asked = json.loads(request.body)
        body, read = self._query(asked) if operation == "Query" else self._get(asked)
        with self._lock:
            self.counts["requests"] += 1
            self.counts[operation] += read
        time.sleep(self._latency)
        return AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, _Raw(body.encode()))

    def _query(self, asked: Json) -> tuple[str, int]:
        values = asked["ExpressionAttributeValues"]
        rows = self._partition(values[":pk"]["S"])
        low = bisect_left(rows, values[":since"]["S"], key=lambda row: row.sort)
        high = bisect_right(rows, values[":until"]["S"], key=lambda row: row.sort)
        if "ExclusiveStartKey" in asked:
            high = bisect_left(rows, asked["ExclusiveStartKey"]["sk"]["S"], key=lambda row: row.sort)
        size, read, found = 0, 0, list[str]()
        for row in reversed(rows[low:high]):
            if read == asked.get("Limit") or size + len(row.text) > _PAGE_BYTES:
                break
            size, read = size + len(row.text), read + 1
            if _passes(row.item, asked):
                found.append(row.text)
        answer = f'{{"Items":[{",".join(found)}],"Count":{len(found)},"ScannedCount":{read}'
        if low < high - read:
            last = rows[high - read].item
            answer += f',"LastEvaluatedKey":{json.dumps({name: last[name] for name in ("pk", "sk")})}'
        return answer + "}", read

    def _partition(self, partition: str) -> list[_Row]:
        with self._lock:
            if partition not in self._made:
                hits = (self._hits[target] for target in self._targets.get(partition, ()))
                rows = (row for hit in hits for row in pointer_rows(hit, self._expires) if row["pk"] == partition)
                items = [(str(row["sk"]), encode(row)) for row in rows]
                self._made[partition] = [
                    _Row(sort, item, json.dumps(item)) for sort, item in sorted(items, key=lambda one: one[0])
                ]
            return self._made[partition]

    def _get(self, asked: Json) -> tuple[str, int]:
        ((table, request),) = asked["RequestItems"].items()
        keys = [(key["pk"]["S"], key["sk"]["S"]) for key in request["Keys"]]
        if len(keys) > 100:
            raise ValueError("too many keys for one BatchGetItem")
        items = [self._hit_text(partition) for partition, _ in keys if partition in self._hits]
        return f'{{"Responses":{{"{table}":[{",".join(items)}]}},"UnprocessedKeys":{{}}}}', len(items)

    def _hit_text(self, partition: str) -> str:
        if partition not in self._texts:
            self._texts[partition] = json.dumps(encode(hit_row(self._hits[partition], self._expires)))
        return self._texts[partition]


def _passes(item: Json, asked: Json) -> bool:
    """Whether a row passes the FilterExpression, of which only what store/query/pointer_filter.py writes is known."""
    expression = asked.get("FilterExpression", "")
    values, names = asked["ExpressionAttributeValues"], asked.get("ExpressionAttributeNames", {})
    if expression and _CONDITION.sub("", expression).replace(" AND ", "").strip():
        raise ValueError(f"a filter this table does not know: {expression}")
    for condition in _CONDITION.finditer(expression):
        if condition["text"]:
            held = condition["text"] not in item or values[condition["part"]]["S"] in item[condition["text"]]["S"]
        elif condition["member"]:
            held = item[condition["member"]]["S"].startswith(values[condition["start"]]["S"])
        else:
            stands = item.get(names[condition["name"]])
            held = stands is None or stands in [values[each.strip()] for each in condition["among"].split(",")]
        if not held:
            return False
    return True
