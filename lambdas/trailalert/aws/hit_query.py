"""The hit table as people ask it: newest first, through the pointers of the narrowest question."""

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from trailalert.aws import rows
from trailalert.aws.dynamo import decode, encode, get_all
from trailalert.core.hit import Hit, hit_from_document


_PAGE = 100
_ISO = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Question:
    """Which hits to find; "" asks for any. since, until: event time, UTC.

    rule:     rule ids; a hit that lists one of them under `also` counts.
    actor:    an actor's key, or part of its text.
    resource: an ARN as the hit holds it, or part of one.
    """

    since: datetime
    until: datetime
    rules: tuple[str, ...] = ()
    actor: str = ""
    resource: str = ""
    account: str = ""
    service: str = ""
    level: str = ""


def find_hits(client: Any, table: str, question: Question) -> Iterator[Hit]:
    """Hits that answer a question, newest first, read page by page as they are taken.

    What looks like a whole ARN is looked up as one; only if nothing is found it is taken for a part of one.
    """
    found = False
    for hit in _read(client, table, question, _exact_partitions(question)):
        found = True
        yield hit
    if not found:
        yield from _read(client, table, question, _partitions(question))


def _read(client: Any, table: str, question: Question, groups: Iterable[list[str]]) -> Iterator[Hit]:
    pointers = _pointers(client, table, question, groups)
    while page := list(islice(pointers, _PAGE)):
        keys = [rows.pointed_at(pointer) for pointer in page]
        found = {(row["pk"], row["sk"]): row for row in get_all(client, table, keys)}
        for key in keys:
            row = found.get((key["pk"], key["sk"]))
            if row and row["expiresAt"] > time.time():  # DynamoDB removes expired rows late
                hit = hit_from_document(row)
                if _answers(hit, question):
                    yield hit


def _pointers(client: Any, table: str, question: Question, groups: Iterable[list[str]]) -> Iterator[dict[str, Any]]:
    """Pointers of groups of partitions, newest first, each hit once."""
    seen = set()
    for group in groups:
        newest_first = heapq.merge(
            *(_query(client, table, partition, question) for partition in group),
            key=lambda pointer: str(pointer["sk"]),
            reverse=True,
        )
        for pointer in newest_first:
            target = pointer["hitPk"], pointer["hitSk"]
            if target not in seen:
                seen.add(target)
                yield pointer


def _exact_partitions(question: Question) -> Iterator[list[str]]:
    """The partitions of a resource or actor that is given as an ARN; none if neither is."""
    if question.resource.startswith("arn:"):
        yield [rows.resource_partition(question.resource)]
    elif question.actor.startswith("arn:"):
        yield from ([rows.actor_partition(question.actor, month)] for month in _periods(question, "%Y-%m"))


def _partitions(question: Question) -> Iterator[list[str]]:
    """The narrowest groups of partitions that hold every answer, newest group first."""
    months = _periods(question, "%Y-%m")
    if question.rules:
        yield from ([rows.rule_partition(rule, month) for rule in question.rules] for month in months)
    elif question.account:
        yield from ([rows.account_partition(question.account, month)] for month in months)
    else:
        for day in _periods(question, "%Y-%m-%d"):
            yield [rows.time_partition(day, shard) for shard in range(rows.SHARDS)]


def _periods(question: Question, form: str) -> list[str]:
    """The months or days of a question's time window, newest first."""
    day, periods = question.until, dict[str, None]()
    while day.date() >= question.since.date():
        periods[day.strftime(form)] = None
        day -= timedelta(days=1)
    return list(periods)


def _query(client: Any, table: str, partition: str, question: Question) -> Iterator[dict[str, Any]]:
    values = {":pk": partition, ":since": question.since.strftime(_ISO), ":until": question.until.strftime(_ISO) + "~"}
    pages = client.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :since AND :until",
        ExpressionAttributeValues=encode(values),
        ScanIndexForward=False,
        ConsistentRead=True,
        PaginationConfig={"PageSize": _PAGE},
    )
    for page in pages:
        yield from map(decode, page["Items"])


def _answers(hit: Hit, question: Question) -> bool:
    wanted: tuple[tuple[object, Callable[[], bool]], ...] = (
        (question.rules, lambda: bool({hit.rule_id, *hit.also_ids} & set(question.rules))),
        (question.actor, lambda: _is_in(question.actor, hit.actor.key, hit.actor.text)),
        (question.resource, lambda: _is_in(question.resource, *hit.resources)),
        (question.account, lambda: hit.account == question.account),
        (question.service, lambda: hit.service == question.service),
        (question.level, lambda: hit.level == question.level),
    )
    return all(not asked or holds() for asked, holds in wanted)


def _is_in(part: str, *texts: str) -> bool:
    return any(part.lower() in text.lower() for text in texts)
