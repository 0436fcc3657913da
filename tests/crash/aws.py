"""S3, DynamoDB with its stream, and SNS, as far as the functions use them, with faults at every call."""

import json
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ResponseStreamingError

from tests.crash import faults
from tests.crash.faults import ANY_CALL, BATCH_CALL, CUT, OVERTAKEN, PARTLY, PARTLY_KILLED, Faults, after, before
from trailbell.text.safe_text import one_line


SHARDS = 2

Item = dict[str, Any]
Key = tuple[str, str]


class ConditionalCheckFailedError(ClientError):  # type: ignore[misc]  # botocore ships no types
    """The condition of a put did not hold."""


class _Exceptions:
    ConditionalCheckFailedException = ConditionalCheckFailedError


@dataclass
class FakeS3:
    """A bucket of objects by key."""

    faults: Faults
    objects: dict[str, bytes] = field(default_factory=dict)
    overtake: Callable[[], None] = lambda: None

    def get_object(self, Bucket: str, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        call = f"get {Key}"
        kind = self.faults.at(call, (*ANY_CALL, CUT, OVERTAKEN))
        before(kind, call)
        if kind == OVERTAKEN:
            self.overtake()
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, call)
        after(kind, call)
        return {"Body": FakeBody(self.objects[Key], cut=kind == CUT)}


@dataclass
class FakeBody:
    """An object's body, which may break in the middle."""

    content: bytes
    cut: bool

    def iter_chunks(self, size: int = 1024) -> Iterator[bytes]:
        if self.cut:
            yield self.content[: len(self.content) // 2]
            raise ResponseStreamingError(error="connection broken")
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size]

    def read(self, amt: int | None = None) -> bytes:
        if self.cut:
            raise ResponseStreamingError(error="connection broken")
        piece, self.content = (self.content, b"") if amt is None else (self.content[:amt], self.content[amt:])
        return piece

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class FakeDynamo:
    """One table and its stream: a list of changes for each shard, in order within it.

    rows: to read from without a call; page: rows of a query's answer; DynamoDB ends one after 1 MB.
    """

    faults: Faults
    rows: dict[Key, Item] = field(default_factory=dict)
    _partitions: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))
    shards: list[list[Item]] = field(default_factory=lambda: [[] for _ in range(SHARDS)])
    overtake: Callable[[], None] = lambda: None
    page: int = 5
    exceptions = _Exceptions
    lock: threading.RLock = field(default_factory=threading.RLock)
    _sequence: int = 0

    def put_item(self, TableName: str, Item: Item, ConditionExpression: str = "", **names: Any) -> dict[str, Any]:  # noqa: N803
        call = f"put {_name(Item)}"
        kind = self.faults.at(call, (*ANY_CALL, OVERTAKEN))
        before(kind, call)
        if kind == OVERTAKEN:
            self.overtake()
        with self.lock:
            if ConditionExpression:
                versioned = ConditionExpression == "#version = :version"
                assert versioned or ConditionExpression.startswith("attribute_not_exists(pk)"), ConditionExpression
                there = self.rows.get(_key(Item))
                assert there or not versioned
                if there and not _gives_way(there, names.get("ExpressionAttributeValues", {})):
                    after(kind, call)
                    refusal = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": there}
                    raise ConditionalCheckFailedError(refusal, call)
            self._put(Item)
        after(kind, call)
        return {}

    def query(self, ConsistentRead: bool, KeyConditionExpression: str, **more: Any) -> dict[str, Any]:  # noqa: N803
        """The rows of a partition, or those between two sort keys, in order."""
        values = {name: typed["S"] for name, typed in more["ExpressionAttributeValues"].items()}
        call = f"query {' '.join(values.values())}"
        kind = self.faults.at(call, ANY_CALL)
        before(kind, call)
        assert ConsistentRead, "an old answer may lack a row"
        wanted = _SORT_KEYS[KeyConditionExpression]
        with self.lock:
            there = self._partitions.get(values[":pk"])
            keys = sorted(key for key in there if wanted(key[1], values)) if there else []
            if not more.get("ScanIndexForward", True):
                keys.reverse()
            if "ExclusiveStartKey" in more:
                start = _key(more["ExclusiveStartKey"])  # whose row may be gone
                keys = [key for key in keys if (key > start if more.get("ScanIndexForward", True) else key < start)]
            page = keys[: more.get("Limit", self.page)]
            found = [self.rows[key] for key in page]
            last = {"pk": {"S": page[-1][0]}, "sk": {"S": page[-1][1]}} if len(page) < len(keys) else None
        after(kind, call)
        return {"Items": found, **({"LastEvaluatedKey": last} if last else {})}

    def delete_item(self, TableName: str, Key: Item, ConditionExpression: str, **names: Any) -> None:  # noqa: N803
        """Only on condition that the row is the one that was read."""
        call = f"delete {_name(Key)}"
        kind = self.faults.at(call, ANY_CALL)
        before(kind, call)
        with self.lock:
            there = self.rows.get(_key(Key), {})
            written = names.get("ExpressionAttributeValues", {}).get(":written")
            assert ConditionExpression == ("written = :written" if written else "attribute_not_exists(written)")
            if there.get("written") != written:
                after(kind, call)
                raise ConditionalCheckFailedError({"Error": {"Code": "ConditionalCheckFailedException"}}, call)
            self.rows.pop(_key(Key), None)
            self._partitions[Key["pk"]["S"]].discard(_key(Key))
        after(kind, call)

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """All of some puts, or none."""
        puts = [item["Put"] for item in TransactItems]
        call = f"transact {_name(puts[0]['Item'])} +{len(puts) - 1}"
        kind = self.faults.at(call, ANY_CALL)
        before(kind, call)
        with self.lock:
            held = [_holds(put, self.rows.get(_key(put["Item"]))) for put in puts]
            if not all(held):
                after(kind, call)
                codes = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in held]
                refusal = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": codes}
                raise ClientError(refusal, call)
            for put in puts:
                self._put(put["Item"])
        after(kind, call)
        return {}

    def batch_write_item(self, RequestItems: dict[str, list[Any]]) -> dict[str, Any]:  # noqa: N803
        ((table, requests),) = RequestItems.items()
        items = {_name(request["PutRequest"]["Item"]): request for request in requests}
        assert len(items) == len(requests) <= 25, "DynamoDB refuses that"
        call = f"write {min(items)} +{len(items) - 1}"
        kind = self.faults.at(call, BATCH_CALL)
        before(kind, call)
        done = faults.part_of(items, call) if kind in (PARTLY, PARTLY_KILLED) else list(items)
        with self.lock:
            for name in done:
                self._put(items[name]["PutRequest"]["Item"])
        after(kind, call)
        left = [request for name, request in items.items() if name not in done]
        return {"UnprocessedItems": {table: left} if left else {}}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        ((table, request),) = RequestItems.items()
        names = {_name(key): key for key in request["Keys"]}
        assert len(names) == len(request["Keys"]) <= 100, "DynamoDB refuses that"
        assert request["ConsistentRead"], "an old answer may lack a mark"
        call = f"read {min(names)} +{len(names) - 1}"
        kind = self.faults.at(call, BATCH_CALL)
        before(kind, call)
        done = faults.part_of(names, call) if kind in (PARTLY, PARTLY_KILLED) else list(names)
        with self.lock:
            found = [self.rows[_key(names[name])] for name in done if _key(names[name]) in self.rows]
        after(kind, call)
        left = [key for name, key in names.items() if name not in done]
        unprocessed = {table: {**request, "Keys": left}} if left else {}
        return {"Responses": {table: found}, "UnprocessedKeys": unprocessed}

    def get_paginator(self, name: str) -> "FakeDynamo":
        assert name in ("scan", "query")
        return self

    def paginate(self, ExpressionAttributeValues: Item, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        """A query, or a scan for rows of some kinds by when they were read."""
        if "KeyConditionExpression" in more:
            answer: dict[str, Any] = {"LastEvaluatedKey": None}
            while "LastEvaluatedKey" in answer:
                start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]} if answer["LastEvaluatedKey"] else {}
                answer = self.query(ExpressionAttributeValues=ExpressionAttributeValues, **more, **start)
                yield answer
            return
        since, until = (ExpressionAttributeValues[name]["S"] for name in (":since", ":until"))
        kinds = [value for name, value in ExpressionAttributeValues.items() if name.startswith(":kind")]
        rows = [row for row in self.rows.values() if row["kind"] in kinds]
        yield {"Items": [row for row in rows if since <= row["seenAt"]["S"] <= until]}

    def _put(self, item: Item) -> None:
        old = self.rows.get(_key(item))
        self.rows[_key(item)] = item
        self._partitions[item["pk"]["S"]].add(_key(item))
        if old != item:
            self._sequence += 1
            change = {
                "eventName": "MODIFY" if old else "INSERT",
                "dynamodb": {"SequenceNumber": str(100 + self._sequence), "NewImage": item},
            }
            self.shards[zlib.crc32(item["pk"]["S"].encode()) % SHARDS].append(change)


@dataclass
class FakeStreams:
    """The API of the table's stream; what is trimmed is no longer given."""

    dynamo: FakeDynamo
    trimmed: bool = False

    def get_shard_iterator(self, ShardId: str, SequenceNumber: str, **_: str) -> dict[str, str]:  # noqa: N803
        if self.trimmed:
            raise ClientError({"Error": {"Code": "TrimmedDataAccessException", "Message": ""}}, "GetShardIterator")
        numbers = [change["dynamodb"]["SequenceNumber"] for change in self.dynamo.shards[int(ShardId)]]
        return {"ShardIterator": f"{ShardId}/{numbers.index(SequenceNumber)}"}

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        shard, start = map(int, ShardIterator.split("/"))
        records = self.dynamo.shards[shard][start : start + 7]
        return {"Records": records, "NextShardIterator": f"{shard}/{start + len(records)}"}


@dataclass
class FakeSns:
    """Remembers what was published: when, in which invocation, which hits; and which of them had a mark by then."""

    faults: Faults
    has_mark: Callable[[str], bool]
    published: list[tuple[int, int, tuple[str, ...]]] = field(default_factory=list)
    told_in_spite: set[str] = field(default_factory=set)
    overtake: Callable[[], None] = lambda: None

    def publish(self, **request: Any) -> dict[str, Any]:
        alert = json.loads(json.loads(request["Message"])["default"])
        hits = tuple(alert["hitIds"])
        assert alert["count"] == len(hits), "these alerts are small enough to name every hit"
        assert len(request["Subject"]) < 100
        assert request["Subject"] == one_line(request["Subject"])
        call = f"publish {hits[0]}"
        kind = self.faults.at(call, (*ANY_CALL, OVERTAKEN))
        before(kind, call)
        if kind == OVERTAKEN:
            self.overtake()
        self.told_in_spite.update(filter(self.has_mark, hits))
        self.published.append((self.faults.time, self.faults.invocation, hits))
        if kind == OVERTAKEN:
            self.overtake()
        after(kind, call)
        return {}


_SORT_KEYS: dict[str, Callable[[str, dict[str, str]], bool]] = {
    "pk = :pk": lambda sk, values: True,
    "pk = :pk AND begins_with(sk, :sk)": lambda sk, values: sk.startswith(values[":sk"]),
    "pk = :pk AND sk BETWEEN :since AND :until": lambda sk, values: values[":since"] <= sk <= values[":until"],
}


def _holds(put: dict[str, Any], there: Item | None) -> bool:
    """Whether the condition of a put in a transaction holds."""
    condition, values = put.get("ConditionExpression"), put.get("ExpressionAttributeValues", {})
    if condition is None:
        return True
    if condition == "attribute_not_exists(pk) OR kind = :quiet":
        return there is None or there["kind"] == values[":quiet"]
    if condition == "attribute_not_exists(pk)":
        return there is None
    if condition == "attribute_not_exists(pk) OR #at > :at":
        return there is None or there["at"]["S"] > values[":at"]["S"]
    assert condition == "#version = :version", condition
    return there is not None and there["version"] == values[":version"]


def _gives_way(there: Item, values: Item) -> bool:
    """Whether a row gives way to a put: a claim that is over or the same owner's, or a row of the kinds named."""
    if set(values) == {":now"}:
        return int(there["leaseUntil"]["N"]) < int(values[":now"]["N"])
    if ":claim" in values:
        over = int(there.get("leaseUntil", {"N": "0"})["N"]) < int(values[":now"]["N"])
        return bool(there["kind"] == values[":claim"] and (over or there["owner"] == values[":owner"]))
    if ":version" in values:
        return bool(there["version"] == values[":version"])
    return there["kind"] in [values[name] for name in (":quiet", ":muted") if name in values]


def _key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


def _name(item: Item) -> str:
    return " ".join(_key(item))
