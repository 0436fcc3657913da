"""The rows of canaries: one partition for each, one row for each link of the chain that it has passed.

    K#{name}    sent        by the clock: nonce, at
    K#{name}    detected    by the detector: nonce, eventTime, at; of kind `canary`, which goes on to the notifier
    K#{name}    seen live, seen in a log file    by the detector: nonce, at, seconds after the act; each source by
                            itself, and a second row with the nonce in its name where another came before
    K#{name}    published   by the notifier: at
    K#{name}    returned    by the clock: at, seconds from the act to its publication
    K#{name}    reported    by the clock: operations were notified that it is missing
    K#{name}    recovered   by the clock: operations were notified that it came after all
    K#{name}    reported or recovered, and ten minutes: a run of the clock is about to notify

Each is written once, on condition that it is not there, so that whoever writes it first is the one who acts on it.
"""

import time
from typing import Any

from trailbell.store.dynamo import Row, put_new, query


CANARY = "canary"
STEP = "canary-step"
_KEPT_DAYS = 30


def canary_key(name: str, step: str) -> Row:
    """The primary key of a canary's row."""
    return {"pk": f"K#{name}", "sk": step}


class DynamoCanaries:
    """Writes and reads canaries' rows."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def add(self, name: str, step: str, **members: str | int) -> bool:
        """Write a step once; whether it was not there yet. Raises TableError or what botocore raises."""
        kind = CANARY if step == "detected" else STEP
        expires_at = int(time.time()) + _KEPT_DAYS * 86_400
        row = {**canary_key(name, step), "kind": kind, "expiresAt": expires_at, **members}
        return put_new(self._client, self._table, row) is None

    def steps(self, name: str) -> dict[str, Row]:
        """The rows of a canary by step, strongly consistent."""
        return {row["sk"]: row for row in query(self._client, self._table, f"K#{name}")}
