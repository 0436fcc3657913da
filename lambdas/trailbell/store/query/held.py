"""Which hits a quiet period holds at this moment: nobody was notified of them, and the clock will see to it."""

from collections.abc import Sequence
from typing import Any

from trailbell.alerts.quiet import group_of
from trailbell.hits.hit import Hit
from trailbell.store.dynamo import get_row
from trailbell.store.periods import held_key, period_end


_SEVERAL = ("", "several")  # stands for any two actors: a storm of many is a group of its own


def held_until(client: Any, table: str, hit: Hit, now: str) -> str:
    """When the period ends that holds a hit, "" if none does. now: UTC, ISO 8601 with Z. Raises botocore's errors."""
    actors: Sequence[Sequence[str]] = ((hit.actor.key,), _SEVERAL)
    for several in actors:
        group = group_of(hit.rule_id, hit.level, hit.account, several)
        ends = period_end(client, table, group)
        if ends > now and get_row(client, table, held_key(group, ends, hit.hit_id)):
            return ends
    return ""
