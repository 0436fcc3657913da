"""Which sessions of roles are people: those of whom an identity provider says who they are.

A role's session has a name that the caller chose; machines choose a new one each time, so it says nothing. Identity
Center names sessions by the user; a source identity stays the same through all roles that follow; web identity
federation records its provider. SAML leaves no trace in the calls that follow but a source identity, if the provider
sets one: without it, a SAML role is one actor.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
"""

import re
from collections.abc import Mapping
from typing import Any

from trailbell.cloudtrail.record import mapping, text


# AWSReservedSSO_<permission set>_<16 hex digits>: the roles IAM Identity Center makes.
# https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
IDENTITY_CENTER_PREFIX = "AWSReservedSSO_"
"""What the names of Identity Center's roles begin with."""

_IDENTITY_CENTER_ROLE = re.compile(r"AWSReservedSSO_(?P<set>.+)_[0-9a-f]{16}", re.DOTALL)

# Providers that vouch for machines: clusters and pipelines.
_WORKLOAD_PROVIDER = re.compile(
    r"oidc\.eks\.|oidc-eks|container\.googleapis\.com|prod-aks\.azure\.com|actions\.githubusercontent\.com"
    r"|_services/token|gitlab|app\.terraform\.io|circleci|buildkite|bitbucket|vstoken\.dev\.azure\.com|vercel|spacelift"
    r"|s3\.[a-z0-9-]+\.amazonaws",
    re.IGNORECASE,
)
_SUBJECTS = (":sub", ":user_id", ":id")


def permission_set(role: str) -> str:
    """The permission set that a role (its name) stands for, "" if Identity Center did not make it."""
    found = _IDENTITY_CENTER_ROLE.fullmatch(role) if role.startswith(IDENTITY_CENTER_PREFIX) else None
    return found["set"] if found else ""


def person_key(identity: Mapping[str, Any], role: str, session: str) -> str:
    """The key of the person behind a role's session, "" where nobody vouches for one.

    It is the session's ARN, with the person in place of a session that the caller has named himself; and where
    Identity Center's user id is all there is, the same key as that user's own (`idc:`).
    """
    arn = text(identity, "arn")
    if permission_set(role):
        return (arn or text(identity, "principalId")) if session else ""
    user = text(identity, "onBehalfOf", "userId")
    if user:
        return f"idc:{user}"
    provider, subject = web_identity(identity)
    person = text(identity, "sessionContext", "sourceIdentity") or (provider and (subject or session))
    head, assumed, _ = arn.partition(f"assumed-role/{role}/")
    return f"{head}{assumed}{person}" if person and assumed else ""


def web_identity(identity: Mapping[str, Any]) -> tuple[str, str]:
    """(provider, subject) of a role's session that a provider of people gave, else ("", "").

    federatedProvider is the provider's host name, or the ARN of its entry in IAM. The subject is not always recorded.
    """
    data = mapping(identity, "sessionContext", "webIdFederationData")
    if not data:
        return "", ""
    provider = text(data, "federatedProvider").rpartition("-provider/")[2]
    if not provider or _WORKLOAD_PROVIDER.search(provider):
        return "", ""
    subjects = (value for name, value in mapping(data, "attributes").items() if name.endswith(_SUBJECTS))
    return provider, next((value for value in subjects if isinstance(value, str)), "")
