"""Event sources: a service that AWS names in two ways is one service."""

import pytest

from trailbell.cloudtrail.event_source import service_of
from trailbell.cloudtrail.record import make_record


@pytest.mark.parametrize(
    ("source", "service"),
    [
        ("kms.amazonaws.com", "kms"),
        ("cloudhsm.amazonaws.com", "cloudhsm"),
        ("cloudhsmv2.amazonaws.com", "cloudhsm"),
        ("ssmcontacts.amazonaws.com", "ssm-contacts"),
        ("", ""),
    ],
)
def test_service_is_the_same_under_both_names(source: str, service: str) -> None:
    """Queries, links and resources go by the service; under the other name nobody would find a hit."""
    assert service_of(source) == service
    assert make_record({"eventSource": source}, 0).service == service
