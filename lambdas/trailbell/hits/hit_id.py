"""How people name a hit: by its short id, its whole id, or its event's id.

k7m2p9qx                     its short id (hits/short_id.py); longer where eight characters name two
account/event id/act         the hit itself (mails and JSON say it)
account/event id             its event
event id                     the same, account unknown
yymmdd-xxxxxxxx              what tables of versions before showed: the day, and the start of the whole id's SHA-256
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime

from trailbell.errors import SettingsError
from trailbell.hits.short_id import ShortId, read_short_id


_DATED = re.compile(r"(?P<day>\d{6})-(?P<digest>[0-9a-f]{8})", re.ASCII)
_FORMS = "the short id of a mail or a table (k7m2p9qx), the whole id (account/event id/act), or an event's id"


@dataclass(frozen=True, slots=True)
class HitName:
    """A parsed name; what it does not say is "" (or None)."""

    account: str = ""
    event_id: str = ""
    rule_id: str = ""
    day: date | None = None
    digest: str = ""
    short: ShortId | None = None


def digest_of(identity: tuple[str, str, str]) -> str:
    """The second part of a dated id."""
    return hashlib.sha256("/".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def parse_hit_name(text: str) -> HitName:
    """Read the name that somebody gives for a hit. Raises SettingsError for a text of none of the five forms."""
    short = read_short_id(text)
    if short:
        return HitName(short=short)
    dated = _DATED.fullmatch(text)
    if dated:
        try:
            return HitName(day=datetime.strptime(dated["day"], "%y%m%d").date(), digest=dated["digest"])
        except ValueError:
            raise SettingsError(f"{text}: {dated['day']} is no day; give {_FORMS}") from None
    parts = text.split("/", 2)
    if not all(parts) or len(parts[-1]) > 256 or not text.isprintable():
        raise SettingsError(f"{text!r} names no hit; give {_FORMS}")
    if len(parts) == 1:
        return HitName(event_id=text)
    account, event_id, *rule_id = parts
    return HitName(account, event_id, rule_id[0] if rule_id else "")
