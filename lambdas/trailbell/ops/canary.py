"""A canary sent by hand: the deployed clock sends it and takes it back; its rows say how far it has come."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from trailbell.errors import SettingsError
from trailbell.hits.canary import SEEN_IN_FILE, SEEN_LIVE, seen, seen_after
from trailbell.ops.answers import MeasuredCanary
from trailbell.ops.deployed_stack import Clients, DeployedStack
from trailbell.store.canaries import DynamoCanaries


_PAUSE_SECONDS = 10.0
_HOURS_BACK = 3


def newest_canary(canaries: DynamoCanaries, now: datetime) -> MeasuredCanary | None:
    """The newest hourly canary of the last hours that came back, and of which it is known by what it was seen."""
    for hours in range(_HOURS_BACK + 1):
        name = f"{now - timedelta(hours=hours):%Y-%m-%dT%H}"
        steps = canaries.steps(name)
        if "returned" in steps and (words := seen_after(steps)):
            return MeasuredCanary(name, int(steps["returned"]["seconds"]), words)
    return None


class FiredCanary:
    """A canary of a deployed stack. Raises SettingsError when the clock does not answer as it should."""

    def __init__(self, clients: Clients, stack: DeployedStack) -> None:
        self._lambda = clients("lambda")
        self._function = stack.output("ClockFunction")
        self._canaries = DynamoCanaries(clients("dynamodb"), stack.output("HitTable"))
        self.name = str(self._invoke({"fire": True}).get("canary", ""))
        if not self.name:
            raise SettingsError("the clock has sent a canary in this very second; try again")

    def steps(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[dict[str, Any]]:
        """Its rows, by step, again and again until it is back, by a log file, too, or so many seconds are over."""
        deadline = clock() + seconds
        while True:
            self._invoke({"collect": True})
            steps = dict(self._canaries.steps(self.name))
            yield steps
            is_back = "returned" in steps and (not seen(steps, SEEN_LIVE) or bool(seen(steps, SEEN_IN_FILE)))
            if is_back or clock() + _PAUSE_SECONDS > deadline:
                return
            sleep(_PAUSE_SECONDS)

    def _invoke(self, event: dict[str, bool]) -> dict[str, Any]:
        answer = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer or not isinstance(payload, dict):
            raise SettingsError("the clock failed; its log says why")
        return payload
