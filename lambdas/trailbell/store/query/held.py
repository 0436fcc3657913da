"""Which hits a quiet period holds at this moment: nobody was notified of them, and the clock will see to it."""

from collections.abc import Sequence
from typing import Any

from trailbell.alerts.quiet import group_of
from trailbell.hits.hit import Hit
from trailbell.store.dynamo import decode, encode
from trailbell.store.periods import HELD, group_partition


_SEVERAL = ("", "several")  # stands for any two actors: a storm of many is a group of its own


def held_until(client: Any, table: str, hit: Hit, now: str) -> str:
    """When the period ends that holds a hit, "" if none does. now: UTC, ISO 8601 with Z. Raises botocore's errors."""
    actors: Sequence[Sequence[str]] = ((hit.actor.key,), _SEVERAL)
    for several in actors:
        group = group_of(hit.rule_id, hit.level, hit.account, several)
        values = {":pk": group_partition(group), ":now": f"{HELD}#{now}", ":end": f"{HELD}$"}
        pages = client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :now AND :end",
            ExpressionAttributeValues=encode(values),
            ProjectionExpression="sk",
        )
        for page in pages:
            for row in map(decode, page["Items"]):
                _, ends, hit_id = row["sk"].split("#", 2)
                if hit_id == hit.hit_id:
                    return str(ends)
    return ""
