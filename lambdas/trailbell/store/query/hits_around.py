"""What else happened around a hit: by the same actor, and to the same resources."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.store.query.hit_query import FoundHit, search, workers
from trailbell.store.rows import actor_partition, resource_partition


_MAX_RESOURCES = 5  # of a hit that has more, the first


@dataclass(frozen=True, slots=True)
class RelatedHits:
    """Other hits in the window around a hit, newest first, at most `limit` of each kind."""

    actor: list[FoundHit]
    resource: list[FoundHit]


def find_related(client: Any, table: str, hit: Hit, hours: int, limit: int) -> RelatedHits:
    """The hits of the same actor, and those of the same resources, within some hours of a hit."""
    moment, width = datetime.fromisoformat(hit.event_time).astimezone(UTC), timedelta(hours=hours)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    # Not beyond the calendar: a forged record may be at either end of it.
    window = HitQuery(since=moment - min(width, moment - first), until=moment + min(width, last - moment))
    months = dict.fromkeys(f"{each:%Y-%m}" for each in (window.until, window.since))
    by_actor = [[actor_partition(hit.actor.key, month)] for month in months]
    by_resource = [[resource_partition(resource) for resource in hit.resources[:_MAX_RESOURCES]]]
    with workers() as pool:
        related = [
            [
                one
                for one in islice(search(client, table, pool, window, groups, limit + 1), limit + 1)
                if one.hit.identity != hit.identity
            ][:limit]
            for groups in (lambda _: by_actor, lambda _: by_resource)
        ]
    return RelatedHits(*related)
