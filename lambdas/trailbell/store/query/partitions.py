"""Which partitions hold the pointers of a query: the narrowest that hold every answer, newest first."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from trailbell.hits.hit import kept_actor, kept_resource
from trailbell.hits.query import HitQuery
from trailbell.store import rows
from trailbell.text.digests import STAND_IN


# How an actor's key begins where it is no ARN (facts/actor.py).
_ACTOR_KEYS = ("arn:", "root:", "svc:", "idc:", STAND_IN)


def windows(query: HitQuery) -> Iterator[HitQuery]:
    """The query, and a second one for the first moment of its first day.

    A hit with a dedup window of a day has its place there (store/rows.py), even if the query begins later that day.
    Whoever reads it checks the hit's own time.
    """
    if query.since <= query.until:
        yield query
    midnight = query.since.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight < query.since:
        yield replace(query, since=midnight, until=midnight)


def exact_groups(query: HitQuery) -> Iterator[list[str]]:
    """The partitions of a resource or actor that looks like a whole ARN or key; none if neither does."""
    if query.resource.startswith("arn:"):
        yield [rows.resource_partition(kept_resource(query.resource))]
    elif query.actor.startswith(_ACTOR_KEYS):
        actor = kept_actor(query.actor)
        yield from ([rows.actor_partition(actor, month)] for month in _periods(query, "%Y-%m"))


def broad_groups(query: HitQuery) -> Iterator[list[str]]:
    """The narrowest groups of partitions when names are taken for parts of names."""
    months = _periods(query, "%Y-%m")
    if query.rules:
        yield from ([rows.rule_partition(rule, month) for rule in query.rules] for month in months)
    elif query.account:
        yield from ([rows.account_partition(query.account, month)] for month in months)
    else:
        yield from day_groups(query)


def day_groups(query: HitQuery, shards: tuple[int, ...] = tuple(range(rows.SHARDS))) -> Iterator[list[str]]:
    """Each day of the window with its shards."""
    for day in _periods(query, "%Y-%m-%d"):
        yield [rows.time_partition(day, shard) for shard in shards]


def _periods(query: HitQuery, form: str) -> list[str]:
    """The months or days of a query's time window, newest first."""
    day, periods = query.until, dict[str, None]()
    while day.date() >= query.since.date():
        periods[day.strftime(form)] = None
        day -= timedelta(days=1)
    return list(periods)
