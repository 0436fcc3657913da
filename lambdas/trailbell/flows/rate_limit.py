"""Alerts are sent no faster than inboxes bear: SNS suspends a mail subscription that gets more than ten a second.

Suspended it waits for confirmation, and is deleted after 48 hours: a storm would silence the alerter for good.
A new table's stream has four shards, each with a notifier of its own, so each keeps to a fifth of that.
https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
"""

import time
from collections.abc import Callable

from trailbell.lazy_dataclass import dataclass


SECONDS = 0.5
"""Between two alerts of one notifier, on average."""

AT_ONCE = 2
"""Alerts that need not wait for each other after a pause."""


@dataclass(slots=True)
class RateLimit:
    """Waits before an alert when the last ones came too fast. Make one for all batches."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _earliest: float = float("-inf")

    def wait(self) -> None:
        """Return when the next alert may be sent."""
        now = self.clock()
        self._earliest = max(self._earliest, now - (AT_ONCE - 1) * SECONDS)
        if self._earliest > now:
            self.sleep(self._earliest - now)
        self._earliest += SECONDS
