"""What the functions' counts are called as metrics, and which of them are none unless asked for."""

from trailbell.cloudtrail.object_key import ObjectKind


NAMESPACE = "trailbell"

VARIABLE = "TRAILBELL_METRICS"
"""Of the environment, "all" where every count is to be a metric."""

THROUGHPUT = frozenset(
    {
        *("ObjectsReceived", "ObjectsIgnored"),
        *(f"ObjectsIgnored{kind.capitalize()}" for kind in ObjectKind if kind is not ObjectKind.FOREIGN),
        *("RecordsRead", "RecordsMatchedAgainstRules", "RecordsNotWatched", "BytesInflated"),
        *("HitsKnown", "HitsMuted", "HitsReceived", "HitsNotified", "HitsNotifiedBefore"),
        "RelatedRead",
        *("CanariesDetected", "CanariesSent", "CanarySeconds", "DueDone"),
        *("DigestsAudited", "LogFilesListed"),
    }
)
"""What counts only how much there was to do. Whatever no alarm is on, and is not zero where all is well."""


def is_sent(name: str, value: float, *, every: bool) -> bool:
    """Whether a count becomes a metric; every: all do."""
    return every or bool(value and name not in THROUGHPUT)
