"""Single hits with their states, for those that follow them up."""

from typing import Any

from trailbell.hits.hit import ACT, Hit
from trailbell.hits.hit_state import HitState
from trailbell.store.dynamo import get_row
from trailbell.store.rows import hit_key, is_alive, read_hit, state_key
from trailbell.store.states import state_of


class DynamoKeptHits:
    """Reads them, strongly consistent."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def act(self, account: str, event_id: str) -> tuple[Hit, HitState, int] | None:
        """The hit of an act, its state, and when its row expires (epoch seconds); None where it is gone.

        Raises NewerFormatError for a hit of a newer version, and what botocore raises.
        """
        row = get_row(self._client, self._table, hit_key(account, event_id, ACT))
        if not row or not is_alive(row):
            return None
        return (
            read_hit(row),
            state_of(get_row(self._client, self._table, state_key(account, event_id, ACT))),
            int(row["expiresAt"]),
        )
