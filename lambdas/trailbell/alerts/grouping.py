"""Which hits share an alert: a storm is one alert with a count, however many actors take part in it.

Hits of one rule, level, actor and account are one alert. Where one rule in one account would still make more
than MAX_ACTORS alerts of a level, all of them become one, with every actor's hits in it: a thousand mails
that differ only in a name hide what they say. Levels and accounts are never mixed, because subscriptions are
filtered by them: an alert under another level or account would not reach those who asked for it.
"""

from collections import defaultdict
from collections.abc import Iterable

from trailbell.alerts.alert import Alert
from trailbell.hits.hit import Hit


MAX_ACTORS = 10
"""Alerts of the same rule, level and account; one more, and they are sent as one."""


def group_hits(hits: Iterable[Hit]) -> list[Alert]:
    """Group hits into alerts, each hit in exactly one; most severe first, then oldest."""
    alerts = [Alert(_oldest_first(group)) for group in _groups(hits)]
    return sorted(alerts, key=lambda alert: (-alert.sample.severity, alert.sample.event_time, alert.sample.hit_id))


def _groups(hits: Iterable[Hit]) -> Iterable[list[Hit]]:
    acts: dict[tuple[str, str, str, str], dict[str, list[Hit]]] = defaultdict(lambda: defaultdict(list))
    for hit in hits:
        acts[hit.rule_id, hit.level, hit.account, hit.raised_from][hit.actor.key].append(hit)
    for by_actor in acts.values():
        if len(by_actor) > MAX_ACTORS:
            yield [hit for group in by_actor.values() for hit in group]
        else:
            yield from by_actor.values()


def _oldest_first(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    return tuple(sorted(hits, key=lambda hit: (hit.event_time, hit.event_id)))
