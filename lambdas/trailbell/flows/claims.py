"""Claims: before a hit's alert is published, one notifier takes it for itself, for as long as publishing can take."""

from enum import Enum


LEASE_SECONDS = 80
"""Longer than a publication with all its retries (aws/clients.py: four times 13 s, and pauses), shorter
than a run can wait for it."""


class Claim(Enum):
    """What became of a claim: it is ours, another one holds it and may still fail, or the hit was delivered."""

    OURS = "ours"
    HELD = "held"
    DELIVERED = "delivered"
