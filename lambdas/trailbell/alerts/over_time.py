"""The alerts that a history of hits would have made: as the notifier groups and gathers them, from event times alone.

CloudTrail delivers about every five minutes, so what happened within five minutes is taken to arrive together.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from trailbell.alerts.alert import Alert
from trailbell.alerts.grouping import group_hits
from trailbell.alerts.quiet import Arrival, QuietMinutes, group_of, messages
from trailbell.facts.resources import is_aws_owned
from trailbell.hits.hit import Hit


WINDOW_SECONDS = 300


def window_of(event_time: str) -> int:
    """When a record arrives, in epoch seconds, from its event's time (ISO 8601)."""
    return int(datetime.fromisoformat(event_time).timestamp()) // WINDOW_SECONDS * WINDOW_SECONDS


def group_of_alert(alert: Alert) -> str:
    """What the quiet periods of an alert's kind are kept under."""
    sample = alert.sample
    return group_of(sample.rule_id, sample.level, sample.account, (hit.actor.key for hit in alert.hits))


def arrivals_of(alert: Alert) -> list[Arrival]:
    """An alert's hits as gathering sees them."""
    return [Arrival(hit.hit_id, names_of(hit)) for hit in alert.hits]


def names_of(hit: Hit) -> tuple[str, ...]:
    """What a hit is about, by which another one is the same news again: its resources, those without an ARN with their
    Region. Where it names none but AWS's own, the Region, the call, and what the mail shows of it.
    """
    own = [name for name in hit.resources if not is_aws_owned(name)]
    if own:
        return tuple(name if name.startswith("arn:") else f"{hit.region} {name}" for name in own)
    shown = (f"{label}: {value}" for label, value in hit.shown)
    return ("\n".join((hit.region, hit.event_source, hit.event_name, *hit.resources, *shown)),)


def alerts_over_time(hits: Iterable[Hit], quiet: QuietMinutes) -> list[Alert]:
    """Hits (each once) as the alerts they would have made, most severe first, then oldest."""
    by_window = defaultdict[int, list[Hit]](list)
    for hit in hits:
        by_window[window_of(hit.event_time)].append(hit)
    by_group = defaultdict[str, list[tuple[int, Alert]]](list)
    for window in sorted(by_window):
        for alert in group_hits(by_window[window]):
            by_group[group_of_alert(alert)].append((window, alert))
    alerts = [alert for batches in by_group.values() for alert in _gathered(batches, quiet)]
    return sorted(alerts, key=lambda alert: (-alert.sample.severity, alert.sample.event_time, alert.sample.hit_id))


def _gathered(batches: list[tuple[int, Alert]], quiet: QuietMinutes) -> Iterable[Alert]:
    """The messages of one group's alerts."""
    sample = batches[0][1].sample
    hits = {hit.hit_id: hit for _, alert in batches for hit in alert.hits}
    arrived = [(window, arrivals_of(alert)) for window, alert in batches]
    seconds = 0 if sample.raised_from else quiet.seconds(sample.name, sample.level)
    for ids, gathered in messages(arrived, seconds, sample.level):
        of_message = sorted((hits[one] for one in ids), key=lambda hit: (hit.event_time, hit.event_id))
        yield Alert(tuple(of_message), gathered=gathered)
