"""Which hits were in one alert with a hit: as its delivery record says, or as grouping would have it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trailbell.alerts.grouping import group_hits
from trailbell.hits.hit import Hit
from trailbell.hits.query import HitQuery
from trailbell.store.deliveries import Identity, delivery_alerts
from trailbell.store.query.hit_query import FoundHit, search, workers
from trailbell.store.query.partitions import broad_groups


_RECORDED = timedelta(hours=24)  # events of one alert lie no farther apart, unless log files came very late
_ASSUMED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AlertHits:
    """The hits of an alert with their states, oldest first, and how that is known.

    recorded: the delivery records say so; else they are what one alert would hold of the hits within `hours` of it.
    """

    hits: list[FoundHit]
    recorded: bool
    hours: int


def find_alert(client: Any, table: str, hit: Hit) -> AlertHits:
    """The alert that a hit was in; the hit alone where nobody was to be notified of it."""
    alert = _alerts_of(client, table, [hit]).get(hit.identity, "")
    if alert:
        near = list(_around(client, table, hit, _RECORDED))
        alerts = _alerts_of(client, table, [one.hit for one in near])
        together = {identity for identity, other in alerts.items() if other == alert}
        return _alert(near, hit, together, _RECORDED, recorded=True)
    if not hit.is_to_notify:
        return _alert(list(_around(client, table, hit, timedelta())), hit, set(), timedelta(), recorded=True)
    near = list(_around(client, table, hit, _ASSUMED))
    elsewhere = _alerts_of(client, table, [one.hit for one in near])
    groups = group_hits(one.hit for one in near if one.hit.is_to_notify and one.hit.identity not in elsewhere)
    grouped = ({one.identity for one in group.hits} for group in groups)
    together = next((each for each in grouped if hit.identity in each), set[Identity]())
    return _alert(near, hit, together, _ASSUMED, recorded=False)


def _alert(near: list[FoundHit], hit: Hit, together: set[Identity], width: timedelta, *, recorded: bool) -> AlertHits:
    hits = [one for one in near if one.hit.identity in {*together, hit.identity}]
    hits.sort(key=lambda one: (one.hit.event_time, one.hit.event_id))
    return AlertHits(hits, recorded, int(width.total_seconds()) // 3600)


def _around(client: Any, table: str, hit: Hit, width: timedelta) -> Iterator[FoundHit]:
    """Hits of the same rule, level and account within so much time of a hit; itself among them."""
    moment = datetime.fromisoformat(hit.event_time).astimezone(UTC)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    window = HitQuery(  # not beyond the calendar: a forged record may be at either end of it
        since=moment - min(width, moment - first),
        until=moment + min(width, last - moment),
        rules=(hit.rule_id,),
        account=hit.account,
    )
    with workers() as pool:
        found = search(client, table, pool, window, broad_groups)
        # Not asked of the table: a pointer's level is that of the last delivery, a hit's of the first.
        yield from (one for one in found if (one.hit.rule_id, one.hit.level) == (hit.rule_id, hit.level))


def _alerts_of(client: Any, table: str, hits: list[Hit]) -> dict[Identity, str]:
    """The alerts that hits were in, by identity, as far as they are recorded."""
    keys = {one: hit.identity for hit in hits for one in (*hit.identities_before, hit.delivery_identity)}
    return {keys[one]: alert for one, alert in delivery_alerts(client, table, keys).items() if alert}
