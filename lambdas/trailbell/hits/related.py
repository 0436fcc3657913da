"""What else the same actor did: the earlier hits that an alert shows beside its own."""

from trailbell.lazy_dataclass import dataclass


RELATED_HOURS = 24
"""How far back they are looked for."""


@dataclass(frozen=True, slots=True)
class RelatedHit:
    """An earlier hit, as its pointer in the hit table names it: enough for one line, and to ask for the rest."""

    hit_id: str
    event_time: str
    title: str
    level: str
    service: str
    event_name: str
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """The actor's hits in the RELATED_HOURS before an alert, newest first; there may be none.

    more: there are further ones.
    note: why they are not known, "" if they are.
    """

    hits: tuple[RelatedHit, ...] = ()
    more: bool = False
    note: str = ""
