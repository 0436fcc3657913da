"""What an audit says of a file: one word, of which most tell that something was done to it."""

from enum import StrEnum


class Verdict(StrEnum):
    """One word for each file and each gap.

    missing:   a valid digest names the file, and it is not there.
    beyond:    the same of a digest, but nothing older is there: what is audited begins after it.
    unproven:  a log file whose digest is missing, invalid, or not there yet.
    unlisted:  a log file that is in no digest though all digests of its time are there.
    denied, archived: it could not be read, which says nothing about it.
    """

    VALID = "valid"
    INVALID_FORMAT = "invalid-format"
    MOVED = "moved"
    UNSIGNED = "unsigned"
    NO_KEY = "no-key"
    BAD_KEY = "bad-key"
    BAD_SIGNATURE = "bad-signature"
    TRAILING_DATA = "trailing-data"
    CHAIN_BROKEN = "chain-broken"
    MISSING = "missing"
    BEYOND = "beyond"
    ALTERED = "altered"
    UNLISTED = "unlisted"
    UNPROVEN = "unproven"
    DENIED = "denied"
    ARCHIVED = "archived"
    GAP = "gap"


HARMLESS = frozenset({Verdict.VALID, Verdict.UNPROVEN, Verdict.BEYOND, Verdict.GAP})
"""What does not make an audit fail."""

PROVEN = frozenset({Verdict.VALID, Verdict.TRAILING_DATA, Verdict.CHAIN_BROKEN})
"""Digests whose content CloudTrail signed: only these lend log files, links and periods."""
