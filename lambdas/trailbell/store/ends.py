"""The end of what a finding said: a follow-up to those who were notified of it, and its hit closed."""

from typing import Any

from trailbell.hits.follow_up import FollowUp
from trailbell.hits.hit import Hit
from trailbell.hits.hit_state import UNDO, HitState, change_state
from trailbell.store.follow_ups import DynamoFollowUps
from trailbell.store.kept_hits import DynamoKeptHits
from trailbell.store.states import DynamoHitStates


class DynamoEnds:
    """Reads hits, and writes that they are over."""

    def __init__(self, client: Any, table: str) -> None:
        self._hits = DynamoKeptHits(client, table)
        self._states, self._follow_ups = DynamoHitStates(client, table), DynamoFollowUps(client, table)

    def act(self, account: str, event_id: str) -> tuple[Hit, HitState, int] | None:
        """The hit of an act, its state, and when its row expires (epoch seconds); None where it is gone."""
        return self._hits.act(account, event_id)

    def end(self, follow_up: FollowUp, hit: Hit, state: HitState, expires_at: int) -> None:
        """Write that an act is over, then close its hit: done again, it closes it.

        Raises StateError where somebody changed the hit meanwhile, TableError or what botocore raises.
        """
        self._follow_ups.add(follow_up, hit, expires_at)
        after, change = change_state(state, UNDO, follow_up.by, follow_up.at, follow_up.event_name)
        self._states.write(hit.identity, after, change, expires_at)
