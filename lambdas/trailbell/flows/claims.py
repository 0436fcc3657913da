"""Claims: before a hit's alert is published, one notifier takes it for itself, for as long as publishing can take."""

from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Protocol

from trailbell.alerts.alert import Alert
from trailbell.hits.hit import Hit


LEASE_SECONDS = 80
"""Longer than a publication with all its retries (aws/clients.py: four times 13 s, and pauses), shorter
than a run can wait for it."""


class Claim(Enum):
    """What became of a claim: it is ours, another one holds it and may still fail, or the hit was delivered."""

    OURS = "ours"
    HELD = "held"
    DELIVERED = "delivered"


class AlertTopic(Protocol):
    """Where alerts are published."""

    def notify(self, alert: Alert) -> None:
        """Publish one alert, or raise."""


class Claims(Protocol):
    """Who is about to notify of hits, and who did."""

    def record(self, hits: Sequence[Hit]) -> None:
        """Record that hits were notified."""

    def release(self, hits: Sequence[Hit]) -> None:
        """Give back claims that came to nothing."""


def publish_claimed(topic: AlertTopic, claims: Claims, alert: Alert, claimed: Sequence[Hit]) -> None:
    """Publish an alert and record that; raises what either raises, with the claims given back.

    claimed: what is claimed and recorded for it: its hits, or stand-ins of them.
    """
    try:
        topic.notify(alert)
        claims.record(claimed)
    except Exception:
        with suppress(Exception):  # what cannot be given back ends with its lease
            claims.release(claimed)
        raise
