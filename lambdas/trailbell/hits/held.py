"""A hit that a quiet period holds, as its row says it, whether or not this version can read the hit itself."""

from trailbell.hits.hit import Hit
from trailbell.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class HeldHit:
    """name: of the hit, for people; delivered_as: what a delivery record of it may be kept under, none where that is
    not said; hit: None where it cannot be, with the `error` that says why.
    """

    name: str
    delivered_as: tuple[tuple[str, str, str], ...]
    hit: Hit | None
    error: Exception | None = None
