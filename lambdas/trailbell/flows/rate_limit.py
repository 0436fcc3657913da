"""Alerts are told at a pace that inboxes bear: SNS suspends a mail subscription that gets more than ten a second.

Suspended it waits for confirmation, and is deleted after 48 hours: a storm would silence the alerter for good.
A new table's stream has four shards, each with a notifier of its own, so each keeps to a fifth of that.
https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


SECONDS = 0.5
"""Between two alerts of one notifier, on the whole."""

AT_ONCE = 2
"""Alerts that need not wait for each other after a quiet while."""


@dataclass(slots=True)
class RateLimit:
    """Waits before an alert where the last ones came too fast; lasts from one batch to the next."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _earliest: float = float("-inf")

    def wait(self) -> None:
        """Return when the next alert may be told."""
        now = self.clock()
        self._earliest = max(self._earliest, now - (AT_ONCE - 1) * SECONDS)
        if self._earliest > now:
            self.sleep(self._earliest - now)
        self._earliest += SECONDS
