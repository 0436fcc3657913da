"""Lambda's two pollers, as AWS describes them: what they give to the functions, and what they do when it fails.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.crash.faults import AFTER, AGAIN, BEFORE, LOST, Faults, Killed


MAX_RECEIVES = 5  # infra/ingest_queue.py
RETRIES = 4  # infra/functions.py has more, which shows nothing new and takes longer

Message = dict[str, Any]
Change = dict[str, Any]
Invoke = Callable[[dict[str, Any]], list[str]]
"""Calls the function; the identifiers it gives back. Raises what the function raises."""


@dataclass
class QueuePoller:
    """Gives messages of a queue to a function in batches; those given back or not answered for come again."""

    faults: Faults
    chance: random.Random
    invoke: Invoke
    waiting: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    current: list[Message] = field(default_factory=list)

    def send(self, body: dict[str, Any]) -> None:
        number = len(self.waiting) + len(self.dead)
        self.waiting.append({"messageId": f"m-{number}", "body": json.dumps(body), "receives": 0})

    def redrive(self) -> None:
        """What `trailbell dlq redrive` asks SQS to do."""
        self.waiting += [{**message, "receives": 0} for message in self.dead]
        self.dead.clear()

    def poll(self) -> bool:
        """One invocation; False if nothing waits."""
        if not self.waiting:
            return False
        self.chance.shuffle(self.waiting)
        size = self.chance.randint(1, min(10, len(self.waiting)))
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        self.dead += [message for message in taken if message["receives"] >= MAX_RECEIVES]
        batch = [message for message in taken if message["receives"] < MAX_RECEIVES]
        for message in batch:
            message["receives"] += 1
        self.current = batch
        back = self._invoke(batch)
        for message in batch:
            if message["messageId"] in back or self._comes_again(message):
                self.waiting.append(message)
        return True

    def _invoke(self, batch: list[Message]) -> set[str]:
        try:
            return set(self.invoke({"Records": batch})) if batch else set()
        except (Exception, Killed):  # the whole invocation failed: nothing is deleted
            return {message["messageId"] for message in batch}

    def _comes_again(self, message: Message) -> bool:
        """A message that was done may come again: its deletion got lost, or SQS delivers it twice."""
        self.faults.begin()
        return self.faults.at(f"delete {message['messageId']}", (AGAIN, BEFORE, AFTER, LOST)) in (AGAIN, BEFORE)


@dataclass
class Part:
    """Changes of a shard that are given to the function together, and how often they have been."""

    changes: list[Change]
    tried: int = 0


@dataclass
class StreamPoller:
    """Gives one shard's new hits to a function in order; what fails for good is named in a queue, and passed over.

    bisect_counts: whether a split counts as a try. AWS does not say; nothing may depend on it.
    """

    faults: Faults
    chance: random.Random
    invoke: Invoke
    shard: int
    changes: list[Change]
    dead_letters: list[str]
    bisect_counts: bool
    position: int = 0
    parts: list[Part] = field(default_factory=list)

    def poll(self) -> bool:
        """One step, reading or invoking; False if nothing is new."""
        if not self.parts:
            return self._fetch()
        part = self.parts.pop(0)
        sequences = [change["dynamodb"]["SequenceNumber"] for change in part.changes]
        try:
            back = self.invoke({"Records": part.changes})
        except (Exception, Killed):
            self._failed(part)
            return True
        if back:
            first = min(map(sequences.index, back))
            self._again(Part(part.changes[first:], part.tried + 1))
        else:
            self.faults.begin()
            if self.faults.at(f"checkpoint {sequences[0]}", (AGAIN,)) == AGAIN:
                self.parts.insert(0, part)
        return True

    def _fetch(self) -> bool:
        size = self.chance.randint(1, 20)
        fetched = self.changes[self.position : self.position + size]
        self.position += len(fetched)
        new = [change for change in fetched if change["eventName"] == "INSERT" and _kind(change) == "hit"]
        if new:
            self.parts.append(Part(new))
        return bool(fetched)

    def _failed(self, part: Part) -> None:
        """The function ended with an error or not at all: split and try again."""
        half = len(part.changes) // 2
        tried = part.tried + (1 if self.bisect_counts or not half else 0)
        if half and tried <= RETRIES:
            self.parts[:0] = [Part(part.changes[:half], tried), Part(part.changes[half:], tried)]
        else:
            self._again(Part(part.changes, tried))

    def _again(self, part: Part) -> None:
        if part.tried <= RETRIES:
            self.parts.insert(0, part)
        else:
            self.dead_letters.append(self._dead_letter(part.changes))

    def _dead_letter(self, changes: list[Change]) -> str:
        moment = changes[0]["dynamodb"]["NewImage"]["seenAt"]["S"]
        batch = {
            "streamArn": "stream",
            "shardId": str(self.shard),
            "startSequenceNumber": changes[0]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": changes[-1]["dynamodb"]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": moment,
            "approximateArrivalOfLastRecord": moment,
            "batchSize": len(changes),
        }
        return json.dumps({"requestContext": {"condition": "RetryAttemptsExhausted"}, "DDBStreamBatchInfo": batch})


def _kind(change: Change) -> str:
    return str(change["dynamodb"]["NewImage"]["kind"]["S"])
