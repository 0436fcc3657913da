"""A page token says where the next page begins: after which place, and whether names were matched whole or in part."""

import base64
import binascii
from datetime import UTC, datetime

from trailbell.errors import SettingsError


EXACT, BROAD = "exact", "broad"


def make_token(mode: str, place: str) -> str:
    """The token of the page after the hit at `place`, in an answer that took names in this mode."""
    return base64.urlsafe_b64encode(f"{mode} {place}".encode()).decode("ascii").rstrip("=")


def parse_token(token: str) -> tuple[str, str]:
    """(mode, place) of a token. Raises SettingsError for what is none."""
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    mode, _, place = text.partition(" ")
    try:
        moment_of(place)
    except ValueError:
        mode = ""
    if mode not in (EXACT, BROAD):
        raise SettingsError("--page-token: this is no token that `trailbell hits` printed")
    return mode, place


def moment_of(place: str) -> datetime:
    """The time of a place in the order."""
    return datetime.fromisoformat(place.partition("#")[0]).astimezone(UTC)
