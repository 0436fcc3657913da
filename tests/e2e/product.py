"""The running product, as the end-to-end tests see it."""

from dataclasses import dataclass
from typing import Any

from trailbell.cli.local.inbox import Inbox
from trailbell.cli.local.local_aws import LocalAws


@dataclass(frozen=True)
class Deployed:
    """The running product: its AWS, the names of its parts, and an inbox subscribed to its topic."""

    aws: LocalAws
    table: str
    queue: str
    dead_letters: str
    inbox: Inbox
    clock: str


def receive_until(inbox: Inbox, count: int, attempts: int = 20) -> list[dict[str, Any]]:
    """Alerts from the inbox, until `count` hits were told or nothing came for a while."""
    alerts: list[dict[str, Any]] = []
    for _ in range(attempts):
        alerts += inbox.receive(1)
        if sum(alert["count"] for alert in alerts) >= count:
            break
    return alerts
