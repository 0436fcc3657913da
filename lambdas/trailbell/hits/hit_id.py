"""How people name a hit: by its whole id, its event's id, or the short id that tables show.

account/event id/rule id     the hit itself (mails and JSON say it)
account/event id             its event
event id                     the same, account unknown
yymmdd-xxxxxxxx              the day and the start of the SHA-256 of the whole id
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime

from trailbell.errors import SettingsError
from trailbell.hits.hit import Hit


_SHORT = re.compile(r"(?P<day>\d{6})-(?P<digest>[0-9a-f]{8})", re.ASCII)
_FORMS = "the id a table shows (261126-0a1b2c3d), account/event id/rule id as a mail shows it, or an event's id"


@dataclass(frozen=True, slots=True)
class HitName:
    """A parsed name; what it does not say is "" (or None)."""

    account: str = ""
    event_id: str = ""
    rule_id: str = ""
    day: date | None = None
    digest: str = ""


def short_id(hit: Hit) -> str:
    """The hit's short id: eight digits tell a day's hits apart, and the day says where to look."""
    year, month, day = hit.event_time[2:4], hit.event_time[5:7], hit.event_time[8:10]
    return f"{year}{month}{day}-{digest_of(hit.identity)}"


def digest_of(identity: tuple[str, str, str]) -> str:
    """The second part of a short id."""
    return hashlib.sha256("/".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def parse_hit_name(text: str) -> HitName:
    """Read the name that somebody gives for a hit. Raises SettingsError for a text of none of the four forms."""
    short = _SHORT.fullmatch(text)
    if short:
        try:
            return HitName(day=datetime.strptime(short["day"], "%y%m%d").date(), digest=short["digest"])
        except ValueError:
            raise SettingsError(f"{text}: {short['day']} is no day; give {_FORMS}") from None
    parts = text.split("/", 2)
    if not all(parts) or len(parts[-1]) > 256 or not text.isprintable():
        raise SettingsError(f"{text!r} names no hit; give {_FORMS}")
    if len(parts) == 1:
        return HitName(event_id=text)
    account, event_id, *rule_id = parts
    return HitName(account, event_id, rule_id[0] if rule_id else "")
