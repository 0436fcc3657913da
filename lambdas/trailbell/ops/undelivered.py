"""Hits that nobody was notified of, and follow-ups of others: found again in the stream or the table, delivered by the
deployed notifier.

The notifier delivers them, invoked with them as its stream would: it alone may publish, its delivery records keep
every hit from being delivered twice, and what it does is in its log and metrics. Whoever runs this needs to read the
table and to invoke that one function, and never gets to write either table or topic.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from trailbell.errors import NotificationError
from trailbell.hits.follow_up import followed_as
from trailbell.hits.hit import ACT, delivery_identity
from trailbell.ops.deployed_stack import Clients
from trailbell.store.deliveries import Identity, delivery_levels
from trailbell.store.dynamo import Row, encode
from trailbell.store.follow_ups import FOLLOW_UP, is_new_follow_up
from trailbell.store.rows import HIT, is_to_notify
from trailbell.text.times import iso_time


# A synchronous invocation takes 6 MB; a hit's row is about 4 KB, and seldom more than a tenth of a megabyte.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_HITS_A_CALL = 200
_BYTES_A_CALL = 4_000_000

_BEFORE = timedelta(minutes=16)  # from reading a record to its row in the stream: no function runs longer than 15
_AFTER = timedelta(minutes=1)  # clocks differ

# Both say that the stream no longer holds what is asked for.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
_TRIMMED = {"TrimmedDataAccessException", "ResourceNotFoundException"}
_EMPTY_PAGES = 100


@dataclass(frozen=True, slots=True)
class Dropped:
    """A part of the hit table's stream that Lambda dropped after its retries: where it is, and when it was written."""

    stream: str
    shard: str
    first: str
    last: str
    since: datetime
    until: datetime


@dataclass(slots=True)
class Delivery:
    """What a delivery came to: hits that had a record before, those that have one now, and the names of the others."""

    notified_before: int = 0
    notified_now: int = 0
    undelivered: tuple[str, ...] = ()


def read_dropped(body: str) -> Dropped:
    """The positions in a message of AlertDeadLetters. Raises NotificationError when it is none.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    try:
        batch = json.loads(body)["DDBStreamBatchInfo"]
        first, last = str(batch["startSequenceNumber"]), str(batch["endSequenceNumber"])
        int(first), int(last)
        since = datetime.fromisoformat(batch["approximateArrivalOfFirstRecord"]).astimezone(UTC)
        until = datetime.fromisoformat(batch["approximateArrivalOfLastRecord"]).astimezone(UTC)
        return Dropped(str(batch["streamArn"]), str(batch["shardId"]), first, last, since, until)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotificationError("it names no part of the hit table's stream") from error


class UndeliveredHits:
    """The hits and follow-ups of one table, as rows in DynamoDB's typed JSON, and the function that delivers them."""

    def __init__(self, clients: Clients, table: str, function: str) -> None:
        self._clients, self.table, self._function = clients, table, function

    def dropped(self, part: Dropped) -> Iterable[Row]:
        """The hits at positions of the stream; once it has forgotten them (24 h), those written at that time."""
        found = self._from_stream(part)
        return self.seen_between(part.since - _BEFORE, part.until + _AFTER) if found is None else found

    def seen_between(self, since: datetime, until: datetime, *kinds: str) -> Iterator[Row]:
        """Hits and follow-ups (or rows of those kinds) read or written at that time, delivered or not.

        Reads the whole table: nothing shorter is sure to find each.
        """
        named = {f":kind{number}": kind for number, kind in enumerate(kinds or (HIT, FOLLOW_UP))}
        values = {
            **named,
            ":since": iso_time(since),
            ":until": iso_time(until),
            # What is over may have lost its delivery record: DynamoDB removes expired rows late, and in any order.
            ":now": int(time.time()),
        }
        pages = (
            self._clients("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.table,
                ConsistentRead=True,
                FilterExpression=(
                    f"kind IN ({', '.join(named)}) AND expiresAt > :now"
                    " AND (attribute_not_exists(seenAt) OR seenAt BETWEEN :since AND :until)"
                ),
                ExpressionAttributeValues=encode(values),
            )
        )
        for page in pages:
            yield from page["Items"]

    def undelivered(self, images: Iterable[Row]) -> Iterator[Row]:
        """Those without a delivery record. A follow-up counts where its act has one: else it comes with its act."""
        for chunk in _by_invocation(images):
            keys = [(image, _delivery_keys(image), _act_keys(image)) for image in chunk]
            named = {key for _, *both in keys for ones in both for key in ones}
            delivered = delivery_levels(self._clients("dynamodb"), self.table, named).keys()
            yield from (image for image, own, act in keys if not delivered & own and (not act or delivered & act))

    def notify(self, images: Iterable[Row]) -> Delivery:
        """Let the notifier deliver those without a delivery record; what the records say afterwards."""
        delivery = Delivery()
        for chunk in _by_invocation(images):
            waiting = list(self.undelivered(chunk))
            delivery.notified_before += len(chunk) - len(waiting)
            if waiting:
                self._invoke(waiting)
                left = list(self.undelivered(waiting))
                delivery.notified_now += len(waiting) - len(left)
                delivery.undelivered += tuple("/".join(_key(image)) for image in left)
        return delivery

    def _invoke(self, images: Sequence[Row]) -> None:
        """Whatever the answer: whether a hit was delivered, its delivery record says."""
        records = [
            {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": image}}
            for number, image in enumerate(images, start=1)
        ]
        payload = json.dumps({"Records": records}, default=str).encode()
        self._clients("lambda").invoke(FunctionName=self._function, Payload=payload)["Payload"].read()

    def _from_stream(self, part: Dropped) -> list[Row] | None:
        """The hits at these positions, None if the stream holds them no more."""
        client = self._clients("dynamodbstreams")
        try:
            iterator = client.get_shard_iterator(
                StreamArn=part.stream,
                ShardId=part.shard,
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=part.first,
            )["ShardIterator"]
            return _read_shard(client, iterator, int(part.first), int(part.last))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _TRIMMED:
                raise
            return None


def _read_shard(client: Any, iterator: str | None, first: int, last: int) -> list[Row] | None:
    """New hits and follow-ups from `first` to `last`, None if one of the two is not there to be seen."""
    images, begun, empty = list[Row](), False, 0
    while iterator and empty < _EMPTY_PAGES:
        answer = client.get_records(ShardIterator=iterator)
        iterator, records = answer.get("NextShardIterator"), answer["Records"]
        empty = 0 if records else empty + 1
        for record in records:
            number, image = int(record["dynamodb"]["SequenceNumber"]), record["dynamodb"].get("NewImage") or {}
            begun = begun or number == first
            if not begun or number > last:
                return None
            if is_to_notify(record["eventName"], image) or is_new_follow_up(record["eventName"], image):
                images.append(image)
            if number == last:
                return images
    return None


def is_follow_up(image: Row) -> bool:
    """Whether a row is a follow-up and no hit."""
    return image["kind"] == {"S": FOLLOW_UP}


def _key(image: Row) -> Identity:
    """The identity of a row, by its key: even a row that cannot be read has one."""
    _, account, event_id = image["pk"]["S"].split("#", 2)
    name = image["sk"]["S"]
    return account, event_id, followed_as(name) if is_follow_up(image) else name


def _delivery_keys(image: Row) -> set[Identity]:
    """What a row may have been notified of by, as Hit.delivery_identity and Hit.identities_before say."""
    if is_follow_up(image):
        return {delivery_identity(_key(image), _shared(_followed(image)))}
    return _hit_keys(_key(image), image)


def _act_keys(image: Row) -> set[Identity]:
    """What the act of a follow-up may have been notified of by; none for a hit."""
    account, event_id, _ = _key(image)
    return _hit_keys((account, event_id, ACT), _followed(image)) if is_follow_up(image) else set()


def _hit_keys(key: Identity, hit: Row) -> set[Identity]:
    if "keptAs" not in hit:
        return {key}
    ids = [hit.get("ruleId", {}), *hit.get("alsoIds", {}).get("L", ())]
    before = {(*key[:2], one["S"]) for one in ids if "S" in one}
    return before | {delivery_identity(key, _shared(hit))}


def _shared(hit: Row) -> str:
    return str(hit.get("sharedEventID", {}).get("S", ""))


def _followed(image: Row) -> Row:
    """The document of a follow-up's hit."""
    document: Row = image.get("hit", {}).get("M", {})
    return document


def _by_invocation(images: Iterable[Row]) -> Iterator[list[Row]]:
    """As many at a time as one invocation takes."""
    remaining, kept = iter(images), list[Row]()
    while chunk := kept + list(islice(remaining, _HITS_A_CALL - len(kept))):
        fits, size = 0, 0
        while fits < len(chunk) and (fits == 0 or size + _size(chunk[fits]) <= _BYTES_A_CALL):
            size += _size(chunk[fits])
            fits += 1
        yield chunk[:fits]
        kept = chunk[fits:]


def _size(image: Row) -> int:
    return len(json.dumps(image, default=str))
