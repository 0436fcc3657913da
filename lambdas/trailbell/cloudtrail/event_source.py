"""Event sources: which service a record is of, where AWS's API model and its guides disagree about the name."""

from collections.abc import Mapping


TWINS: Mapping[str, str] = {
    "cloudhsm.amazonaws.com": "cloudhsmv2.amazonaws.com",
    "ssm-contacts.amazonaws.com": "ssmcontacts.amazonaws.com",
}
"""As the user guides show a source → as the API models call it (trait aws.api#service, cloudTrailEventSource).

Rules take either, since a rule for the wrong one would be silent. https://github.com/aws/api-models-aws
"""

_SERVICES = {twin.partition(".")[0]: source.partition(".")[0] for source, twin in TWINS.items()}


def service_of(event_source: str) -> str:
    """The service as hits name it: the first label of the event source, cloudhsm for both of CloudHSM's."""
    label = event_source.partition(".")[0]
    return _SERVICES.get(label, label)
