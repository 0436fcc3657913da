"""What the table knows of hits that are to be undone: their alerts, states, and the hits of acts of episodes."""

from collections.abc import Iterable, Iterator
from typing import Any

from trailbell.cli.hits.undo_script import Undo
from trailbell.hits.hit import Hit
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.query.alert_hits import AlertHits, find_alert
from trailbell.store.query.hit_query import FoundHit
from trailbell.store.states import DynamoHitStates


def read_undo(client: Any, table: str, hits: list[Hit], now: str, *, alone: bool = False) -> Undo:
    """The undo of some hits as of a moment (UTC, ISO 8601 with Z). Raises what botocore raises.

    alone: only of these, not of the others that were in one alert with them.
    """
    alerts = [_alone(client, table, hit) if alone else find_alert(client, table, hit) for hit in hits]
    act_hits = dict(_act_hits(client, table, [one.hit for alert in alerts for one in alert.hits]))
    return Undo(hits, alerts, now, act_hits)


def _act_hits(client: Any, table: str, hits: Iterable[Hit]) -> Iterator[tuple[tuple[str, str], FoundHit]]:
    """The hits of the acts of episodes, as far as these are hits of their own and kept."""
    kept_hits = DynamoKeptHits(client, table)
    named = dict.fromkeys((act.account, act.event_id) for hit in hits if hit.episode for act in hit.episode.acts)
    for account, event_id in named:
        if kept := kept_hits.act(account, event_id):
            hit, state, _ = kept
            yield (account, event_id), FoundHit(hit, state, "")


def _alone(client: Any, table: str, hit: Hit) -> AlertHits:
    state, _ = DynamoHitStates(client, table).read(hit.identity)
    return AlertHits([FoundHit(hit, state, "")], recorded=True, hours=0)
